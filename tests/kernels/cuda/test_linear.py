from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw

import numpy as np
import pytest

SHAPES = [(1, 1, 1), (3, 70, 1), (5, 33, 9), (70, 20, 130), (2, 128, 64)]  # batch, in, out


@pytest.mark.parametrize('x_dtype', DTYPES)
@pytest.mark.parametrize('y_dtype', DTYPES)
@pytest.mark.parametrize('b, i, o', SHAPES)
def test_passes(host, b, i, o, x_dtype, y_dtype):
    x, gy, w, bias = draw((b, i), x_dtype), draw((b, o), y_dtype, 1), draw((o, i), seed=2), draw((o,), seed=3)
    check_everywhere(host, 'linear', 'linear', x, w, bias, dtype=y_dtype)
    check_everywhere(host, 'linear', 'linear', x, w)
    check_everywhere(host, 'linear', 'linear_data_gradient', gy, w, dtype=x_dtype)
    check_everywhere(host, 'linear', 'linear_weight_gradient', x, gy)


def test_refusals(host):
    from source.kernels.cuda.linear import linear
    with pytest.raises(ValueError, match=r'\(3, 4\).*\(2, 5\)'):
        linear(draw((2, 5)), draw((3, 4)))
    with pytest.raises(ValueError, match='strides'):
        linear(draw((5, 2)).T, draw((3, 5)))


def test_few_outputs_take_the_kernel_of_dots(host):
    from source.kernels.cuda.linear import linear
    linear(draw((2, 5)), draw((1, 5)))
    assert host.launches == ['dots_ff']
    assert np.isfinite(linear(draw((2, 5)), draw((9, 5)))).all() and host.launches[1:] == ['product_fff']
