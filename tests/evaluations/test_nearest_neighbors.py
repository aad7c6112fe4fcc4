from evaluations import nearest_neighbors
from source.datasets.digits import DigitsDataset
from tests.evaluations.scored_snapshot import read, record_in, record_of, refused
from tests.narrow import files_in, run

import numpy as np
import pytest


def test_samples_beside_their_neighbours(snapshot, tmp_path, capsys):
    arguments = ['--snapshot', snapshot, '--gpu', -1, '--classes', 3, 'seven', '--n', 3, '--k', 2,
                 '--results_dir', tmp_path]
    assert run(nearest_neighbors.main, *arguments) == 0
    assert set(files_in(tmp_path)) == {'ResNetGenerator_2.png', 'ResNetGenerator_2.json',
                                       'features_SNResNetProjectionDiscriminator_2.npy',
                                       'features_SNResNetProjectionDiscriminator_2.json'}
    record = record_in(tmp_path / 'ResNetGenerator_2.json')
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


def test_unconditional(unconditional, tmp_path):
    record = record_of(nearest_neighbors.main, tmp_path / 'ResNetGenerator_2.json', '--snapshot', unconditional,
                       '--n', 2)
    assert record['labels'] is None


@pytest.mark.parametrize('arguments, expected', [
    (['--n', 0], '--n: expected at least 1'), (['--k', 2000], '--k: expected at most 1437, the number of real images'),
    (['--dis_snapshot', 'none.npz'], 'none.npz: no such snapshot'), (['--classes', 'x'], '--classes x: no such class'),
    (['--snapshot', '{alone}'], '{alone}: no discriminator (SNResNetProjectionDiscriminator_5.npz) beside it')])
def test_refused(snapshot, tmp_path, capsys, arguments, expected):
    alone = tmp_path / 'ResNetGenerator_5.npz'
    alone.write_bytes(snapshot.read_bytes())
    arguments = [str(argument).format(alone=alone) for argument in arguments]
    message = refused(nearest_neighbors.main, tmp_path, capsys, '--snapshot', snapshot, '--config',
                      snapshot.parent / 'config.yml', '--results_dir', tmp_path / 'out', *arguments)
    assert message.startswith(expected.format(alone=alone))
