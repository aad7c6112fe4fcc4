import shutil

from source.build import NETWORKS
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


@pytest.fixture
def own_snapshot(snapshot, tmp_path):
    """A copy in a folder to which a command may write."""
    return shutil.copytree(snapshot.parent, tmp_path / 'results') / snapshot.name


@pytest.fixture
def fake_judge(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_, **__: FakeFeatureNetwork())
