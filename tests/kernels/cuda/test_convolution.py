"""The GPU's convolutions on the host: packing and launching for real, cuDNN and cuBLAS by stand-ins; and on a GPU."""
from source.kernels.cuda import convolution, folding, matrix_convolution
from source.kernels.cuda.elementwise import cast
from source.kernels.reference import convolution as twins
from tests.kernels.convolution_operations import BFLOAT16, OPERATIONS, assert_close, every_operation, ids, tolerance
from tests.kernels.cuda.both_sets import places

import chainer
import numpy as np
import pytest

FLOAT = np.dtype(np.float32)
# (B, H, W, C, O), dtype, precision and slope: whole; odd sizes; a single pixel and channel; RGB at either end
CASES = every_operation([
    ((2, 8, 8, 16, 24), FLOAT, 'tf32', 1), ((1, 5, 7, 3, 20), BFLOAT16, 'tf32', .2),
    ((3, 9, 6, 10, 33), FLOAT, 'float32', .2), ((3, 9, 6, 10, 33), BFLOAT16, 'tf32', 0),
    ((2, 1, 1, 1, 1), FLOAT, 'tf32', .2), ((2, 6, 4, 33, 3), FLOAT, 'tf32', 0), ((2, 5, 4, 3, 9), FLOAT, 'tf32', 0),
    ((2, 5, 3, 8, 3), BFLOAT16, 'tf32', 1), ((2, 5, 4, 1, 9), FLOAT, 'tf32', 0), ((2, 6, 4, 9, 1), FLOAT, 'tf32', .2),
    ((2, 5, 4, 1, 9), BFLOAT16, 'tf32', .2), ((2, 5, 4, 1, 9), FLOAT, 'float32', 0)])
LARGE = every_operation([
    ((8, 32, 32, 3, 128), FLOAT, 'tf32', .2), ((8, 32, 32, 3, 128), BFLOAT16, 'tf32', 0),
    ((8, 16, 16, 256, 256), FLOAT, 'float32', .2), ((8, 16, 16, 256, 256), FLOAT, 'tf32', 0),
    ((8, 16, 16, 256, 256), BFLOAT16, 'tf32', .2), ((8, 32, 32, 256, 3), FLOAT, 'tf32', 1),
    ((8, 32, 32, 256, 3), BFLOAT16, 'tf32', 1), ((8, 32, 32, 1, 128), FLOAT, 'tf32', 0),
    ((8, 32, 32, 256, 1), FLOAT, 'tf32', 1), ((8, 32, 32, 1, 128), BFLOAT16, 'tf32', 0)])
# A bfloat16 gradient of a folded weight adds up roundings of its 16 taps.
TOLERANCES = {FLOAT: tolerance(FLOAT), BFLOAT16: 2.25 * tolerance(BFLOAT16)}
GPU_TOLERANCES = {'float32': 2e-5, 'tf32': 3e-3}


def check_passes(check, operation, shape, dtype, slope, tol, plain_tol):
    """`tol` of the largest value; `plain_tol` without an activation, and for gradients of biases."""
    x, w, bias, gy = operation.arrays(shape, dtype)
    name, in_shape = f'convolution.{operation.name}', x.shape[1:3]
    check(name, x, w, bias, slope, of_largest=tol)
    check(name, x, w, of_largest=plain_tol)
    check(name, x, w, bias, slope, True, of_largest=tol)
    check(name, x, w, None, 1, True, of_largest=plain_tol)
    check(f'{name}_data_gradient', gy, w, in_shape, x, slope, of_largest=tol)
    check(f'{name}_data_gradient', gy, w, in_shape, of_largest=plain_tol)
    check(f'{name}_weight_gradient', x, gy, slope, of_largest=(tol, plain_tol))


@places('operation, shape, dtype, precision, slope', CASES, LARGE, host='cudnn')
def test_by_cudnn(request, check, operation, shape, dtype, precision, slope):
    tols = TOLERANCES[dtype], tolerance(dtype)
    if request.node.get_closest_marker('gpu'):
        tols = [2e-2 if dtype == BFLOAT16 else GPU_TOLERANCES[precision]] * 2
    with chainer.using_config('precision', precision):
        check_passes(check, operation, shape, dtype, slope, *tols)


@pytest.mark.parametrize('precision, dtype, filled', [('float32', FLOAT, 3), ('tf32', FLOAT, 4), ('tf32', BFLOAT16, 8)])
def test_channels_that_fill_reads_of_tensor_cores(precision, dtype, filled):
    with chainer.using_config('precision', precision):
        assert [convolution.filled(n, dtype) for n in (3, 8)] == [filled, 8]
        assert convolution.filled(1, dtype) == (1 if precision == 'float32' else filled)


@pytest.mark.parametrize('check', ['host'], indirect=True)
@pytest.mark.parametrize('operation, shape, dtype', every_operation([
    ((1, 5, 7, 3, 20), BFLOAT16), ((3, 9, 6, 10, 33), FLOAT), ((2, 1, 1, 1, 1), FLOAT)]), ids=ids)
def test_by_matrix_products(check, monkeypatch, capsys, operation, shape, dtype):
    convolution._say.cache_clear()
    monkeypatch.setattr(convolution, 'why_missing', lambda: 'cuDNN is away')
    monkeypatch.setattr(matrix_convolution, 'MOST_BYTES', 2000)  # so that images are taken in parts
    assert not convolution.capturable()
    check_passes(check, operation, shape, dtype, .2, TOLERANCES[dtype], tolerance(dtype))
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and said.startswith('cuDNN is away: ')


@pytest.mark.parametrize('check', ['cudnn'], indirect=True)
def test_what_cudnn_has_no_plan_for_is_a_matrix_product(check, cudnn, capsys):
    convolution._say.cache_clear()
    cudnn.refuses = 'No valid engine configs'
    x, w, bias, _ = OPERATIONS[1].arrays((2, 5, 7, 8, 8), FLOAT)
    check('convolution.convolution_3x3', x, w, bias, 1, True, of_largest=tolerance(FLOAT))
    said = capsys.readouterr().err
    assert said.count('\n') == 1 and 'cuDNN proposes no plan: fprop of images (2, 5, 7, 8)' in said


@pytest.mark.gpu
@pytest.mark.parametrize('dtype', [FLOAT, BFLOAT16], ids=str)
def test_nan_goes_through_a_joined_relu(dtype):
    """A training that diverges is to be noticed."""
    import cupy
    x, w, bias, _ = OPERATIONS[1].arrays((2, 8, 8, 16, 16), FLOAT)
    x[1] = np.nan
    x, w, bias = (cupy.asarray(a) for a in (x, w, bias))
    y = convolution.convolution_3x3(cast(x, dtype), w, bias, 1, True)
    assert cupy.isnan(cast(y, FLOAT)).any(axis=(1, 2, 3)).tolist() == [False, True]


@pytest.mark.parametrize('operation', OPERATIONS, ids=ids)
def test_arguments(host, cudnn, operation):
    """in_shape may be left out of even sizes; weights may be views, as of a spectrally normalized deconvolution."""
    x, w, _, gy = (host.array(a) for a in operation.arrays((2, 6, 4, 4, 5), FLOAT))
    forward, data_gradient, _ = operation.passes(convolution)
    gx, view = data_gradient(gy, w), np.ascontiguousarray(w.swapaxes(0, 1)).swapaxes(0, 1)
    assert gx.shape == x.shape
    np.testing.assert_array_equal(forward(x, view), forward(x, w))
    np.testing.assert_array_equal(data_gradient(gy, view), gx)
    with pytest.raises(ValueError, match='strides'):
        forward(x.swapaxes(1, 2), w)


@pytest.mark.parametrize('dtype, shape, is_packed', [
    (FLOAT, (2, 4, 4, 8, 8), False), (FLOAT, (2, 4, 4, 8, 6), True), (BFLOAT16, (2, 4, 4, 8, 8), True)])
def test_a_bias_is_packed_only_where_it_changes(host, cudnn, monkeypatch, dtype, shape, is_packed):
    n_packed = []

    def pack_weights(ws, *args, original=folding.pack_weights):
        n_packed.append(len(ws))
        return original(ws, *args)
    monkeypatch.setattr(folding, 'pack_weights', pack_weights)
    for operation in OPERATIONS:
        x, w, bias, _ = (host.array(a) for a in operation.arrays(shape, dtype))
        y = operation.passes(convolution)[0](x, w, bias)
        assert n_packed.pop() == 1 + is_packed and not n_packed
        assert_close(y, operation.passes(twins)[0](x, w, bias), dtype, max(tolerance(dtype), 1e-6))


@pytest.mark.parametrize('dtype, precision', [(FLOAT, 'float32'), (FLOAT, 'tf32'), (BFLOAT16, 'tf32')])
def test_prepared_together(host, cudnn, dtype, precision):
    """Weights and biases of all operations in one launch give the bits that each gives alone; twins copy theirs."""
    made = [(operation, *(host.array(a) for a in operation.arrays(shape, dtype)))
            for operation in OPERATIONS for shape in ((1, 5, 7, 3, 20), (2, 6, 4, 33, 3))]
    requests = [(one.name, w.copy(), bias if i % 3 else None) for i, (one, _, w, bias, _) in enumerate(made)]
    with chainer.using_config('precision', precision):
        host.launches.clear()
        pairs, copies = convolution.prepared(requests, dtype), twins.prepared(requests, dtype)
        assert host.launches == ['pack_weights']
        for _, w, _ in requests:
            w.fill(np.nan)  # is read no more
        for (operation, x, w, _, gy), (_, _, bias), pair, copied in zip(made, requests, pairs, copies, strict=True):
            forward, data_gradient, _ = operation.passes(convolution)
            host.launches.clear()
            y, gx = forward(x, *pair), data_gradient(gy, pair[0], x.shape[1:3])
            assert 'pack_weights' not in host.launches
            np.testing.assert_array_equal(y, forward(x, w, bias))
            np.testing.assert_array_equal(gx, data_gradient(gy, w, x.shape[1:3]))
            np.testing.assert_array_equal(copied[0], w)
            assert bias is None or np.array_equal(copied[1], bias)
