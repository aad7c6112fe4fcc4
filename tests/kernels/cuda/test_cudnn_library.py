"""Where cuDNN is looked for, and what is said where it is not."""
import ctypes
import importlib
import importlib.util
from types import SimpleNamespace

from source.kernels.cuda import cudnn_library

import pytest

CUBLAS, CUDNN = 'nvidia/cu13/lib/libcublasLt.so.13', 'nvidia/cudnn/lib/libcudnn.so.9'
BESIDE_TORCH, OLD_CUBLAS = 'torch/lib/libcudnn.so.9', 'nvidia/cublas/lib/libcublasLt.so.12'
ALL = 'cudnn', 'nvidia', 'torch'


# NVIDIA's wheels come first, then what lies beside PyTorch, then the system's; what does not load is passed over.
# Without a library nothing is imported: the frontend would end the process later.
@pytest.mark.parametrize('installed, files, unloadable, version, loaded, missing', [
    (ALL, [CUDNN, CUBLAS, BESIDE_TORCH], [], 91900, [CUBLAS, CUDNN], None),
    (ALL, [BESIDE_TORCH], [], 90100, ['libcublasLt.so.13', BESIDE_TORCH], None),
    (ALL, [OLD_CUBLAS], ['cublas/lib', 'libcublasLt.so.13'], 91900, ['libcublasLt.so.12', 'libcudnn.so.9'], None),
    (['nvidia'], [CUDNN, CUBLAS], [], 91900, [], 'nvidia-cudnn-frontend is not installed'),
    (ALL, [], ['libcublasLt'], None, [],
     'libcublasLt.so cannot be loaded (libcublasLt.so.13: cannot open shared object file)'),
    (['cudnn'], [CUDNN], [], 90000, ['libcublasLt.so.13', 'libcudnn.so.9'], 'cuDNN 9.0 is older than 9.1')])
def test_where_it_is_looked_for(monkeypatch, tmp_path, installed, files, unloadable, version, loaded, missing):
    found = []

    def find_spec(name):
        if name in installed:
            return SimpleNamespace(submodule_search_locations=[tmp_path / name])

    def load(path, mode):
        assert mode == ctypes.RTLD_GLOBAL
        if any(part in path for part in unloadable):
            raise OSError(f'{path}: cannot open shared object file')
        found.append(path.replace(f'{tmp_path}/', ''))
    for path in (tmp_path / name for name in files):
        path.parent.mkdir(parents=True)
        path.touch()
    frontend, why_missing = (getattr(cudnn_library, name).__wrapped__ for name in ('frontend', 'why_missing'))
    monkeypatch.setattr(cudnn_library, 'frontend', frontend)  # without its memory
    monkeypatch.setattr(importlib.util, 'find_spec', find_spec)
    monkeypatch.setattr(ctypes, 'CDLL', load)
    monkeypatch.setattr(importlib, 'import_module', lambda name: {
        'cudnn': SimpleNamespace(backend_version=lambda: version)}[name])
    assert why_missing() == missing and found == loaded
    if missing:
        with pytest.raises(cudnn_library.LibraryMissing):
            frontend()
    else:
        assert frontend().backend_version() == version
