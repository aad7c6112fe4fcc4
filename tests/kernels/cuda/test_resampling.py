from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw, twin

import numpy as np
import pytest


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', [(1, 2, 2, 1), (2, 5, 3, 3), (2, 4, 6, 8), (1, 3, 2, 264), (3, 2, 9, 16)])
def test_on_host(host, shape, dtype):
    b, h, w, channels = shape
    check_everywhere(host, 'resampling', 'sum_2x2', draw(shape, dtype), .25, rtol=1e-6)
    for out_shape in ((2 * h, 2 * w), (2 * h + 1, 2 * w), (2 * h + 1, 2 * w + 1)):
        check_everywhere(host, 'resampling', 'repeat_2x2', draw(shape, dtype), 1., out_shape)


def test_against_closed_forms():
    x = draw((2, 4, 6, 3), np.float64)
    blocks = x.reshape(2, 2, 2, 3, 2, 3)
    np.testing.assert_allclose(twin('resampling', 'sum_2x2')(x, .25), blocks.mean((2, 4)), rtol=1e-12)
    np.testing.assert_array_equal(twin('resampling', 'repeat_2x2')(x, 1., (8, 12)), x.repeat(2, 1).repeat(2, 2))


@pytest.mark.parametrize('shape', [(2, 5, 7, 3), (1, 4, 4, 2)])
def test_transposes(shape):
    b, h, w, channels = shape
    x, y = draw(shape, np.float64), draw((b, h // 2, w // 2, channels), np.float64, 1)
    sums, repeated = twin('resampling', 'sum_2x2')(x, .3), twin('resampling', 'repeat_2x2')(y, .3, (h, w))
    np.testing.assert_allclose((sums * y).sum(), (x * repeated).sum(), rtol=1e-12)


@pytest.mark.parametrize('set_', ['cuda', 'reference'])
def test_refuses_shapes(host, set_):
    import importlib
    module = importlib.import_module(f'source.kernels.{set_}.resampling')
    with pytest.raises(ValueError, match=r'\(2, 3\) pixels .* \(4, 4\)'):
        module.repeat_2x2(draw((1, 2, 3, 1)), 1., (4, 4))
