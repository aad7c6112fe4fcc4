from source.experiments.records import Results
from source.scoring.protocols import PROTOCOLS, Protocol
from tests.experiments.made_records import make_real, make_records

import pytest


@pytest.fixture(scope='session', autouse=True)
def _cache_of_its_own(tmp_path_factory):
    """Cells of the digits are all compared with the same statistics: they are computed once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='session')
def results(tmp_path_factory):
    """Made-up records and samples of all experiments."""
    results = Results(tmp_path_factory.mktemp('made') / 'comparison')
    make_records(results)
    make_real(results)
    return results


@pytest.fixture
def small_protocol(monkeypatch):
    """A protocol named small, whose real images are of the test set."""
    monkeypatch.setitem(PROTOCOLS, 'small', Protocol('small', n_images=240, splits=3, n_compared=200, real='test',
                                                     n_real=300))
