import shutil

from evaluations import report
from tests.narrow import files_in, run
from tests.report.made_run import make_run
from tests.report.page import Page

import pytest


@pytest.fixture(scope='session')
def made(tmp_path_factory):
    """The results folder of a made run, which many tests share; fails at the end if one of them has changed it."""
    folder = make_run(tmp_path_factory.mktemp('made') / 'run')
    before = files_in(folder)
    yield folder
    assert files_in(folder) == before


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it."""
    return shutil.copytree(made, tmp_path / 'run')


@pytest.fixture(scope='session')
def reported(made, tmp_path_factory):
    """A copy with its report."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp('reported') / 'one')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        assert run(report.main, folder, '--gpu', -1) == 0
    return folder


@pytest.fixture(scope='session')
def one(reported):
    return Page((reported / 'report.html').read_text())
