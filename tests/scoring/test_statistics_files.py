from source.scoring.statistics_files import ReferenceStatistics, check_network, load_statistics, save_statistics
from tests.feature_network import FakeFeatureNetwork

import numpy as np
import pytest

MEAN = np.array([1., -2., 3.])
COV = np.array([[2., .5, 0.], [.5, 1., .1], [0., .1, 3.]])
OURS = {'mean': MEAN, 'cov': COV, 'n': 9, 'network': 'a', 'network_sha256': '', 'images': '', 'key': ''}


def test_ours_comes_back(tmp_path):
    path = tmp_path / 'a.npz'
    statistics = ReferenceStatistics(MEAN, COV, 70, 'digits', 'none', '70 images', '{"a": 1}', '2 sizes', 'cat')
    save_statistics(path, statistics)
    found = load_statistics(path)
    for name, value in vars(statistics).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    check_network('a.npz', found, FakeFeatureNetwork())
    for name, digest in (('inception', 'none'), ('digits', 'another')):
        with pytest.raises(ValueError, match=r'a.npz: expected statistics under digits \(none\), found'):
            check_network('a.npz', ReferenceStatistics(MEAN, COV, 9, name, digest), FakeFeatureNetwork())
    save_statistics(path, ReferenceStatistics(MEAN, COV, 5, 'x', ''))
    assert load_statistics(path).images is None
    with pytest.raises(ValueError, match='none.npz: no such file of statistics'):
        load_statistics(tmp_path / 'none.npz')


@pytest.mark.parametrize('names, source', [(('mu', 'sigma'), "TTUR's"), (('mean', 'cov'), "the authors'")])
def test_others_formats(tmp_path, names, source):
    np.savez(tmp_path / 'a.npz', **dict(zip(names, (MEAN.astype(np.float32), COV.astype(np.float32)))))
    found = load_statistics(tmp_path / 'a.npz')
    assert found.mean.dtype == found.cov.dtype == np.float64
    np.testing.assert_allclose(found.mean, MEAN)
    np.testing.assert_allclose(found.cov, COV, rtol=1e-6)
    assert (found.file_format, found.network, found.n) == (source, None, None)
    check_network('a.npz', found, FakeFeatureNetwork())  # it names none: nothing to object to


@pytest.mark.parametrize('arrays, expected', [
    ({'mu': MEAN, 'cov': COV}, 'expected mean and cov, or mu and sigma; found mu, cov'),
    ({'mean': MEAN, 'cov': COV, 'mu': MEAN + 1, 'sigma': COV}, 'expected mean and cov, or mu and sigma; found both'),
    ({f'l{i}': MEAN for i in range(99)}, 'expected mean and cov, or mu and sigma; found l0, l1, l2, l3, l4 and 94'),
    ({'mu': MEAN[None], 'sigma': COV}, r'mu: expected shape (D,), found (1, 3)'),
    ({'mu': MEAN, 'sigma': COV[:2]}, 'sigma: expected shape (3, 3), found (2, 3)'),
    ({'mean': MEAN, 'cov': np.diag([1., np.nan, 1.])}, 'cov: expected finite numbers'),
    ({'mean': MEAN > 0, 'cov': COV}, 'mean: expected finite numbers, found bool (3,)'),
    ({'mean': MEAN, 'cov': COV + np.eye(3, k=1)}, 'cov: expected a covariance, found one that is not symmetric'),
    ({'mean': MEAN, 'cov': -COV}, 'cov: expected a covariance'),
    ({**OURS, 'n': 1}, 'n: expected a whole number above 1'),
    ({**OURS, 'network': 3}, 'network: expected text, found int64 ()'),
    ({'mean': np.array([object()]), 'cov': COV}, 'not a complete .npz file of statistics')])
def test_refuses(tmp_path, arrays, expected):
    np.savez(tmp_path / 'a.npz', **arrays)
    with pytest.raises(ValueError) as error:
        load_statistics(tmp_path / 'a.npz')
    assert str(error.value).startswith(f'{tmp_path}/a.npz: {expected}')
