from evaluations import calc_intra_fid, calc_ref_stats
from source.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance
from tests.evaluations.scored_snapshot import record_in, refused, samples, write_snapshot
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import UNCONDITIONAL, files_in, run, write_config

import numpy as np
import pytest
from PIL import Image

DIGITS = DigitsDataset(size=8)


@pytest.fixture(autouse=True)
def _fake_network(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: FakeFeatureNetwork())


@pytest.fixture(scope='module')
def snapshot(tmp_path_factory):
    return write_snapshot(tmp_path_factory.mktemp('results'))


def of_class(snapshot, c, n=20):
    return samples(snapshot, n, (1234, c), np.full(n, c))[0]


def fid(fake, real):
    left, right = (FeatureStatistics().update(FakeFeatureNetwork()(ims)[0]) for ims in (real, fake))
    return frechet_distance(left.mean, left.cov, right.mean, right.cov)


def score(snapshot, out, *arguments):
    return run(calc_intra_fid.main, '--snapshot', snapshot, '--gpu', -1, '--n_images', 20, '--results_dir', out,
               *arguments)


def test_of_a_snapshot(snapshot, tmp_path, capsys):
    assert score(snapshot, tmp_path) == 0
    record = record_in(tmp_path / 'intra_fid.json')
    expected = [fid(of_class(snapshot, c), DIGITS.ims[DIGITS.labels == c]) for c in range(10)]
    assert [entry['fid'] for entry in record['classes']] == pytest.approx(expected, rel=1e-6)
    assert record['intra_fid'] == pytest.approx(np.mean(expected), rel=1e-6)
    assert (record['protocol'], record['n_images'], record['n_classes'], record['too_few']) == ('config', 20, 10, [])
    assert record['classes'][3]['n_real'] == (DIGITS.labels == 3).sum()
    out = capsys.readouterr().out
    assert f'digits intra_fid: {record["intra_fid"]:.4f}  (protocol config)' in out
    assert 'against 1437 training images' in out


class Interrupted(FakeFeatureNetwork):
    n = 0

    def __call__(self, ims):
        Interrupted.n += 1
        if Interrupted.n == 8:
            raise KeyboardInterrupt
        return super().__call__(ims)


def test_interrupted_run_goes_on(snapshot, tmp_path, monkeypatch, capsys):
    assert score(snapshot, tmp_path / 'whole') == 0
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: Interrupted())
    assert score(snapshot, tmp_path / 'cut') == 130
    assert not (tmp_path / 'cut' / 'intra_fid.json').exists()
    capsys.readouterr()
    assert score(snapshot, tmp_path / 'cut') == 0
    assert '3 of 10 classes are done' in capsys.readouterr().out
    whole, cut = (files_in(tmp_path / name) for name in ('whole', 'cut'))
    assert whole == cut
    assert Interrupted.n == 8 + 2 * 7  # no class twice


def test_another_run_in_the_same_folder_is_refused(snapshot, tmp_path, capsys):
    assert score(snapshot, tmp_path) == 0
    capsys.readouterr()
    for more, expected in ((['--seed', 3], 'seed: expected 3, found 1234'),
                           (['--n_images', 19], 'n_images: expected 19, found 20')):
        message = refused(calc_intra_fid.main, tmp_path, capsys, '--snapshot', snapshot, '--n_images', 20,
                          '--results_dir', tmp_path, *more)
        assert f'intra_fid_classes.jsonl: is of another run: {expected}; move it away' in message


def test_statistics_of_files(snapshot, tmp_path, capsys):
    """The same as from the images; a class without a file is told and left out."""
    config = snapshot.parent / 'config.yml'
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--per_class', '--out', tmp_path / 'stats') == 0
    assert score(snapshot, tmp_path / 'a') == 0
    assert score(snapshot, tmp_path / 'b', '--ref_stats', tmp_path / 'stats') == 0
    a, b = (record_in(tmp_path / name / 'intra_fid.json') for name in 'ab')
    assert [e['fid'] for e in a['classes']] == [e['fid'] for e in b['classes']]
    (tmp_path / 'stats' / 'class_4.npz').unlink()
    capsys.readouterr()
    assert score(snapshot, tmp_path / 'c', '--ref_stats', tmp_path / 'stats') == 0
    assert 'class 4: 0 real and 20 generated images, too few; left out' in capsys.readouterr().out
    c = record_in(tmp_path / 'c' / 'intra_fid.json')
    assert c['intra_fid'] == pytest.approx(np.mean([e['fid'] for e in a['classes'] if e['class'] != 4]), rel=1e-12)


def test_stored_images(snapshot, tmp_path, capsys):
    """A subfolder for each class; no more images than dimensions are warned about."""
    for c in range(10):
        for k, im in enumerate(of_class(snapshot, c, 8)):
            (tmp_path / 'ims' / str(c)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(im.transpose(1, 2, 0)).save(tmp_path / 'ims' / str(c) / f'{k}.png')
    arguments = ['--images', tmp_path / 'ims', '--config', snapshot.parent / 'config.yml', '--gpu', -1,
                 '--results_dir', tmp_path]
    assert run(calc_intra_fid.main, *arguments) == 0
    record = record_in(tmp_path / 'intra_fid.json')
    assert record['intra_fid'] == pytest.approx(np.mean([
        fid_quietly(of_class(snapshot, c, 8), DIGITS.ims[DIGITS.labels == c]) for c in range(10)]), rel=1e-6)
    assert (record['protocol'], record['singular']) == ('config', 10)
    assert capsys.readouterr().err.startswith('warning: in 10 classes a covariance has not full rank')
    assert run(calc_intra_fid.main, *arguments, '--protocol', 'paper') == 2
    assert 'protocol paper needs 5000 images of each class, found 8 of class zero' in capsys.readouterr().err


NAMES = DigitsDataset.names_of({})


def write_classes(folder, names, n=9):
    """Held-out digits by class, of class c n + c images, in folders of these names; returns them, an array a class."""
    held_out, of_class = DigitsDataset('test', size=8), []
    for c, name in enumerate(names):
        of_class.append(held_out.ims[held_out.labels == c][:n + c])
        (folder / name).mkdir(parents=True)
        for k, im in enumerate(of_class[c]):
            Image.fromarray(im.transpose(1, 2, 0)).save(folder / name / f'{k:03d}.png')
    return of_class


@pytest.mark.parametrize('names', [NAMES, [str(c) for c in range(10)]], ids=['names', 'numbers'])
def test_folders_are_paired_with_the_classes_they_name(snapshot, tmp_path, capsys, names):
    """Sorted by name, 'eight' is the first class; each is compared with the real eights all the same."""
    of_class = write_classes(tmp_path / 'ims', names)
    assert run(calc_intra_fid.main, '--images', tmp_path / 'ims', '--config', snapshot.parent / 'config.yml', '--gpu',
               -1, '--results_dir', tmp_path) == 0
    record = record_in(tmp_path / 'intra_fid.json')
    expected = [fid(ims, DIGITS.ims[DIGITS.labels == c]) for c, ims in enumerate(of_class)]
    assert [entry['fid'] for entry in record['classes']] == pytest.approx(expected, rel=1e-6)
    assert [entry['n_images'] for entry in record['classes']] == list(range(9, 19))
    assert (record['n_images'], record['order'], record['seed']) == ('9 to 18', 'drawn', 1234)
    assert 'mean over 10 classes, 9 to 18 images of each of' in capsys.readouterr().out


def test_some_classes_alone(snapshot, tmp_path, capsys):
    """Two of ten, by number: these two, and a line for each of the others."""
    of_class = write_classes(tmp_path / 'all', [str(c) for c in range(10)])
    for c in (3, 7):
        (tmp_path / 'all' / str(c)).rename((tmp_path / 'ims').mkdir(exist_ok=True) or tmp_path / 'ims' / str(c))
    assert run(calc_intra_fid.main, '--images', tmp_path / 'ims', '--config', snapshot.parent / 'config.yml', '--gpu',
               -1, '--results_dir', tmp_path) == 0
    record = record_in(tmp_path / 'intra_fid.json')
    assert record['intra_fid'] == pytest.approx(np.mean(
        [fid(of_class[c], DIGITS.ims[DIGITS.labels == c]) for c in (3, 7)]), rel=1e-6)
    assert record['too_few'] == [0, 1, 2, 4, 5, 6, 8, 9]
    n_real = (DIGITS.labels == 4).sum()
    assert f'class 4: {n_real} real and 0 generated images, too few; left out' in capsys.readouterr().out


def test_folders_that_are_no_classes_are_refused(snapshot, tmp_path, capsys):
    write_classes(tmp_path / 'ims', [*NAMES[:9], 'ten'])
    message = refused(calc_intra_fid.main, tmp_path, capsys, '--images', tmp_path / 'ims', '--config',
                      snapshot.parent / 'config.yml', '--results_dir', tmp_path / 'out')
    assert message.startswith(f"--images {tmp_path}/ims: folder 'ten' is none of the data set's classes; expected")


def test_other_images_under_the_same_names_are_another_run(snapshot, tmp_path, capsys):
    """Also where one image of many is another, and no sample of them would show it."""
    for c in range(10):
        (tmp_path / 'ims' / str(c)).mkdir(parents=True)
        for k, im in enumerate(of_class(snapshot, c, 10)):
            Image.fromarray(im.transpose(1, 2, 0)).save(tmp_path / 'ims' / str(c) / f'{k}.bmp')
    arguments = ['--images', tmp_path / 'ims', '--config', snapshot.parent / 'config.yml', '--results_dir', tmp_path]
    assert run(calc_intra_fid.main, *arguments, '--gpu', -1) == 0
    assert run(calc_intra_fid.main, *arguments, '--gpu', -1) == 0  # goes on, with nothing left to do
    path = tmp_path / 'ims' / '4' / '3.bmp'
    Image.new('RGB', (8, 8), 'red').save(path)
    capsys.readouterr()
    message = refused(calc_intra_fid.main, tmp_path, capsys, *arguments)
    assert 'intra_fid_classes.jsonl: is of another run: images: expected' in message


def fid_quietly(fake, real):
    with pytest.warns(SingularCovarianceWarning):
        return fid(fake, real)


def test_refused(snapshot, tmp_path, capsys):
    unconditional = write_snapshot(tmp_path, UNCONDITIONAL)
    out = ['--results_dir', tmp_path / 'out']
    assert refused(calc_intra_fid.main, tmp_path, capsys, '--snapshot', unconditional, *out) == (
        f'{unconditional}: of an unconditional generator, which has no classes')
    np.savez(tmp_path / 'a.npz', ims=DIGITS.ims[:30], labels=DIGITS.labels[:30] + 1)
    config = snapshot.parent / 'config.yml'
    message = refused(calc_intra_fid.main, tmp_path, capsys, '--images', tmp_path / 'a.npz', '--config', config, *out)
    assert message == f'--images {tmp_path}/a.npz: labels: expected 0 to 9, found 10'
    np.savez(tmp_path / 'a.npz', ims=DIGITS.ims[:30])
    message = refused(calc_intra_fid.main, tmp_path, capsys, '--images', tmp_path / 'a.npz', '--config', config, *out)
    assert message.endswith('expected a subfolder for each class, or labels in the .npz')
    for more, expected in ((['--n_images', 1], '--n_images: expected at least 2; got 1'),
                           (['--n_images', 9, '--protocol', 'paper'], '--n_images: expected 5000, as protocol paper'),
                           (['--ref_stats', tmp_path / 'none'], f'--ref_stats {tmp_path}/none: expected a folder')):
        assert refused(calc_intra_fid.main, tmp_path, capsys, '--snapshot', snapshot, *out, *more).startswith(expected)


def test_help_has_an_example(capsys):
    assert run(calc_intra_fid.main, '--help') == 0
    assert 'python evaluations/calc_intra_fid.py --snapshot' in capsys.readouterr().out


def test_real_images_without_classes_are_refused(snapshot, tmp_path, capsys):
    (tmp_path / 'own.py').write_text(
        'import numpy as np\n\n\nclass Own:\n    def __len__(self):\n        return 20\n\n'
        '    def __getitem__(self, i):\n        return np.full((3, 8, 8), i / 20 - .5, np.float32), 0\n')
    config = write_config(tmp_path, {**UNCONDITIONAL, 'evaluation.network': 'digits', 'dataset': {
        'dataset_fn': 'own.py', 'dataset_name': 'Own', 'args': {}}})
    write_classes(tmp_path / 'ims', [str(c) for c in range(10)])
    message = refused(calc_intra_fid.main, tmp_path, capsys, '--images', tmp_path / 'ims', '--config', config,
                      '--results_dir', tmp_path / 'out')
    assert message.endswith('dataset: expected real images of several classes, found 20 training images without any')


def test_files_of_statistics_that_were_exchanged(snapshot, tmp_path, capsys):
    config, stats = snapshot.parent / 'config.yml', tmp_path / 'stats'
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--per_class', '--out', stats) == 0
    (stats / 'class_2.npz').rename(stats / 'class_0.npz')
    assert score(snapshot, tmp_path, '--ref_stats', stats) == 2
    assert f'{stats}/class_0.npz: expected statistics of class 0, found those of' in capsys.readouterr().err
