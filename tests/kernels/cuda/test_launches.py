"""How often launchers launch, and numbers that are easily lost: NaN, ties, large means, zeros."""
from source.kernels.adam_state import adam_state
from source.kernels.cuda import adam, elementwise, folding, inference, launching, linear, normalization
from source.kernels.cuda import spectral_normalization as spectral
from tests.kernels.convolution_operations import BFLOAT16
from tests.kernels.cuda.both_sets import draw

import numpy as np
import pytest

ON_HOST = pytest.mark.parametrize('check', ['host'], indirect=True)


def test_launches(host):
    """Normalization's two forward, two backward and one more for tables; joint passes' for each table alone."""
    x, gammas, running = draw((3, 16, 20, 68)), draw((4, 68)), (np.zeros(68, 'f'), np.ones(68, 'f'))
    labels, W, h = np.int32([3, 0, 3]), draw((5, 8)), draw((3, 8))
    _, mean, inv_std = normalization.batch_normalize_categorical(x, gammas, gammas, labels, *running, 2e-5, .9, 0.)
    normalization.batch_normalize_categorical_gradient(x, x, gammas, gammas, labels, mean, inv_std, 0.)
    us, vs, sigmas = spectral.power_iterations([W] * 3, [draw((1, 5))] * 3, 2)
    spectral.store([draw((1, 5))] * 3, us)
    spectral.normalized([W] * 3, sigmas, [1.] * 3)
    spectral.gradients([W] * 3, [W] * 3, us, vs, sigmas, [1.] * 3)
    adam.update([draw((3, 4))] * 3, *([[draw((3, 4))] * 3] * 3), adam_state(2e-4, .5, .9, 1e-8))
    linear.linear(h, draw((8, 8)))
    linear.linear(h, draw((9, 8)))
    for n in (3, folding._TABLE.capacity + 2):
        folding.pack_weights([draw((1, 1, 1, 1))] * n, [None] * n, [False] * n, [(1, 1)] * n, np.float32)
    assert host.launches == [
        'statistics', 'normalize', 'gradient_sums', 'table_gradients', 'gradient', *['columns_dot', 'rows_dot'] * 2,
        *['normalized'] * 2, 'inner_products', 'gradients', 'advance', 'update', 'dots_ff', 'product_fff',
        *['pack_weights'] * 3]


@ON_HOST
def test_sum_of_many_blocks(check):
    """As many parts as there may be, of more rows than a thread reads at once."""
    check('folding.unpack_gradients', draw((2, 3, 3, 4)), None, False, (2, 3, 3, 3), draw((1, 4100, 9, 4)))
    (parts, _), _, per_part = launching.rows_split(4100 * 9, 4, 4)
    assert (parts - 1) * per_part < 4100 * 9 <= parts * per_part
    assert launching.MOST_BLOCKS / 2 < launching.rows_split(10 ** 6, 64, 4)[0][0] <= launching.MOST_BLOCKS
    assert launching.rows_split(10 ** 6, 64 * 1000, 4)[0] == (1, 1000)


@ON_HOST
def test_cast_rounds_to_nearest_even(check):
    """Every pattern of the low bits about the middle, signs, and numbers that are too large."""
    bits = np.array([0x3f800000 + (i << 14) for i in range(12)] + [0x3f807fff, 0x3f808001, 0xbf808000, 0x7f7fffff, 1],
                    np.uint32)
    check('elementwise.cast', bits.view(np.float32), BFLOAT16, rtol=0, atol=0)


def test_nan_is_not_hidden_nor_made(host):
    """By a matrix of zeros."""
    nan, y, x = np.full(9, np.nan, np.float32), draw((1, 1, 1, 4)), draw((1, 3, 3, 4))
    assert np.isnan(elementwise.cast(nan, BFLOAT16).astype(np.float32)).all()
    assert np.isnan(elementwise.activate(nan, 0.)).all()
    x[0, 2, 2, 1] = np.nan
    inference.max_3x3(host.array(x), 2, 0, y, 0)
    assert np.isnan(y[0, 0, 0]).tolist() == [False, True, False, False]
    us, vs, sigmas = spectral.power_iterations([np.zeros((2, 3), 'f')], [np.ones((1, 2), 'f')])
    assert not us[0].any() and not vs[0].any() and sigmas[0] == 0


def test_statistics(host):
    """Digits are kept where the mean is a thousand deviations away; the variance of one value is 0, as Chainer's is."""
    x, (zeros, mean), (ones, var) = draw((4, 8, 8, 8), shift=1000.), np.zeros((2, 8), 'f'), np.ones((2, 8), 'f')
    _, mean, inv_std = normalization.batch_normalize(x, ones, zeros, mean, var, 2e-5, .9, 1.)
    np.testing.assert_allclose(mean, x.mean((0, 1, 2), dtype='d'), rtol=1e-7)
    np.testing.assert_allclose(inv_std, 1 / np.sqrt(x.var((0, 1, 2), dtype='d') + 2e-5), rtol=1e-5)
    mean, var = np.zeros(8, 'f'), np.ones(8, 'f')
    y, _, _ = normalization.batch_normalize(draw((1, 1, 1, 8)), ones, zeros, mean, var, 2e-5, .9, 1.)
    np.testing.assert_allclose(y, 0, atol=1e-6)
    np.testing.assert_allclose(var, .9, rtol=1e-6)
