"""cuDNN and its Python frontend (the package nvidia-cudnn-frontend), found wherever pip or PyTorch have put them.

The frontend looks for libcudnn in few places, and libcudnn ends the process where libcublasLt is not found. So both are
loaded here first, for all the process to see: from NVIDIA's wheels, beside PyTorch, or where the system's loader looks.
"""
import ctypes
import functools
import importlib
import importlib.util
from pathlib import Path

# In the order in which they need each other; the file name without its version.
REQUIRED = 'libcublasLt.so', 'libcudnn.so'
LOWEST_VERSION = 90100  # cuDNN 9.1: before, the graph API knew none of the notes that plans are chosen by
# Within the folders of the packages `nvidia` (its wheels share it) and `torch`.
FOLDERS = {'nvidia': ('cudnn/lib', 'cu13/lib', 'cublas/lib'), 'torch': ('lib',)}
SYSTEMS_NAMES = {'libcublasLt.so': ('libcublasLt.so.13', 'libcublasLt.so.12'), 'libcudnn.so': ('libcudnn.so.9',)}


class LibraryMissing(Exception):
    """cuDNN cannot be used; the message says why, in a part of a sentence."""


@functools.cache
def frontend():
    """The module `cudnn`, ready to use. Raises LibraryMissing."""
    if importlib.util.find_spec('cudnn') is None:
        raise LibraryMissing('nvidia-cudnn-frontend is not installed')
    for name in REQUIRED:
        _load(name)
    try:
        module = importlib.import_module('cudnn')
        version = module.backend_version()
    except (ImportError, OSError, RuntimeError) as error:
        raise LibraryMissing(f'nvidia-cudnn-frontend cannot be loaded ({error})') from None
    if version < LOWEST_VERSION:
        raise LibraryMissing(f'cuDNN {version // 10000}.{version // 100 % 100} is older than 9.1')
    return module


@functools.cache
def why_missing():
    """None, or why cuDNN cannot be used, in a part of a sentence."""
    try:
        frontend()
    except LibraryMissing as reason:
        return str(reason)
    return None


def _load(name):
    failures = []
    for path in [*map(str, _packaged(name)), *SYSTEMS_NAMES[name]]:
        try:
            return ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
        except OSError as error:
            failures.append(str(error))
    raise LibraryMissing(f'{name} cannot be loaded ({failures[0]})')


def _packaged(name):
    """Paths of a library inside Python packages; none of these is imported."""
    for package, folders in FOLDERS.items():
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            for folder in folders:
                yield from sorted(Path(location, folder).glob(f'{name}*'))
