from evaluations import nearest_neighbors
from source.datasets.digits import DigitsDataset
from tests.evaluations.scored_snapshot import read, record_of

import numpy as np


def test_samples_beside_their_neighbours(snapshot, tmp_path, capsys):
    path, feats = tmp_path / 'ResNetGenerator_2.json', tmp_path / 'features_SNResNetProjectionDiscriminator_2.npy'
    arguments = [path, '--snapshot', snapshot, '--classes', 3, 'seven', '--n', 3, '--k', 2]
    record, data = record_of(nearest_neighbors.main, *arguments), DigitsDataset(size=8)
    assert set(tmp_path.iterdir()) == {path, path.with_suffix('.png'), feats, feats.with_suffix('.json')}
    assert (record['labels'], record['n_real']) == ([3, 7, 3], 1437)
    page, ims = read(path.with_suffix('.png')), data.ims.transpose(0, 2, 3, 1).repeat(8, axis=1).repeat(8, axis=2)
    for name in ('features', 'pixels'):
        for row in record[name]['indices']:
            for index in row:  # each is to be seen on the page, as large as it was drawn
                assert contains(page, ims[index])
        assert np.diff(record[name]['distances'], axis=1).min() >= 0
        np.testing.assert_array_equal(record[name]['labels'], data.labels[record[name]['indices']])
    assert capsys.readouterr().err == ''
    written = feats.stat().st_mtime_ns
    record_of(nearest_neighbors.main, *arguments)
    assert feats.stat().st_mtime_ns == written
    assert 'ResNetGenerator_2.png: replaced' in capsys.readouterr().err


def contains(page, im):
    rows, columns = np.nonzero((page[:-63, :-63] == im[0, 0]).all(2))
    return any(np.array_equal(page[r:r + 64, c:c + 64], im) for r, c in zip(rows, columns))


def test_unconditional(unconditional, tmp_path):
    path = tmp_path / 'ResNetGenerator_2.json'
    assert record_of(nearest_neighbors.main, path, '--snapshot', unconditional, '--n', 2)['labels'] is None
