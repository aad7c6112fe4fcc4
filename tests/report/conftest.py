import shutil

from evaluations import report
from source.report.run import read_run
from tests import narrow
from tests.report.made_run import make_run
from tests.report.page import Page

import pytest


@pytest.fixture(scope='session')
def made(tmp_path_factory):
    """The results folder of a made run, which many tests share; fails at the end if one of them has changed it."""
    folder = make_run(tmp_path_factory.mktemp('made') / 'run')
    before = narrow.files_in(folder)
    yield folder
    assert narrow.files_in(folder) == before


@pytest.fixture
def run(made):
    return read_run(made)


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / 'run')


@pytest.fixture(scope='session')
def reported(made, tmp_path_factory):
    folder = shutil.copytree(made, tmp_path_factory.mktemp('reported') / 'one')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        assert narrow.run(report.main, folder, '--gpu', -1) == 0
    return folder / 'report.html'


@pytest.fixture(scope='session')
def one(reported):
    return Page(reported.read_text())
