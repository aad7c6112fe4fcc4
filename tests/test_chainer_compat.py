"""Chainer 7.8.1 does on today's Python, NumPy and CuPy what it did on its own, and says nothing while it does."""
import importlib.util
import sys
import textwrap
import warnings

from source import chainer_compat
from tests import children

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest
from chainer import gradient_check, iterators, testing
from chainer.backends import cuda


def run_python(code, warn='error'):
    """Run code in a fresh Python that must not warn; return what it prints."""
    status, output, errors = children.python('-W', warn, '-c', textwrap.dedent(code), cwd=children.ROOT)
    assert (status, errors) == (0, '')
    return output


def random_array(*shape, seed=0, dtype='f'):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(dtype)


# Importing

@pytest.mark.parametrize('package', [
    'source', *(pytest.param(name, marks=pytest.mark.long) for name in ('gen_models', 'dis_models', 'evaluations'))])
def test_import_repairs_chainer_without_warnings(package):
    """And NumPy gains no names."""
    printed = run_python(f'''
        import types
        import numpy as np
        before = dict(vars(np))
        import {package}
        new = {{name for name, value in vars(np).items() if before.get(name) is not value}}
        assert all(isinstance(getattr(np, name), types.ModuleType) for name in new), new
        import chainer
        chainer.print_runtime_info()
    ''')
    assert 'Chainer: 7.8.1' in printed
    assert f'NumPy: {np.__version__}' in printed


def test_chainer_imported_first_is_refused():
    """What remains of a failed import does no harm, and chainer.testing needs no pkg_resources."""
    printed = run_python('''
        import sys, types
        sys.modules['chainer'] = types.ModuleType('chainer')
        try:
            import source
        except ImportError as error:
            print(error)
        del sys.modules['chainer']
        sys.modules['chainer.function_node'] = types.ModuleType('chainer.function_node')
        sys.modules['pkg_resources'] = None
        import source
        import chainer.gradient_check
        import chainer.testing
        assert chainer.FunctionNode is sys.modules['chainer.function_node'].FunctionNode
    ''')
    assert 'put `import source` first' in printed


def test_another_chainer_is_refused(monkeypatch):
    loader = importlib.util.find_spec('chainer.functions.math.fix').loader
    monkeypatch.setitem(chainer_compat._REPAIRS, 'chainer.functions.math.fix', {22: ('no such text', '')})
    with pytest.raises(ImportError, match=r"fix\.py:22: expected 'no such text' of Chainer 7\.8\.1, found 'return"):
        loader.get_code('chainer.functions.math.fix')


def test_environment_check_passes_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'darwin')
    chainer._environment_check.check()


def test_with_requires_still_reads_versions():
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pkg_resources announces its end
        pytest.importorskip('pkg_resources')
        assert testing.with_requires('numpy>=1')(lambda: 'ran')() == 'ran'
        assert testing.without_requires('numpy>=99')(lambda: 'ran')() == 'ran'
        with pytest.raises(Exception, match='requires: numpy>=99'):
            testing.with_requires('numpy>=99')(lambda: 'ran')()


# CuPy, by a stand-in: what a machine without a GPU can show

FAKE_CUPY = '''
    import ctypes, sys, types, warnings
    from unittest.mock import MagicMock

    class Cuda(types.ModuleType):
        Device = Event = Stream = type('Class', (), {})
        runtime = types.SimpleNamespace(is_hip=False)
        memory_hook = types.SimpleNamespace(MemoryHook=type('MemoryHook', (), {}))
        def __getattr__(self, name):
            if name == 'nccl':
                warnings.warn('\\nnccl library could not be loaded.')
            raise AttributeError(name)

    cupy = MagicMock(__version__=VERSION, ndarray=type('ndarray', (), {}), cuda=Cuda('cupy.cuda'))
    del cupy.cudnn
    sys.modules.update({'cupy': cupy, 'cupy.cuda': cupy.cuda, 'cupy.cuda.cublas': MagicMock()})
    sys.modules.update({name: MagicMock() for name in (
        'cupy._util', 'cupyx', 'cupyx.scipy', 'cupyx.scipy.linalg', 'cupyx.scipy.special')})
    cupy.cuda.cublas = sys.modules['cupy.cuda.cublas']
    ctypes.CDLL = lambda name, *args, load=ctypes.CDLL: None if name == 'libcuda.so.1' else load(name, *args)
'''


def run_with_fake_cupy(version, code):
    code = textwrap.dedent(FAKE_CUPY).replace('VERSION', repr(version)) + textwrap.dedent(code)
    return run_python(code, warn='always')  # Chainer would swallow an error


def test_cupy_without_cudnn_raises_no_warning():
    printed = run_with_fake_cupy('14.2.0', '''
        import source
        from chainer.backends import cuda
        cuda.check_cuda_available()
        print(cuda.available, cuda.cudnn_enabled, cuda.should_use_cudnn('>=auto'))
    ''')
    assert printed.split() == ['True', 'False', 'False']


def test_cudnn_of_cupy_13_comes_from_cupyx():
    printed = run_with_fake_cupy('13.6.0', '''
        cupyx = sys.modules['cupyx']
        cupyx.cudnn = sys.modules['cupyx.cudnn'] = MagicMock()
        cupy.cuda.cudnn = sys.modules['cupy.cuda.cudnn'] = MagicMock()
        cupy.cuda.cudnn.getVersion.return_value = 8907
        import source
        from chainer.backends import cuda
        from chainer.functions.array.spatial_transformer_grid import SpatialTransformerGrid
        from chainer.functions.array.spatial_transformer_sampler import SpatialTransformerSampler
        print(cuda.cudnn_enabled, cuda.cudnn is cupyx.cudnn, cuda.should_use_cudnn('>=auto'))
        SpatialTransformerGrid((2, 2)).forward_gpu([MagicMock(shape=(1, 2, 3))])
        SpatialTransformerSampler().forward_gpu([MagicMock(shape=(1, 3, 4, 4)), MagicMock(shape=(1, 2, 2, 2))])
        print(cupyx.cudnn.create_spatial_transformer_descriptor.call_count)
    ''')
    assert printed.split() == ['True', 'True', 'True', '2']


def test_cupy_without_a_driver_is_no_gpu():
    printed = run_with_fake_cupy('14.2.0', '''
        def refuse(name, *args):
            raise OSError(f'{name}: cannot open shared object file')
        ctypes.CDLL = refuse
        import source
        from chainer.backends import cuda
        print(cuda.available)
        try:
            cuda.check_cuda_available()
        except RuntimeError as error:
            print(error)
    ''')
    assert printed.startswith('False')
    assert 'libcuda.so.1: cannot open' in printed


# The repaired functions

def test_as_strided_and_its_gradient():
    x = chainer.Variable(random_array(6))
    windows = F.as_strided(x, (4, 3), (1, 1), 0)
    np.testing.assert_array_equal(windows.array, np.lib.stride_tricks.sliding_window_view(x.array, 3))
    windows.grad = np.ones((4, 3), 'f')
    windows.backward()
    np.testing.assert_array_equal(x.grad, [1, 2, 3, 3, 2, 1])  # how many windows see each element


def test_as_strided_has_no_gradient_for_integers():
    grad = F.array.as_strided.AsStridedGrad(None, (2,), (1,), 0)
    with pytest.raises(TypeError, match='Only float'):
        grad.forward((np.ones(2, 'i'),))


def interpolation_matrix(n, n_out, mode, align_corners):
    """Return the (n_out, n) matrix that resizes one axis, one output at a time."""
    matrix = np.zeros((n_out, n))
    for i in range(n_out):
        if mode == 'nearest':
            matrix[i, min(int(i * n / n_out), n - 1)] = 1
            continue
        place = i * (n - 1) / (n_out - 1) if align_corners else max((i + .5) * n / n_out - .5, 0)
        low = int(place)
        matrix[i, low] += 1 - (place - low)
        matrix[i, min(low + 1, n - 1)] += place - low
    return matrix


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('mode', ['bilinear', 'nearest'])
def test_resize_images_and_its_gradient(mode, align_corners):
    rows, columns = (interpolation_matrix(*sizes, mode, align_corners) for sizes in [(4, 7), (5, 3)])
    x = chainer.Variable(random_array(2, 3, 4, 5))
    y = F.resize_images(x, (7, 3), mode=mode, align_corners=align_corners)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.array, rows @ x.array @ columns.T, atol=1e-6)
    y.grad = gy = random_array(*y.shape, seed=1)
    y.backward()
    np.testing.assert_allclose(x.grad, rows.T @ gy @ columns, atol=1e-6)


def test_fix_rounds_toward_zero():
    np.testing.assert_array_equal(F.fix(np.array([-1.7, -.2, .2, 1.7], 'f')).array, [-1, 0, 0, 1])


def test_maxout_fills_its_parameters_by_functions():
    def number(array):
        array[...] = np.arange(array.size).reshape(array.shape)
        shapes.append(array.shape)

    shapes = []
    link = L.Maxout(4, 3, 2, initialW=number, initial_bias=number)
    assert shapes == [(3, 2, 4), (3, 2)]
    np.testing.assert_array_equal(link.linear.W.array.ravel(), np.arange(24))
    np.testing.assert_array_equal(link.linear.b.array, np.arange(6))


def test_multiprocess_iterator_yields_every_example_once():
    dataset = [random_array(3, 3, seed=i) for i in range(8)]
    iterator = iterators.MultiprocessIterator(dataset, 4, repeat=False, shuffle=False, n_processes=2, shared_mem=1000)
    batches = list(iterator)
    assert iterator._prefetch_loop._thread is None or iterator._prefetch_loop._thread.daemon
    iterator.finalize()
    np.testing.assert_array_equal(np.concatenate(batches), np.concatenate(dataset).reshape(8, 3, 3))


# What the networks here are made of: values, types, first and second derivatives

def sum_of_blocks(x):
    return x.reshape(2, 3, 2, 2, 2, 2).sum((3, 5))


def batch_normalization(x, gamma, beta):
    x = (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 2e-5)
    return gamma[:, None, None] * x + beta[:, None, None]


IDS = np.array([2, 0, 2, 1], 'i')
IMAGES = (2, 3, 4, 4)
FUNCTIONS = {
    'softplus': (F.softplus, lambda x: np.log1p(np.exp(x)), [IMAGES]),
    'arithmetic': (lambda x, y: 2 * x * y - x / 3 + y ** 2, lambda x, y: 2 * x * y - x / 3 + y ** 2, [(4,), (4,)]),
    'linear': (F.linear, lambda x, W, b: x @ W.T + b, [(4, 3), (5, 3), (5,)]),
    'embed_id': (lambda W: F.embed_id(W.xp.asarray(IDS), W), lambda W: W[IDS], [(3, 5)]),
    # Their values are compared with plain definitions in tests/kernels/.
    'convolution_2d': (lambda x, W, b: F.convolution_2d(x, W, b, pad=1), None, [IMAGES, (5, 3, 3, 3), (5,)]),
    'deconvolution_2d': (
        lambda x, W, b: F.deconvolution_2d(x, W, b, stride=2, pad=1), None, [IMAGES, (3, 5, 4, 4), (5,)]),
    'average_pooling_2d': (lambda x: F.average_pooling_2d(x, 2), lambda x: sum_of_blocks(x) / 4, [IMAGES]),
    'unpooling_2d': (
        lambda x: F.unpooling_2d(x, 2, outsize=(8, 8)), lambda x: x.repeat(2, axis=2).repeat(2, axis=3), [IMAGES]),
    'batch_normalization': (F.batch_normalization, batch_normalization, [IMAGES, (3,), (3,)]),
}


@pytest.mark.parametrize('name', FUNCTIONS)
def test_function(name):
    function, expected, shapes = FUNCTIONS[name]
    xs = [random_array(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    y = function(*map(chainer.Variable, xs))
    assert y.dtype == np.float32
    if expected is not None:
        np.testing.assert_allclose(y.array, expected(*[x.astype('d') for x in xs]), rtol=1e-4, atol=1e-5)

    xs = [x.astype('d') for x in xs]
    gy = random_array(*y.shape, seed=8, dtype='d')
    gxs = [random_array(*x.shape, seed=9, dtype='d') for x in xs]
    gradient_check.check_backward(function, xs, gy, dtype='d', eps=1e-5)
    gradient_check.check_double_backward(function, xs, gy, gxs, dtype='d', eps=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize('name', FUNCTIONS)
def test_function_on_a_gpu(name):
    function, _, shapes = FUNCTIONS[name]
    results = []
    for xp in (np, cuda.cupy):
        xs = [chainer.Variable(xp.asarray(random_array(*shape, seed=seed))) for seed, shape in enumerate(shapes)]
        y = F.sum(function(*xs) ** 2)
        y.backward()
        results.append([cuda.to_cpu(array) for array in (y.array, *(x.grad for x in xs))])
    for on_cpu, on_gpu in zip(*results):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-2, atol=1e-2)  # convolutions may run in TF32
