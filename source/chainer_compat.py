"""Every repair Chainer 7.8.1 needs on a current Python, NumPy and CuPy; importing this module imports Chainer.

Neither Chainer's files nor NumPy are changed. A finder ahead of Python's own loads the modules named in `_REPAIRS`
with pieces of single lines replaced. So `numpy` stays NumPy itself (Chainer asks `xp is numpy`), and a module that is
imported late, such as `chainer.testing`, is repaired when it comes. `import source` before `import chainer`.
"""
import importlib
import sys
import warnings
from importlib.machinery import PathFinder, SourceFileLoader

# module: {line of Chainer 7.8.1: (what it says there, what is compiled instead)}
_REPAIRS = {
    # The gradient of W alone, where x needs none, takes the arrays for their shapes.
    'chainer.functions.connection.deconvolution_2d': {
        340: ('_set_cover_all(x, W)', '_set_cover_all(x.shape, W.shape)'),
    },
    # numpy.distutils left with Python 3.12, pkg_resources with setuptools 82. Line 100 compares the versions of CuPy
    # and iDeep with those of 2022.
    'chainer._environment_check': {
        6: ('import numpy.distutils.system_info', ''),
        7: ('import pkg_resources', ''),
        99: ('_check_osx_numpy_backend()', 'pass'),
        100: ('_check_optional_dependencies()', 'pass'),
    },
    # 76: CuPy imports without a driver, but then nothing of it works: say which library is missing, as for CuPy itself.
    # 129, 130: cupy.cudnn is a deprecated name in CuPy 13.
    # 151: CuPy 14 has no cuDNN at all and Chainer does without; nothing to warn of.
    'chainer.backends.cuda': {
        76: ('available = True', "import ctypes; cuda.runtime.is_hip or ctypes.CDLL('libcuda.so.1'); available = True"),
        129: ('cupy.cudnn', 'cupyx.cudnn'),
        130: ('cupy.cudnn', 'cupyx.cudnn'),
        151: ('not cudnn_enabled', 'False'),
    },
    'chainer.functions.array.spatial_transformer_grid': {49: ('cuda.cupy.cudnn.', 'cudnn.')},
    'chainer.functions.array.spatial_transformer_sampler': {53: ('cuda.cupy.cudnn.', 'cudnn.')},
    # exp overflows from 89 on, which NumPy warns of; the result, 1, is right, and is so at 88 already.
    'chainer.functions.activation.softplus': {
        68: ('numpy.exp(self.beta * x)', 'numpy.exp(numpy.minimum(self.beta * x, 88))'),
    },
    # numpy.sctypes left with NumPy 2.
    'chainer.functions.array.as_strided': {
        10: ("np.sctypes['int']", '(np.int8, np.int16, np.int32, np.int64)'),
        252: ("np.sctypes['float']", '(np.float16, np.float32, np.float64)'),
    },
    # numpy.float left with NumPy 1.24.
    'chainer.functions.array.resize_images': dict.fromkeys(
        (179, 180, 184, 186, 194, 196), ('numpy.float)', 'numpy.float64)')),
    # NumPy 2.5 deprecates fix in favour of trunc, which older ones have too.
    'chainer.functions.math.fix': {22: ('xp.fix(', 'xp.trunc(')},
    # Python 3.10 deprecates Thread.setDaemon.
    'chainer.iterators.multiprocess_iterator': {475: ('setDaemon(True)', 'daemon = True')},
    # NumPy 2.5 deprecates setting an array's shape; filling a view fills the array.
    'chainer.links.activation.maxout': {
        75: ('array.shape = (out_size, pool_size, in_size)', 'array = array.reshape(out_size, pool_size, in_size)'),
        77: ('array.shape = (linear_out_size, in_size)', 'pass'),
        91: ('array.shape = (out_size, pool_size)', 'array = array.reshape(out_size, pool_size)'),
        93: ('array.shape = linear_out_size,', 'pass'),
    },
    # Chainer's gradient checks import this module; only its two decorators need pkg_resources.
    'chainer.testing.helper': {
        6: ('import pkg_resources', ''),
        39: ('ws =', 'import pkg_resources; ws ='),
        68: ('ws =', 'import pkg_resources; ws ='),
    },
}


class _RepairingLoader(SourceFileLoader):
    def get_code(self, fullname):
        """Compile the repaired source anew: the bytecode beside Chainer's file is that of the file as it is."""
        lines = self.get_source(fullname).split('\n')
        for number, (old, new) in _REPAIRS[fullname].items():
            line = lines[number - 1] if number <= len(lines) else ''
            if old not in line:
                raise ImportError(f'{self.path}:{number}: expected {old!r} of Chainer 7.8.1, found {line.strip()!r}')
            lines[number - 1] = line.replace(old, new)
        return compile('\n'.join(lines), self.path, 'exec', dont_inherit=True)


class _RepairingFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name in _REPAIRS else None
        if spec is not None:
            spec.loader = _RepairingLoader(name, spec.origin)
        return spec


def _import_chainer():
    if 'chainer' in sys.modules:
        raise ImportError('chainer was imported before source, which has to repair it: put `import source` above every '
                          '`import chainer`, then run the script again or, in a notebook, restart its kernel')
    for name in [name for name in sys.modules if name.startswith('chainer.')]:
        del sys.modules[name]  # left over from an `import chainer` that failed
    sys.meta_path.insert(0, _RepairingFinder)
    with warnings.catch_warnings():
        # chainer/training/updaters/multiprocess_parallel_updater.py:15 tries NCCL; CuPy warns where it is missing.
        warnings.filterwarnings('ignore', r'\s*nccl library could not be loaded', UserWarning)
        return importlib.import_module('chainer')


chainer = _import_chainer()
