from source.config.build import NETWORKS
from source.scoring.protocols import PROTOCOLS, Protocol
from tests.evaluations.scored_snapshot import write_snapshot
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import UNCONDITIONAL, files_in

import pytest


def _lent(folder, changes):
    """A snapshot that many tests share; fails at the end if one of them has changed its folder."""
    snapshot = write_snapshot(folder, changes)
    before = files_in(folder)
    yield snapshot
    assert files_in(folder) == before


@pytest.fixture(scope='session')
def snapshot(tmp_path_factory):
    yield from _lent(tmp_path_factory.mktemp('results'), {'paper_row': 'cifar10_cnn_sn'})


@pytest.fixture(scope='session')
def unconditional(tmp_path_factory):
    yield from _lent(tmp_path_factory.mktemp('unconditional'), UNCONDITIONAL)


class OtherNetwork(FakeFeatureNetwork):
    name, digest = 'other', 'd1'

    def __init__(self, device=-1, weights=None):
        if weights == 'none.h5':
            raise ValueError('none.h5: wrong')
        self.digest = self.digest if weights is None else f'of {weights}'


def failing_network(device=-1):
    raise ValueError('own: wrong')


@pytest.fixture
def fake_judge(monkeypatch):
    """Networks that need no weights, and small protocols."""
    for name, network in (('digits', lambda *_, **__: FakeFeatureNetwork()), ('other', OtherNetwork),
                          ('failing', failing_network)):
        monkeypatch.setitem(NETWORKS, name, network)
    monkeypatch.setitem(PROTOCOLS, 'paper', Protocol('paper', 30, 3, 12, 'test', 200, 5))
    monkeypatch.setitem(PROTOCOLS, 'modern', Protocol('modern', 40, 4, 40, 'train', None, 5))
