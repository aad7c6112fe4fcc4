import json

from evaluations import nearest_neighbors
from source.datasets.digits import DigitsDataset
from tests.evaluations.test_gen_images import read, write_snapshots
from tests.narrow import UNCONDITIONAL, files_in, run

import numpy as np
import pytest


@pytest.fixture(scope='module')
def snapshot(tmp_path_factory):
    return write_snapshots(tmp_path_factory.mktemp('results'))


def test_samples_beside_their_neighbours(snapshot, tmp_path, capsys):
    arguments = ['--snapshot', snapshot, '--gpu', -1, '--classes', 3, 'seven', '--n', 3, '--k', 2,
                 '--results_dir', tmp_path]
    assert run(nearest_neighbors.main, *arguments) == 0
    assert set(files_in(tmp_path)) == {'ResNetGenerator_2.png', 'ResNetGenerator_2.json',
                                       'features_SNResNetProjectionDiscriminator_2.npy',
                                       'features_SNResNetProjectionDiscriminator_2.json'}
    record = json.loads((tmp_path / 'ResNetGenerator_2.json').read_text())
    assert (record['labels'], record['n_real']) == ([3, 7, 3], 1437)
    page = read(tmp_path / 'ResNetGenerator_2.png')
    data = DigitsDataset(size=8)
    ims = data.ims.transpose(0, 2, 3, 1).repeat(8, axis=1).repeat(8, axis=2)
    for name in ('features', 'pixels'):
        for row in record[name]['indices']:
            for index in row:  # each is to be seen on the page, as large as it was drawn
                assert contains(page, ims[index])
        assert np.diff(record[name]['distances'], axis=1).min() >= 0
        np.testing.assert_array_equal(record[name]['labels'], data.labels[record[name]['indices']])
    assert capsys.readouterr().err == ''
    written = (tmp_path / 'features_SNResNetProjectionDiscriminator_2.npy').stat().st_mtime_ns
    assert run(nearest_neighbors.main, *arguments) == 0
    assert (tmp_path / 'features_SNResNetProjectionDiscriminator_2.npy').stat().st_mtime_ns == written
    assert 'ResNetGenerator_2.png: replaced' in capsys.readouterr().err


def contains(page, im):
    rows, columns = np.nonzero((page[:-63, :-63] == im[0, 0]).all(2))
    return any(np.array_equal(page[r:r + 64, c:c + 64], im) for r, c in zip(rows, columns))


def test_unconditional(tmp_path):
    snapshot = write_snapshots(tmp_path, UNCONDITIONAL)
    assert run(nearest_neighbors.main, '--snapshot', snapshot, '--gpu', -1, '--n', 2) == 0
    assert json.loads((tmp_path / 'nearest_neighbors' / 'ResNetGenerator_2.json').read_text())['labels'] is None


@pytest.mark.parametrize('arguments, expected', [
    (['--n', 0], '--n: expected at least 1'), (['--k', 2000], '--k: expected at most 1437, the number of real images'),
    (['--dis_snapshot', 'none.npz'], 'none.npz: no such snapshot'),
    (['--classes', 'x'], '--classes x: no such class')])
def test_refused(snapshot, tmp_path, capsys, arguments, expected):
    assert run(nearest_neighbors.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path / 'out',
               *arguments) == 2
    captured = capsys.readouterr()
    assert expected in captured.err and captured.err.count('\n') == 1 and not (tmp_path / 'out').exists()


def test_without_a_discriminator(snapshot, tmp_path, capsys):
    (tmp_path / 'ResNetGenerator_5.npz').write_bytes(snapshot.read_bytes())
    assert run(nearest_neighbors.main, '--snapshot', tmp_path / 'ResNetGenerator_5.npz', '--gpu', -1,
               '--config', snapshot.parent / 'config.yml') == 2
    assert 'no discriminator (SNResNetProjectionDiscriminator_5.npz) beside it' in capsys.readouterr().err
