"""Every repair Chainer 7.8.1 needs on a current Python, NumPy and CuPy; importing this module imports Chainer.

Neither Chainer's files nor NumPy are changed. A finder ahead of Python's own loads the few modules named in `_REPAIRS`
with pieces of single lines replaced, so that `numpy` stays NumPy itself (Chainer asks `xp is numpy`) and a module that
is imported late, such as `chainer.testing`, is repaired when it comes.
"""
import importlib
import sys
import warnings
from importlib.machinery import PathFinder, SourceFileLoader

# module: {line of Chainer 7.8.1: (what it says there, what is compiled instead)}
_REPAIRS = {
    # numpy.distutils left with Python 3.12, pkg_resources with setuptools 82. What line 100 checks are the CuPy and
    # iDeep packages of 2022.
    'chainer._environment_check': {
        6: ('import numpy.distutils.system_info', ''),
        7: ('import pkg_resources', ''),
        99: ('_check_osx_numpy_backend()', 'pass'),
        100: ('_check_optional_dependencies()', 'pass'),
    },
    # CuPy 14 has no cuDNN, and Chainer does without: nothing to warn of.
    'chainer.backends.cuda': {151: ('not cudnn_enabled', 'False')},
    # numpy.sctypes left with NumPy 2.
    'chainer.functions.array.as_strided': {
        10: ("np.sctypes['int']", '(np.int8, np.int16, np.int32, np.int64)'),
        252: ("not in np.sctypes['float']", 'not in (np.float16, np.float32, np.float64)'),
    },
    # numpy.float left with NumPy 1.24.
    'chainer.functions.array.resize_images': dict.fromkeys(
        (179, 180, 184, 186, 194, 196), ('numpy.float)', 'numpy.float64)')),
    # Thread.setDaemon is deprecated since Python 3.10.
    'chainer.iterators.multiprocess_iterator': {475: ('thread.setDaemon(True)', 'thread.daemon = True')},
    # NumPy 2.5 deprecates setting an array's shape; the view shares the memory that is filled.
    'chainer.links.activation.maxout': {
        75: ('array.shape = (out_size, pool_size, in_size)', 'array = array.reshape(out_size, pool_size, in_size)'),
        77: ('array.shape = (linear_out_size, in_size)', 'pass'),
        91: ('array.shape = (out_size, pool_size)', 'array = array.reshape(out_size, pool_size)'),
        93: ('array.shape = linear_out_size,', 'pass'),
    },
    # As above; only these functions use pkg_resources, Chainer's gradient checks do not.
    'chainer.testing.helper': {
        6: ('import pkg_resources', ''),
        39: ('ws =', 'import pkg_resources; ws ='),
        68: ('ws =', 'import pkg_resources; ws ='),
    },
}


class _RepairingLoader(SourceFileLoader):
    def get_code(self, fullname):
        """Compile the repaired source anew; the bytecode beside Chainer's file belongs to the file as it is."""
        lines = self.get_source(fullname).splitlines()
        for number, (old, new) in _REPAIRS[fullname].items():
            line = lines[number - 1] if number <= len(lines) else ''
            if old not in line:
                raise ImportError(f'{self.path}:{number}: expected {old!r} of Chainer 7.8.1, found {line.strip()!r}')
            lines[number - 1] = line.replace(old, new)
        return compile('\n'.join(lines) + '\n', self.path, 'exec', dont_inherit=True)


class _RepairingFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name in _REPAIRS else None
        if spec is not None:
            spec.loader = _RepairingLoader(name, spec.origin)
        return spec


def _import_chainer():
    sys.meta_path.insert(0, _RepairingFinder)
    for name in _REPAIRS.keys() & sys.modules.keys():  # Chainer was imported first, which old NumPy allows
        importlib.reload(sys.modules[name])
    return importlib.import_module('chainer')


chainer = _import_chainer()
