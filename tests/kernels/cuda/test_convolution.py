"""The GPU's convolutions on the host: packing and launching for real, cuDNN and cuBLAS by stand-ins."""
from source.kernels.cuda import convolution, folding, matrix_convolution
from source.kernels.reference import convolution as twins
from tests.kernels.convolution_operations import BFLOAT16, DTYPES, SLOPES, assert_close, cases, tolerance

import chainer
import numpy as np
import pytest

PRECISIONS = [(np.dtype(np.float32), 'float32'), (np.dtype(np.float32), 'tf32'), (BFLOAT16, 'tf32')]
CASES = pytest.mark.parametrize('operation, shape', cases(), ids=lambda value: getattr(value, 'name', str(value)))


def check_passes(operation, shape, dtype, slope, xp):
    """All three passes against the twins."""
    x, w, bias, gy = (xp.array(a) for a in operation.arrays(shape, dtype))
    for kernel, twin, args in zip(operation.passes(convolution), operation.passes(twins), [
            (x, w, bias, slope), (gy, w, x.shape[1:3], x, slope), (x, gy, slope)], strict=True):
        actual = kernel(*args)
        expected = twin(*args)
        for a, e in zip(*(r if isinstance(r, tuple) else (r,) for r in (actual, expected)), strict=True):
            assert a.flags.c_contiguous
            # A bfloat16 gradient of a folded weight adds up roundings of its 16 taps.
            assert_close(a, e, e.dtype, max(tolerance(dtype), 1e-6) * (2.25 if e.ndim == 4 else 1))
    x, w, _, gy = (xp.array(a) for a in operation.arrays(shape, dtype))
    forward, data_gradient, _ = operation.passes(convolution)
    assert_close(forward(x, w), operation.passes(twins)[0](x, w), dtype)
    assert_close(data_gradient(gy, w, x.shape[1:3]), operation.passes(twins)[1](gy, w, x.shape[1:3]), dtype)


@pytest.mark.parametrize('slope', SLOPES)
@pytest.mark.parametrize('dtype, precision', PRECISIONS, ids=str)
@CASES
def test_by_cudnn(host, cudnn, operation, shape, dtype, precision, slope):
    with chainer.using_config('precision', precision):
        check_passes(operation, shape, dtype, slope, host)


@pytest.mark.parametrize('dtype', DTYPES[1:], ids=str)
@CASES
def test_by_matrix_products(host, monkeypatch, capsys, operation, shape, dtype):
    monkeypatch.setattr(convolution, 'why_missing', lambda: 'cuDNN is away')
    monkeypatch.setattr(matrix_convolution, 'MOST_BYTES', 2000)  # so that images are taken in parts
    convolution._say_why.cache_clear()
    assert not convolution.capturable()
    check_passes(operation, shape, dtype, .2, host)
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and said.startswith('cuDNN is away: ')


def test_in_shape_may_be_left_out(host, cudnn):
    for operation, shape in cases():
        if shape[1] % 2 == 0 and shape[2] % 2 == 0:
            x, w, _, gy = (host.array(a) for a in operation.arrays(shape, np.float32))
            assert operation.passes(convolution)[1](gy, w).shape == x.shape


@pytest.mark.parametrize('dtype, shape, is_packed', [
    (DTYPES[1], (2, 4, 4, 8, 8), False), (DTYPES[1], (2, 4, 4, 8, 6), True), (BFLOAT16, (2, 4, 4, 8, 8), True)],
    ids=str)
def test_a_bias_is_packed_only_where_it_changes(host, cudnn, monkeypatch, dtype, shape, is_packed):
    n_packed = []

    def pack_weights(ws, *args, original=folding.pack_weights):
        n_packed.append(len(ws))
        return original(ws, *args)
    monkeypatch.setattr(folding, 'pack_weights', pack_weights)
    for operation in {operation.name: operation for operation, _ in cases()}.values():
        x, w, bias, _ = (host.array(a) for a in operation.arrays(shape, dtype))
        y = operation.passes(convolution)[0](x, w, bias)
        assert n_packed.pop() == 1 + is_packed and not n_packed
        assert_close(y, operation.passes(twins)[0](x, w, bias), dtype, max(tolerance(dtype), 1e-6))


@pytest.mark.parametrize('dtype, precision', PRECISIONS, ids=str)
def test_prepared_together(host, cudnn, dtype, precision):
    """Weights and biases of all operations in one launch give the bits that each gives alone; twins copy theirs."""
    made = []
    for operation, shape in cases():
        x, w, bias, gy = (host.array(a) for a in operation.arrays(shape, dtype))
        made.append((operation, x, w, bias if len(made) % 3 else None, gy))
    requests = [(operation.name, w, bias) for operation, _, w, bias, _ in made]
    with chainer.using_config('precision', precision):
        host.launches.clear()
        pairs = convolution.prepared(requests, dtype)
        assert host.launches == ['pack_weights'] * -(-2 * len(made) // folding._TABLE.capacity)
        alone = [w.copy() for _, _, w, _, _ in made]
        for _, _, w, _, _ in made:
            w.fill(np.nan)  # is read no more
        for (operation, x, _, bias, gy), w, pair in zip(made, alone, pairs, strict=True):
            forward, data_gradient, _ = operation.passes(convolution)
            host.launches.clear()
            y, gx = forward(x, *pair), data_gradient(gy, pair[0], x.shape[1:3])
            assert 'pack_weights' not in host.launches
            np.testing.assert_array_equal(y, forward(x, w, bias))
            np.testing.assert_array_equal(gx, data_gradient(gy, w, x.shape[1:3]))
            (twins_w, twins_bias), = twins.prepared([(operation.name, w, bias)], dtype)
            assert not np.shares_memory(twins_w, w)
            np.testing.assert_array_equal(twins_w, w)
            assert bias is None or np.array_equal(twins_bias, bias)


def test_arrays_off_16_bytes_are_copied(host, cudnn):
    x, w = np.float32(np.arange(2 * 4 * 4 * 4 + 1)), np.ones((4, 4, 1, 1), np.float32)
    x = host.array(x)[1:].reshape(2, 4, 4, 4)
    np.testing.assert_array_equal(convolution.convolution_1x1(x, host.array(w)), x.sum(3, keepdims=True).repeat(4, 3))


def test_weights_may_be_views(host, cudnn):
    """As those of a spectrally normalized deconvolution, whose first two axes are exchanged."""
    for operation, shape in {operation.name: (operation, shape) for operation, shape in cases()}.values():
        x, w, _, gy = (host.array(a) for a in operation.arrays(shape, np.float32))
        view = np.ascontiguousarray(w.swapaxes(0, 1)).swapaxes(0, 1)
        forward, data_gradient, _ = operation.passes(convolution)
        np.testing.assert_array_equal(forward(x, view), forward(x, w))
        np.testing.assert_array_equal(data_gradient(gy, view, x.shape[1:3]), data_gradient(gy, w, x.shape[1:3]))


def test_views_are_refused(host, cudnn):
    x, w = host.array(np.ones((1, 4, 4, 8), np.float32)), host.array(np.ones((4, 4, 1, 1), np.float32))
    with pytest.raises(ValueError, match='strides'):
        convolution.convolution_1x1(x[..., :4], w)


@pytest.mark.gpu
@pytest.mark.parametrize('slope', SLOPES)
@pytest.mark.parametrize('dtype, precision', PRECISIONS, ids=str)
@pytest.mark.parametrize('shape', [(2, 8, 8, 16, 24), (1, 5, 7, 3, 20), (64, 32, 32, 3, 128), (64, 16, 16, 256, 256)],
                         ids=str)
@pytest.mark.parametrize('name', [operation.name for operation, shape in cases() if shape == (2, 8, 8, 16, 24)])
def test_on_gpu(name, shape, dtype, precision, slope):
    """Against the twins, within what the precision rounds; the same bits again."""
    import cupy
    operation = next(operation for operation, _ in cases() if operation.name == name)
    arrays = operation.arrays(shape, dtype)
    x, w, bias, gy = (cupy.asarray(a) for a in arrays)
    relative = {'float32': 2e-5, 'tf32': 3e-3}[precision] if dtype == np.float32 else 2e-2
    calls = [(x, w, bias, slope), (gy, w, x.shape[1:3], x, slope), (x, gy, slope)]
    with chainer.using_config('precision', precision):
        for kernel, twin, args in zip(operation.passes(convolution), operation.passes(twins), calls, strict=True):
            actual, again = kernel(*args), kernel(*args)
            expected = twin(*[cupy.asnumpy(a) if isinstance(a, cupy.ndarray) else a for a in args])
            for a, b, e in zip(*(r if isinstance(r, tuple) else (r,) for r in (actual, again, expected)), strict=True):
                np.testing.assert_array_equal(cupy.asnumpy(a), cupy.asnumpy(b))
                assert_close(cupy.asnumpy(a), e, e.dtype, relative)


@pytest.mark.gpu
def test_captured_on_gpu():
    """A captured pair of passes, replayed on other numbers, is the uncaptured one."""
    import cupy
    if not convolution.capturable():
        pytest.skip('needs cuDNN and its frontend')
    x, w, gy = (cupy.random.standard_normal(shape, cupy.float32) for shape in (
        (8, 8, 8, 16), (32, 16, 3, 3), (8, 8, 8, 32)))
    pool, stream = cupy.cuda.MemoryPool(), cupy.cuda.Stream(non_blocking=True)

    def step():
        return convolution.convolution_3x3(x, w), *convolution.convolution_3x3_weight_gradient(x, gy)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.using_allocator(pool.malloc), stream:
        step()
        stream.begin_capture()
        captured = step()
        graph = stream.end_capture()
        x += 1
        graph.launch(stream)
        stream.synchronize()
        expected = step()
        stream.synchronize()
    for a, b in zip(captured, expected, strict=True):
        np.testing.assert_array_equal(a.get(), b.get())
