"""Chainer 7.8.1 does on today's Python, NumPy and CuPy what it did on its own, and says nothing while it does."""
import importlib.util
import sys
import textwrap

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


@pytest.mark.parametrize('package', [
    'source', *(pytest.param(name, marks=pytest.mark.long) for name in ('gen_models', 'dis_models', 'evaluations'))])
def test_import_repairs_chainer_without_warnings(package):
    """And NumPy gains no names."""
    printed = run_python(f'''
        import types
        import numpy as np
        before = dict(vars(np))
        import {package}
        new = [value for name, value in vars(np).items() if before.get(name) is not value]
        assert all(isinstance(value, types.ModuleType) for value in new), new
        import chainer
        chainer.print_runtime_info()
    ''')
    assert 'Chainer: 7.8.1' in printed and f'NumPy: {np.__version__}' in printed


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
    assert 'put `import source` above every `import chainer`' in printed and 'in a notebook, restart' in printed


@pytest.mark.parametrize('earlier', ['chainer', 'chainer.links', 'chainermn', 'onnx_chainer', 'chainerx'])
def test_an_import_that_failed_is_made_good(earlier):
    """What it left in memory is of no harm; nor is a second attempt, as a notebook's cell that is run again."""
    assert run_python(f'''
        import sys
        sys.modules['pkg_resources'] = None  # as of setuptools 82: chainer's own import fails whatever NumPy there is
        for attempt in range(2):
            try:
                import {earlier}
            except Exception:
                assert 'chainer' not in sys.modules
        import source
        import chainer, chainer.links, chainer.testing, numpy
        named = [name for name in sys.modules if name.startswith('chainer.')]
        assert len(named) > 300
        for name in named:  # none knows the earlier chainer
            assert vars(sys.modules[name]).get('chainer', chainer) is chainer, name
        x = chainer.Variable(numpy.ones((2, 3), 'f'))
        chainer.functions.sum(chainer.links.Linear(3, 4)(x)).backward()
        print(x.grad.shape)
    ''', warn='ignore') == '(2, 3)\n'


def test_another_chainer_is_refused(monkeypatch):
    loader = importlib.util.find_spec('chainer.functions.math.fix').loader
    monkeypatch.setitem(chainer_compat._REPAIRS, 'chainer.functions.math.fix', {22: ('no such text', '')})
    with pytest.raises(ImportError, match=r"fix\.py:22: expected 'no such text' of Chainer 7\.8\.1, found 'return"):
        loader.get_code('chainer.functions.math.fix')


def test_environment_check_passes_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, 'platform', 'darwin')
    chainer._environment_check.check()


@pytest.mark.filterwarnings('ignore')  # pkg_resources announces its end
def test_with_requires_still_reads_versions():
    pytest.importorskip('pkg_resources')
    assert testing.with_requires('numpy>=1')(lambda: 'ran')() == 'ran'
    assert testing.without_requires('numpy>=99')(lambda: 'ran')() == 'ran'
    with pytest.raises(Exception, match='requires: numpy>=99'):
        testing.with_requires('numpy>=99')(lambda: 'ran')()


# By which a machine without a GPU can show what is repaired for CuPy.
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

cupy = MagicMock(ndarray=type('ndarray', (), {}), cuda=Cuda('cupy.cuda'))
del cupy.cudnn
sys.modules.update({'cupy': cupy, 'cupy.cuda': cupy.cuda, 'cupy.cuda.cublas': MagicMock()})
sys.modules.update({name: MagicMock() for name in (
    'cupy._util', 'cupyx', 'cupyx.scipy', 'cupyx.scipy.linalg', 'cupyx.scipy.special')})
cupy.cuda.cublas = sys.modules['cupy.cuda.cublas']
ctypes.CDLL = lambda name, *args, load=ctypes.CDLL: None if name == 'libcuda.so.1' else load(name, *args)
'''


def run_with_fake_cupy(version, before, after):
    code = [FAKE_CUPY, f'cupy.__version__ = {version!r}', textwrap.dedent(before), 'import source',
            'from chainer.backends import cuda', textwrap.dedent(after)]
    return run_python('\n'.join(code), warn='always').split()  # Chainer would swallow an error


def test_cupy_without_cudnn_raises_no_warning():
    assert run_with_fake_cupy('14.2.0', '', '''
        cuda.check_cuda_available()
        print(cuda.available, cuda.cudnn_enabled, cuda.should_use_cudnn('>=auto'))
    ''') == ['True', 'False', 'False']


def test_cudnn_of_cupy_13_comes_from_cupyx():
    assert run_with_fake_cupy('13.6.0', '''
        cupyx = sys.modules['cupyx']
        cupyx.cudnn = sys.modules['cupyx.cudnn'] = MagicMock()
        cupy.cuda.cudnn = sys.modules['cupy.cuda.cudnn'] = MagicMock()
        cupy.cuda.cudnn.getVersion.return_value = 8907
    ''', '''
        from chainer.functions.array import spatial_transformer_grid, spatial_transformer_sampler
        print(cuda.cudnn_enabled, cuda.cudnn is cupyx.cudnn, cuda.should_use_cudnn('>=auto'))
        spatial_transformer_grid.SpatialTransformerGrid((2, 2)).forward_gpu([MagicMock(shape=(1, 2, 3))])
        spatial_transformer_sampler.SpatialTransformerSampler().forward_gpu(
            [MagicMock(shape=(1, 3, 4, 4)), MagicMock(shape=(1, 2, 2, 2))])
        print(cupyx.cudnn.create_spatial_transformer_descriptor.call_count)
    ''') == ['True', 'True', 'True', '2']


def test_cupy_without_a_driver_is_no_gpu():
    printed = run_with_fake_cupy('14.2.0', "ctypes.CDLL = MagicMock(side_effect=OSError('libcuda.so.1: missing'))", '''
        print(cuda.available)
        try:
            cuda.check_cuda_available()
        except RuntimeError as error:
            print(error)
    ''')
    assert printed[0] == 'False' and 'libcuda.so.1: missing' in ' '.join(printed)


def test_as_strided_and_its_gradient():
    x = chainer.Variable(random_array(6))
    windows = F.as_strided(x, (4, 3), (1, 1), 0)
    np.testing.assert_array_equal(windows.array, np.lib.stride_tricks.sliding_window_view(x.array, 3))
    windows.grad = np.ones((4, 3), 'f')
    windows.backward()
    np.testing.assert_array_equal(x.grad, [1, 2, 3, 3, 2, 1])  # how many windows see each element


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('mode', ['bilinear', 'nearest'])
def test_resize_images_and_its_gradient(mode, align_corners):
    """Of an image whose values are their places."""
    def places(n, n_out):
        i = np.arange(n_out)
        if mode == 'nearest':
            return i * n // n_out
        return i * (n - 1) / (n_out - 1) if align_corners else np.clip((i + .5) * n / n_out - .5, 0, n - 1)

    def resize(x):
        return F.resize_images(x, (7, 3), mode=mode, align_corners=align_corners)
    y = resize((10. * np.arange(4)[:, None] + np.arange(5)).astype('f')[None, None])
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.array[0, 0], 10 * places(4, 7)[:, None] + places(5, 3), atol=1e-5)
    gradient_check.check_backward(resize, random_array(2, 3, 4, 5), random_array(2, 3, 7, 3, seed=1), dtype='d')


def test_fix_rounds_toward_zero():
    np.testing.assert_array_equal(F.fix(np.array([-1.7, -.2, .2, 1.7], 'f')).array, [-1, 0, 0, 1])


def test_maxout_fills_its_parameters_by_functions():
    shapes = []

    def number(array):
        array[...] = np.arange(array.size).reshape(array.shape)
        shapes.append(array.shape)
    link = L.Maxout(4, 3, 2, initialW=number, initial_bias=number)
    assert shapes == [(3, 2, 4), (3, 2)]
    np.testing.assert_array_equal(link.linear.W.array.ravel(), np.arange(24))
    np.testing.assert_array_equal(link.linear.b.array, np.arange(6))


def test_multiprocess_iterator_yields_every_example_once():
    dataset = list(random_array(8, 3, 3))
    iterator = iterators.MultiprocessIterator(dataset, 4, repeat=False, shuffle=False, n_processes=2, shared_mem=1000)
    np.testing.assert_array_equal(np.concatenate(list(iterator)), dataset)
    assert iterator._prefetch_loop._thread is None or iterator._prefetch_loop._thread.daemon
    iterator.finalize()


IMAGES = (2, 3, 4, 4)


@pytest.mark.gpu
@pytest.mark.parametrize('function, shapes', [
    (F.softplus, [IMAGES]), (F.batch_normalization, [IMAGES, (3,), (3,)]), (F.linear, [(4, 3), (5, 3), (5,)]),
    (lambda x, y: 2 * x * y - x / 3 + y ** 2, [(4,), (4,)]),
    (lambda W: F.embed_id(W.xp.array([2, 0, 2, 1], 'i'), W), [(3, 5)]),
    (lambda x, W, b: F.convolution_2d(x, W, b, pad=1), [IMAGES, (5, 3, 3, 3), (5,)]),
    (lambda x, W, b: F.deconvolution_2d(x, W, b, stride=2, pad=1), [IMAGES, (3, 5, 4, 4), (5,)]),
    (lambda x: F.average_pooling_2d(x, 2), [IMAGES]), (lambda x: F.unpooling_2d(x, 2, outsize=(8, 8)), [IMAGES])])
def test_what_networks_are_made_of_on_a_gpu(function, shapes):
    """As on a CPU, where tests/models/ looks at it."""
    results = []
    for xp in (np, cuda.cupy):
        xs = [chainer.Variable(xp.asarray(random_array(*shape, seed=seed))) for seed, shape in enumerate(shapes)]
        y = F.sum(function(*xs) ** 2)
        y.backward()
        results.append([cuda.to_cpu(array) for array in (y.array, *(x.grad for x in xs))])
    for on_cpu, on_gpu in zip(*results):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-2, atol=1e-2)  # convolutions may run in TF32
