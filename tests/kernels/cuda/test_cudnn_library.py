"""Where cuDNN is looked for, and what is said where it is not."""
import ctypes
import importlib
import importlib.util
from types import SimpleNamespace

from source.kernels.cuda import cudnn_library
from source.kernels.cuda.cudnn_library import LibraryMissing

import pytest


@pytest.fixture(autouse=True)
def _asked_anew():
    """What was found before does not count."""
    yield
    cudnn_library.frontend.cache_clear()
    cudnn_library.why_missing.cache_clear()


@pytest.fixture
def packages(monkeypatch, tmp_path):
    """Folders in place of installed packages; what is loaded, in order, and with which failures."""
    found = SimpleNamespace(folder=tmp_path, loaded=[], unloadable=set(), installed={'cudnn', 'nvidia', 'torch'},
                            version=91900)

    def find_spec(name):
        if name in found.installed:
            return SimpleNamespace(submodule_search_locations=[tmp_path / name])

    def load(path, mode):
        assert mode == ctypes.RTLD_GLOBAL
        if any(part in path for part in found.unloadable):
            raise OSError(f'{path}: cannot open shared object file')
        found.loaded.append(path)
    monkeypatch.setattr(importlib.util, 'find_spec', find_spec)
    monkeypatch.setattr(ctypes, 'CDLL', load)
    monkeypatch.setattr(importlib, 'import_module', lambda name: SimpleNamespace(backend_version=lambda: found.version))
    cudnn_library.frontend.cache_clear()
    cudnn_library.why_missing.cache_clear()
    return found


def put(packages, *names):
    for name in names:
        path = packages.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_nvidias_wheels(packages):
    put(packages, 'nvidia/cudnn/lib/libcudnn.so.9', 'nvidia/cu13/lib/libcublasLt.so.13', 'torch/lib/libcudnn.so.9')
    assert cudnn_library.frontend().backend_version() == 91900 and cudnn_library.why_missing() is None
    assert packages.loaded == [str(packages.folder / path) for path in (
        'nvidia/cu13/lib/libcublasLt.so.13', 'nvidia/cudnn/lib/libcudnn.so.9')]


def test_beside_pytorch_or_the_systems(packages):
    put(packages, 'torch/lib/libcudnn.so.9')
    cudnn_library.frontend()
    assert packages.loaded == ['libcublasLt.so.13', str(packages.folder / 'torch/lib/libcudnn.so.9')]


def test_a_library_that_does_not_load_is_passed_over(packages):
    put(packages, 'nvidia/cublas/lib/libcublasLt.so.12')
    packages.unloadable = {'cublas/lib', 'libcublasLt.so.13'}
    cudnn_library.frontend()
    assert packages.loaded == ['libcublasLt.so.12', 'libcudnn.so.9']


def test_no_frontend(packages):
    packages.installed.remove('cudnn')
    assert cudnn_library.why_missing() == 'nvidia-cudnn-frontend is not installed'
    assert packages.loaded == []


def test_no_library(packages):
    """Nothing is imported then: the frontend would end the process later."""
    packages.unloadable = {'libcublasLt'}
    assert cudnn_library.why_missing().startswith('libcublasLt.so cannot be loaded (libcublasLt.so.13: ')
    with pytest.raises(LibraryMissing):
        cudnn_library.frontend()


def test_old_library(packages):
    packages.version = 90000
    assert cudnn_library.why_missing() == 'cuDNN 9.0 is older than 9.1'
