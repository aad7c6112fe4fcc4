from evaluations import calc_intra_fid, calc_ref_stats
from source.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance
from tests.evaluations.scored_snapshot import record_in, record_of, refused, samples, write_images
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import UNCONDITIONAL, files_in, run, write_config

import numpy as np
import pytest
from PIL import Image

DIGITS = DigitsDataset(size=8)
NAMES = DigitsDataset.names_of({})
pytestmark = pytest.mark.usefixtures('fake_judge')


def of_class(snapshot, c, n=20):
    return samples(snapshot, n, (1234, c), np.full(n, c))[0]


def fid(fake, c):
    """The distance of images from the real ones of class c."""
    left, right = (FeatureStatistics().update(FakeFeatureNetwork()(ims)[0])
                   for ims in (DIGITS.ims[DIGITS.labels == c], fake))
    return frechet_distance(left.mean, left.cov, right.mean, right.cov)


def score(snapshot, out, *arguments):
    return run(calc_intra_fid.main, '--snapshot', snapshot, '--gpu', -1, '--n_images', 20, '--results_dir', out,
               *arguments)


def score_images(images, snapshot, out):
    return record_of(calc_intra_fid.main, out / 'intra_fid.json', '--images', images, '--config',
                     snapshot.parent / 'config.yml')


def write_classes(folder, names):
    """Held-out digits in folders of these names, 9 + c of class c; returns them, an array a class."""
    held_out = DigitsDataset('test', size=8)
    by_class = [held_out.ims[held_out.labels == c][:9 + c] for c in range(len(names))]
    for name, ims in zip(names, by_class, strict=True):
        write_images(folder / name, ims)
    return by_class


def test_of_a_snapshot(snapshot, tmp_path, capsys):
    """The same from files of statistics; a class without a file is told and left out."""
    assert score(snapshot, tmp_path) == 0
    record = record_in(tmp_path / 'intra_fid.json')
    expected = [fid(of_class(snapshot, c), c) for c in range(10)]
    assert [entry['fid'] for entry in record['classes']] == pytest.approx(expected, rel=1e-6)
    assert record['intra_fid'] == pytest.approx(np.mean(expected), rel=1e-6)
    assert (record['protocol'], record['n_images'], record['n_classes'], record['too_few']) == ('config', 20, 10, [])
    assert record['classes'][3]['n_real'] == (DIGITS.labels == 3).sum()
    out = capsys.readouterr().out
    assert f'digits intra_fid: {record["intra_fid"]:.4f}  (protocol config)' in out
    assert 'against 1437 training images' in out

    config, stats = snapshot.parent / 'config.yml', tmp_path / 'stats'
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--per_class', '--out', stats) == 0
    assert score(snapshot, tmp_path / 'b', '--ref_stats', stats) == 0
    assert [e['fid'] for e in record_in(tmp_path / 'b' / 'intra_fid.json')['classes']] == [
        e['fid'] for e in record['classes']]
    (stats / 'class_4.npz').unlink()
    capsys.readouterr()
    assert score(snapshot, tmp_path / 'c', '--ref_stats', stats) == 0
    assert 'class 4: 0 real and 20 generated images, too few; left out' in capsys.readouterr().out
    assert record_in(tmp_path / 'c' / 'intra_fid.json')['intra_fid'] == pytest.approx(
        np.mean([e['fid'] for e in record['classes'] if e['class'] != 4]), rel=1e-12)
    (stats / 'class_2.npz').rename(stats / 'class_0.npz')
    assert score(snapshot, tmp_path / 'd', '--ref_stats', stats) == 2
    assert f'{stats}/class_0.npz: expected statistics of class 0, found those of' in capsys.readouterr().err


class Interrupted(FakeFeatureNetwork):
    def __init__(self):
        self.n = 0

    def __call__(self, ims):
        self.n += 1
        if self.n == 8:
            raise KeyboardInterrupt
        return super().__call__(ims)


def test_interrupted_run_goes_on_and_another_is_refused(snapshot, tmp_path, monkeypatch, capsys):
    assert score(snapshot, tmp_path / 'whole') == 0
    network = Interrupted()
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: network)
    assert score(snapshot, tmp_path / 'cut') == 130
    assert not (tmp_path / 'cut' / 'intra_fid.json').exists()
    capsys.readouterr()
    assert score(snapshot, tmp_path / 'cut') == 0
    assert '3 of 10 classes are done' in capsys.readouterr().out
    assert files_in(tmp_path / 'whole') == files_in(tmp_path / 'cut')
    assert network.n == 8 + 2 * 7  # no class twice
    for more, expected in ((['--seed', 3], 'seed: expected 3, found 1234'),
                           (['--n_images', 19], 'n_images: expected 19, found 20')):
        message = refused(calc_intra_fid.main, tmp_path, capsys, '--snapshot', snapshot, '--n_images', 20,
                          '--results_dir', tmp_path / 'cut', *more)
        assert f'intra_fid_classes.jsonl: is of another run: {expected}; move it away' in message


def test_stored_images(snapshot, tmp_path, capsys):
    """A subfolder for each class; no more images than dimensions are warned about.

    Where one image of many is another later on, it is another run, also if no sample of them would show it.
    """
    with pytest.warns(SingularCovarianceWarning):
        expected = np.mean([fid(of_class(snapshot, c, 8), c) for c in range(10)])
    for c in range(10):
        write_images(tmp_path / 'ims' / str(c), of_class(snapshot, c, 8), '.bmp')
    for _ in range(2):  # the second goes on, with nothing left to do
        record = score_images(tmp_path / 'ims', snapshot, tmp_path)
    assert record['intra_fid'] == pytest.approx(expected, rel=1e-6)
    assert (record['protocol'], record['singular']) == ('config', 10)
    assert capsys.readouterr().err.count('warning: in 10 classes a covariance has not full rank') == 2
    arguments = ['--images', tmp_path / 'ims', '--config', snapshot.parent / 'config.yml', '--results_dir', tmp_path]
    assert 'protocol paper needs 5000 images of each class, found 8 of class zero' in refused(
        calc_intra_fid.main, tmp_path, capsys, *arguments, '--protocol', 'paper')
    Image.new('RGB', (8, 8), 'red').save(tmp_path / 'ims' / '4' / '003.bmp')
    message = refused(calc_intra_fid.main, tmp_path, capsys, *arguments)
    assert 'intra_fid_classes.jsonl: is of another run: images: expected' in message


def test_folders_are_paired_with_the_classes_they_name(snapshot, tmp_path, capsys):
    """Sorted by name, 'eight' is the first class; each is compared with the real eights all the same."""
    by_class = write_classes(tmp_path / 'ims', NAMES)
    record = score_images(tmp_path / 'ims', snapshot, tmp_path)
    expected = [fid(ims, c) for c, ims in enumerate(by_class)]
    assert [entry['fid'] for entry in record['classes']] == pytest.approx(expected, rel=1e-6)
    assert [entry['n_images'] for entry in record['classes']] == list(range(9, 19))
    assert (record['n_images'], record['order'], record['seed']) == ('9 to 18', 'drawn', 1234)
    assert 'mean over 10 classes, 9 to 18 images of each of' in capsys.readouterr().out
    for c in (3, 7):  # two of ten, by number: these two, and a line for each of the others
        write_images(tmp_path / 'two' / 'ims' / str(c), by_class[c])
    record = score_images(tmp_path / 'two' / 'ims', snapshot, tmp_path / 'two')
    assert record['intra_fid'] == pytest.approx(np.mean([expected[3], expected[7]]), rel=1e-6)
    assert record['too_few'] == [0, 1, 2, 4, 5, 6, 8, 9]
    n_real = (DIGITS.labels == 4).sum()
    assert f'class 4: {n_real} real and 0 generated images, too few; left out' in capsys.readouterr().out


def test_refused(snapshot, unconditional, tmp_path, capsys):
    paths = {name: tmp_path / f'{name}.npz' for name in ('no_labels', 'labels', 'wrong_labels')}
    for name, more in (('no_labels', {}), ('labels', {'labels': DIGITS.labels[:30]}),
                       ('wrong_labels', {'labels': DIGITS.labels[:30] + 1})):
        np.savez(paths[name], ims=DIGITS.ims[:30], **more)
    write_classes(tmp_path / 'ims', [*NAMES[:9], 'ten'])
    (tmp_path / 'own.py').write_text(
        'import numpy as np\n\n\nclass Own:\n    def __len__(self):\n        return 20\n\n'
        '    def __getitem__(self, i):\n        return np.full((3, 8, 8), i / 20 - .5, np.float32), 0\n')
    own = write_config(tmp_path, {**UNCONDITIONAL, 'evaluation.network': 'digits', 'dataset': {
        'dataset_fn': 'own.py', 'dataset_name': 'Own', 'args': {}}})
    of_images = ['--config', snapshot.parent / 'config.yml', '--images']
    for arguments, expected in (
            (['--snapshot', unconditional], f'{unconditional}: of an unconditional generator, which has no classes'),
            ([*of_images, paths['wrong_labels']],
             f'--images {paths["wrong_labels"]}: labels: expected 0 to 9, found 10'),
            ([*of_images, paths['no_labels']],
             f'--images {paths["no_labels"]}: expected a subfolder for each class, or labels in the .npz'),
            ([*of_images, tmp_path / 'ims'],
             f"--images {tmp_path}/ims: folder 'ten' is none of the data set's classes; expected"),
            (['--config', own, '--images', paths['labels']],
             f'{own}: dataset: expected real images of several classes, found 20 training images without any'),
            (['--snapshot', snapshot, '--n_images', 1], '--n_images: expected at least 2; got 1'),
            (['--snapshot', snapshot, '--n_images', 9, '--protocol', 'paper'],
             '--n_images: expected 5000, as protocol paper'),
            (['--snapshot', snapshot, '--ref_stats', tmp_path / 'none'],
             f'--ref_stats {tmp_path}/none: expected a folder')):
        message = refused(calc_intra_fid.main, tmp_path, capsys, '--results_dir', tmp_path / 'out', *arguments)
        assert message.startswith(expected)
