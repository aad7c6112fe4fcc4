"""Lets torch-fidelity be imported without torchvision, which it needs for other extractors and data sets only."""
import importlib.util
import sys
import types

_MODULES = ('', '.transforms', '.transforms.functional', '.datasets', '.models')


class _StandIn(types.ModuleType):
    """Answers to every name with a class of that name, which can be made and called with anything."""
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {'__init__': lambda self, *args, **kwargs: None, '__call__': lambda self, *args: None})


def install():
    """Puts stand-ins for torchvision's modules into sys.modules where torchvision itself is missing."""
    if 'torchvision' not in sys.modules and importlib.util.find_spec('torchvision') is None:
        for suffix in _MODULES:
            name = f'torchvision{suffix}'
            sys.modules[name] = _StandIn(name)
            parent, _, child = name.rpartition('.')
            if parent:
                setattr(sys.modules[parent], child, sys.modules[name])
