"""torch-fidelity without torchvision, which it imports for data sets and extractors that no test here uses."""
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
import warnings

import pytest


def torch_fidelity_module(name):
    """Returns `torch_fidelity.<name>`; skips the test where PyTorch or torch-fidelity is absent."""
    pytest.importorskip('torch')
    if importlib.util.find_spec('torch_fidelity') is None:
        pytest.skip('needs torch-fidelity (pip install --no-deps torch-fidelity)')
    with warnings.catch_warnings(), torchvision_stand_in():
        warnings.simplefilter('ignore')  # its own, at import
        return importlib.import_module(f'torch_fidelity.{name}')


@contextlib.contextmanager
def torchvision_stand_in():
    """While open, and where torchvision is absent, every module and name of it can be imported; none does anything."""
    if 'torchvision' in sys.modules or importlib.util.find_spec('torchvision') is not None:
        yield
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition('.')[0] == 'torchvision']:
            del sys.modules[name]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition('.')[0] == 'torchvision':
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _AnyNames(spec.name)

    def exec_module(self, module):
        pass


class _AnyNames(types.ModuleType):
    """A module with a class of every name, so that its classes may be inherited from."""

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})
