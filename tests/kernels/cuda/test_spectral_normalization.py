from source.functions.spectral_normalization import spectral_normalization
from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw, twin

import chainer
import numpy as np
import pytest

# Rows of one block and of several, columns that fill 16 bytes and that do not, the thinnest, one of two segments.
SHAPES = [(5, 8), (1, 1), (1, 300), (300, 1), (33, 70), (260, 31), (64, 27), (70, 132), (40, 128), (3, 4100)]


def draw_matrices(shapes=SHAPES, dtype=np.float32):
    return ([draw(shape, dtype, i) for i, shape in enumerate(shapes)],
            [draw((1, shape[0]), dtype, i + 50) for i, shape in enumerate(shapes)])


def vectors_of(Ws, us):
    return twin('spectral_normalization', 'power_iterations')(Ws, us, 2)


FACTORS = [1., .5, 2.5] * 30


@pytest.mark.parametrize('Ip', [1, 2])
def test_power_iterations_on_host(host, Ip):
    check_everywhere(host, 'spectral_normalization', 'power_iterations', *draw_matrices(), Ip, rtol=1e-5)
    assert host.launches == ['columns_dot', 'rows_dot'] * Ip * 3


def test_power_iterations_on_host_of_one(host):
    for shape in SHAPES:
        check_everywhere(host, 'spectral_normalization', 'power_iterations', *draw_matrices([shape]), rtol=1e-5)


@pytest.mark.parametrize('dtype', DTYPES)
def test_normalized_on_host(host, dtype):
    Ws, us = draw_matrices()
    _, _, sigmas = vectors_of(Ws, us)
    Ws = [W.reshape(*W.shape[:1], -1, 1, 1) for W in Ws]
    check_everywhere(host, 'spectral_normalization', 'normalized', Ws, sigmas, FACTORS[:len(Ws)], dtype)
    assert host.launches == ['normalized'] * 3


def test_store_on_host(host):
    """Of one segment, of several, and of ones that do not fill 16 bytes."""
    sizes = [(1, 1), (1, 5), (1, 64), (1, 4096), (1, 4101)]
    check_everywhere(host, 'spectral_normalization', 'store', [draw(size) for size in sizes],
                     [draw(size, seed=i + 9) for i, size in enumerate(sizes)], rtol=0)
    assert host.launches == ['normalized'] * 3


def test_gradients_on_host(host):
    Ws, us = draw_matrices()
    us, vs, sigmas = vectors_of(Ws, us)
    gW_bars = [draw(W.shape, seed=i + 100) for i, W in enumerate(Ws)]
    check_everywhere(host, 'spectral_normalization', 'gradients', Ws, gW_bars, us, vs, sigmas, FACTORS[:len(Ws)],
                     rtol=1e-5)
    assert host.launches == ['inner_products', 'gradients'] * 3


def test_more_layers_than_a_table_holds(host):
    from source.kernels.cuda import spectral_normalization as module
    shapes = [(2 + i % 3, 4 + i % 5) for i in range(90)]
    assert module._ROUNDS.capacity < len(shapes) and module._ROUNDS.dtype.itemsize <= 4000
    assert module._PASSES.capacity < len(shapes) and module._PASSES.dtype.itemsize <= 4000
    Ws, us = draw_matrices(shapes)
    check_everywhere(host, 'spectral_normalization', 'power_iterations', Ws, us, 2, rtol=1e-5)
    us, vs, sigmas = vectors_of(Ws, us)
    check_everywhere(host, 'spectral_normalization', 'normalized', Ws, sigmas, FACTORS)
    check_everywhere(host, 'spectral_normalization', 'gradients', Ws, Ws, us, vs, sigmas, FACTORS, rtol=1e-4)


def test_zero_matrix_on_host(host):
    from source.kernels.cuda import spectral_normalization
    us, vs, sigmas = spectral_normalization.power_iterations([np.zeros((2, 3), 'f')], [np.ones((1, 2), 'f')])
    assert not us[0].any() and not vs[0].any() and sigmas[0] == 0


def test_converges_to_the_singular_vectors():
    Ws, us = draw_matrices([(6, 9), (12, 5)], np.float64)
    us, vs, sigmas = twin('spectral_normalization', 'power_iterations')(Ws, us, 3000)
    for W, u, v, sigma in zip(Ws, us, vs, sigmas, strict=True):
        U, S, Vt = np.linalg.svd(W)
        np.testing.assert_allclose(sigma, S[0], rtol=1e-10)
        np.testing.assert_allclose(np.abs([u[0] @ U[:, 0], v[0] @ Vt[0]]), 1, rtol=1e-8)
    W_bars = twin('spectral_normalization', 'normalized')(Ws, sigmas, [1., .5])
    np.testing.assert_allclose([np.linalg.norm(W, 2) for W in W_bars], [1, .5], rtol=1e-10)


def test_twin_gradients_against_function():
    """Those of `source.functions.spectral_normalization`, which its own test holds to eq. 10."""
    Ws, us = draw_matrices([(6, 9), (12, 5)], np.float64)
    us, vs, sigmas = vectors_of(Ws, us)
    gW_bars = [draw(W.shape, np.float64, 7) for W in Ws]
    actual = twin('spectral_normalization', 'gradients')(Ws, gW_bars, us, vs, sigmas, [1., .5])
    for gW, W, g, u, v, sigma, factor in zip(actual, Ws, gW_bars, us, vs, sigmas, [1., .5], strict=True):
        W = chainer.Variable(W)
        W_bar = spectral_normalization(W, u, v, factor, sigma)
        W_bar.grad = g
        W_bar.backward()
        np.testing.assert_allclose(gW, W.grad, rtol=1e-10, atol=1e-12)


def test_refusals(host):
    from source.kernels.cuda import spectral_normalization
    (W,), (u,) = draw_matrices([(3, 4)])
    with pytest.raises(ValueError, match=r'\(1, d_out\), got \(3, 4\) and \(1, 4\)'):
        spectral_normalization.power_iterations([W], [draw((1, 4))])
    with pytest.raises(ValueError, match='contiguous'):
        spectral_normalization.power_iterations([draw((4, 3)).T], [u])
    with pytest.raises(TypeError, match='float64'):
        spectral_normalization.normalized([draw((4, 3), np.float64)], np.ones(1, 'f'), [1.])
    with pytest.raises(ValueError, match='do not belong together'):
        spectral_normalization.gradients([W], [W], [u], [draw((1, 5))], np.ones(1, 'f'), [1.])
