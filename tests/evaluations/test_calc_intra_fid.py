from dataclasses import replace

from evaluations import calc_intra_fid, calc_ref_stats
from source.config.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.metrics.frechet_distance import SingularCovarianceWarning
from source.scoring.statistics_files import load_statistics, save_statistics
from tests.evaluations.scored_snapshot import fid, record_of, refused, samples, write_images
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import files_in, run

import numpy as np
import pytest
from PIL import Image

DIGITS = DigitsDataset(size=8)
pytestmark = pytest.mark.usefixtures('fake_judge')


def of_class(snapshot, c, n=20):
    return samples(snapshot, n, (1234, c), np.full(n, c))[0]


def fid_of_class(fake, c):
    return fid(DIGITS.ims[DIGITS.labels == c], fake)


def score(folder, *arguments):
    return record_of(calc_intra_fid.main, folder / 'intra_fid.json', *arguments)


def test_of_a_snapshot(snapshot, tmp_path, capsys):
    """The same from files of statistics; a class without a file is told and left out."""
    arguments, stats = ['--snapshot', snapshot, '--n_images', 20], tmp_path / 'stats'
    record = score(tmp_path, *arguments)
    expected = [fid_of_class(of_class(snapshot, c), c) for c in range(10)]
    assert [entry['fid'] for entry in record['classes']] == pytest.approx(expected, rel=1e-6)
    assert record['intra_fid'] == pytest.approx(np.mean(expected), rel=1e-6)
    assert (record['protocol'], record['n_images'], record['n_classes'], record['too_few']) == ('config', 20, 10, [])
    assert record['classes'][3]['n_real'] == (DIGITS.labels == 3).sum()
    out = capsys.readouterr().out
    assert f'digits intra_fid: {record["intra_fid"]:.4f}  (protocol config)' in out and 'against 1437 training' in out
    assert run(calc_ref_stats.main, '--config', snapshot.parent / 'config.yml', '--gpu', -1, '--per_class', '--out',
               stats) == 0
    arguments += ['--ref_stats', stats]
    fids = [entry['fid'] for entry in record['classes']]
    assert [entry['fid'] for entry in score(tmp_path / 'b', *arguments)['classes']] == fids
    (stats / 'class_4.npz').unlink()
    assert score(tmp_path / 'c', *arguments)['intra_fid'] == pytest.approx(np.mean(fids[:4] + fids[5:]), rel=1e-12)
    assert 'class four: 0 real and 20 generated images, too few; left out' in capsys.readouterr().out
    (stats / 'class_2.npz').rename(stats / 'class_0.npz')
    arguments += ['--gpu', -1, '--results_dir', tmp_path / 'd']
    assert run(calc_intra_fid.main, *arguments) == 2
    assert f'{stats}/class_0.npz: expected statistics of class 0, found those of' in capsys.readouterr().err
    save_statistics(stats / 'class_0.npz', replace(load_statistics(stats / 'class_0.npz'),
                                                   images='9 test images of class 0 of DigitsDataset'))
    assert run(calc_intra_fid.main, *arguments) == 2
    assert (f'--ref_stats {stats}: expected statistics of the same images, found those of test images of DigitsDataset '
            'and of train images of DigitsDataset\n') in capsys.readouterr().err


class Interrupted(FakeFeatureNetwork):
    n = 0

    def __call__(self, ims):
        self.n += 1
        if self.n == 8:
            raise KeyboardInterrupt
        return super().__call__(ims)


def test_interrupted_run_goes_on_and_another_is_refused(snapshot, tmp_path, monkeypatch, capsys):
    arguments, cut, network = ['--snapshot', snapshot, '--n_images', 20], tmp_path / 'cut', Interrupted()
    score(tmp_path / 'whole', *arguments)
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: network)
    assert run(calc_intra_fid.main, *arguments, '--gpu', -1, '--results_dir', cut) == 130
    assert not (cut / 'intra_fid.json').exists()
    capsys.readouterr()
    score(cut, *arguments)
    assert '3 of 10 classes are done' in capsys.readouterr().out
    assert files_in(tmp_path / 'whole') == files_in(cut)
    assert network.n == 8 + 2 * 7  # no class twice
    for more, expected in ((['--seed', 3], 'seed: expected 3, found 1234'),
                           (['--n_images', 19], 'n_images: expected 19, found 20')):
        message = refused(calc_intra_fid.main, tmp_path, capsys, *arguments, '--results_dir', cut, *more)
        assert f'intra_fid_classes.jsonl: is of another run: {expected}; move it away' in message


def test_stored_images(snapshot, tmp_path, capsys):
    """No more images than dimensions are warned about; where one of many is another later on, it is another run."""
    arguments = ['--images', tmp_path / 'ims', '--config', snapshot.parent / 'config.yml']
    with pytest.warns(SingularCovarianceWarning):
        expected = np.mean([fid_of_class(of_class(snapshot, c, 8), c) for c in range(10)])
    for c in range(10):
        write_images(tmp_path / 'ims' / str(c), of_class(snapshot, c, 8))
    for _ in range(2):  # the second goes on, with nothing left to do
        record = score(tmp_path, *arguments)
    assert record['intra_fid'] == pytest.approx(expected, rel=1e-6)
    assert (record['protocol'], record['singular']) == ('config', 10)
    out, err = capsys.readouterr()
    assert out.count('of each class against 141 to 146: FID of fewer than 10,000 images is biased upwards') == 2
    assert 'warn' not in err
    assert out.count('; in 10 of 10 classes a covariance has not full rank, from too few images for the feat') == 2
    assert len(record['warnings']) == 1 and record['warnings'][0] in out.splitlines()
    arguments += ['--results_dir', tmp_path]
    assert 'protocol paper needs 5000 images of each class, found 8 of class zero' in refused(
        calc_intra_fid.main, tmp_path, capsys, *arguments, '--protocol', 'paper')
    Image.new('RGB', (8, 8), 'red').save(tmp_path / 'ims' / '4' / '003.bmp')
    message = refused(calc_intra_fid.main, tmp_path, capsys, *arguments)
    assert 'intra_fid_classes.jsonl: is of another run: images: expected' in message


def test_folders_are_paired_with_the_classes_they_name(snapshot, tmp_path, capsys):
    """Sorted by name, 'eight' is the first class; each is compared with the real eights all the same."""
    held_out = DigitsDataset('test', size=8)
    by_class = [held_out.ims[held_out.labels == c][:9 + c] for c in range(10)]
    for name, ims in zip(DigitsDataset.names_of({}), by_class, strict=True):
        write_images(tmp_path / 'ims' / name, ims)
    record = score(tmp_path, '--config', snapshot.parent / 'config.yml', '--images', tmp_path / 'ims')
    expected = [fid_of_class(ims, c) for c, ims in enumerate(by_class)]
    assert [entry['fid'] for entry in record['classes']] == pytest.approx(expected, rel=1e-6)
    assert [entry['n_images'] for entry in record['classes']] == list(range(9, 19))
    assert (record['n_images'], record['order'], record['seed']) == ('9 to 18', 'drawn', 1234)
    assert 'mean over 10 classes, 9 to 18 images of each of' in capsys.readouterr().out
