from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw, twin
from tests.kernels.cuda.sources import BFLOAT16

import numpy as np
import pytest

SHAPES = [(1,), (7,), (8,), (2, 3, 5, 3), (1, 16, 9, 15), (3, 2, 2, 520)]


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('dtype', DTYPES)
class TestOnHost:

    def test_two_arrays(self, host, shape, dtype):
        a, b = draw(shape, dtype), draw(shape, dtype, 1)
        check_everywhere(host, 'elementwise', 'add', a, b)
        check_everywhere(host, 'elementwise', 'gate', a, b, .1)
        check_everywhere(host, 'elementwise', 'tanh_gradient', a, b)

    def test_one_array(self, host, shape, dtype):
        x = draw(shape, dtype)
        x.flat[0] = 0
        check_everywhere(host, 'elementwise', 'multiply', x, .3)
        check_everywhere(host, 'elementwise', 'activate', x, 0.)
        check_everywhere(host, 'elementwise', 'activate', x, .1)
        check_everywhere(host, 'elementwise', 'tanh', x)

    def test_cast(self, host, shape, dtype):
        for to in DTYPES:
            check_everywhere(host, 'elementwise', 'cast', draw(shape, dtype), to)


def test_cast_rounds_to_nearest_even(host):
    """Every pattern of the low bits about the middle, signs, and numbers that are too large."""
    bits = np.array([0x3f800000 + (i << 14) for i in range(12)] + [0x3f807fff, 0x3f808001, 0xbf808000, 0x7f7fffff, 1],
                    np.uint32)
    x = bits.view(np.float32)
    check_everywhere(host, 'elementwise', 'cast', x, BFLOAT16, rtol=0, atol=0)
    y = twin('elementwise', 'cast')(x, BFLOAT16)
    assert (np.abs(y[:-2].astype('d') - x[:-2]) <= 2. ** -8).all() and np.isinf(y[-2].astype('f'))


def test_nan(host):
    from source.kernels.cuda import elementwise
    x = np.full(9, np.nan, np.float32)
    assert np.isnan(elementwise.cast(x, BFLOAT16).astype(np.float32)).all()
    assert np.isnan(elementwise.activate(x, 0.)).all()


def test_against_closed_forms():
    x, g = draw((3, 4), np.float64), draw((3, 4), np.float64, 1)
    np.testing.assert_array_equal(twin('elementwise', 'activate')(x, 0.), np.maximum(x, 0))
    np.testing.assert_array_equal(twin('elementwise', 'gate')(g, x, .5), g * np.where(x > 0, 1, .5))
    y = twin('elementwise', 'tanh')(x)
    np.testing.assert_allclose(twin('elementwise', 'tanh_gradient')(g, y), g / np.cosh(x) ** 2, rtol=1e-12)


def test_refusals(host):
    from source.kernels.cuda import elementwise
    with pytest.raises(ValueError, match='one shape'):
        elementwise.add(draw((2, 3)), draw((3, 2)))
    with pytest.raises(TypeError, match='bfloat16'):
        elementwise.add(draw((2, 3)), draw((2, 3), BFLOAT16))
    with pytest.raises(ValueError, match='contiguous'):
        elementwise.tanh(draw((2, 3)).T)
    with pytest.raises(TypeError, match='float64'):
        elementwise.tanh(draw((2, 3), np.float64))
