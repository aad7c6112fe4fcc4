"""Every launcher against its twin, on the host and on a GPU: values, the same bits twice, arrays off 16 bytes."""
import itertools

from source.inception.resize import align_corners_coordinates, tf_coordinates
from source.kernels.adam_state import adam_state
from source.kernels.cuda import folding
from source.kernels.reference.noise import new_state
from source.kernels.reference.spectral_normalization import power_iterations
from tests.kernels.convolution_operations import BFLOAT16
from tests.kernels.cuda.both_sets import DTYPES, draw, places
from tests.kernels.cuda.sources import TABLES

import numpy as np
import pytest

# Single values; channels that fill 16 bytes and that do not, of one block and several; many pixels
SHAPES = [(1, 1, 1, 1), (2, 3, 5, 3), (3, 4, 4, 8), (1, 5, 1, 520), (5, 2, 2, 130), (2, 40, 9, 16)]
LARGE = [(3, 90, 70, 8), (64, 16, 16, 256), (16, 4, 4, 1024)]  # of many blocks, and those of the paper's networks
EPS = 2e-5


@places('shape', [(1, 1, 1, 7), (1, 1, 1, 8), *SHAPES], LARGE)
def test_passes_over_pixels(check, shape):
    b, h, w, channels = shape
    for dtype in DTYPES:
        x, g = draw(shape, dtype), draw(shape, dtype, 1)
        x.flat[0] = 0
        check('elementwise.add', x, g)
        check('elementwise.multiply', g, .3)
        check('elementwise.gate_and_add', g, x, g[::-1].copy(), .2)
        check('elementwise.tanh', g)
        check('elementwise.tanh_gradient', g, x)
        for to in DTYPES:
            check('elementwise.cast', g, to)
        for slope in (0., .1, 1.):
            check('elementwise.activate', x, slope)
            check('elementwise.gate', g, x, slope)
            check('pooling.sum_pixels', x, slope, .7, gpu_rtol=1e-5)
            check('pooling.sum_pixels_gradient', draw((b, channels)), x, slope, .7)
        for out_shape in ((2 * h, 2 * w), (2 * h + 1, 2 * w), (2 * h + 1, 2 * w + 1)):
            check('resampling.repeat_2x2', x, 1., out_shape)
        check('resampling.sum_2x2', x, .25, rtol=1e-6, gpu_rtol=2e-6)
        gw = draw((24, 4, 4, 16), dtype, 1)
        check('folding.unpack_gradients', gw, 'pooled', False, (20, 13, 3, 3), x, gpu_rtol=1e-5)


def clear_of_the_kink(x, gamma, beta, mean, inv_std, labels=None):
    """x with what would come out too near 0, where rounding decides about the ReLU, moved away."""
    gamma, beta = (p if labels is None else p[labels] for p in (gamma, beta))
    gamma, beta = (p if p.ndim == 1 else p[:, None, None] for p in (gamma, beta))
    a = gamma * inv_std * (x.astype('f') - mean) + beta
    return np.where(np.abs(a) < .02, x.astype('f') + .1 / (gamma * inv_std), x.astype('f')).astype(x.dtype)


@pytest.mark.parametrize('kind', ['channels', 'samples', 'labels'])
@places('shape', SHAPES, LARGE)
def test_normalization(check, kind, shape):
    channels = shape[3:]
    rows = {'channels': channels, 'samples': shape[:1] + channels, 'labels': (4, *channels)}[kind]
    gamma, beta = draw(rows, seed=1, shift=1.), draw(rows, seed=2)
    labels = [np.random.RandomState(3).randint(0, 4, shape[0]).astype(np.int32)] if kind == 'labels' else []
    parameters, end = (gamma, beta, *labels), '_categorical' if labels else ''
    running = draw(channels, seed=4), np.abs(draw(channels, seed=5))
    mean, inv_std = draw(channels, seed=4), np.abs(draw(channels, seed=5, shift=2.))
    for dtype, slope in zip(DTYPES, (.1, 0.), strict=True):
        x, gy = draw(shape, dtype, shift=.5), draw(shape, dtype, 6)
        for bias in (), (draw(channels, seed=7, shift=2.),):
            check(f'normalization.batch_normalize{end}', x, *parameters, *running, EPS, .9, slope, *bias, rtol=1e-5)
        check(f'normalization.fixed_batch_normalize{end}', x, *parameters, *running, EPS, slope, rtol=1e-5)
        if not labels:
            check('normalization.scale_shift', x, gamma, beta, .1)
        x = clear_of_the_kink(x, gamma, beta, mean, inv_std, *labels)
        for further_slope in (slope, 1.):
            check(f'normalization.batch_normalize{end}_gradient', x, gy, *parameters, mean, inv_std, further_slope,
                  rtol=1e-5, gpu_rtol=2e-5, atol=max(3e-5, 2 ** -26 * x[..., 0].size))  # sums of so many near 1


CARRIES = 2 ** 64 - 1, 2 ** 32 - 2


@places('state, shape, dtype, channels_last', [
    ((0, 0), (1, 1, 1, 2), np.float32, False), (CARRIES, (2, 3, 5, 7), BFLOAT16, True),
    ((12345678901, 2 ** 40 + 7), (3, 3, 32, 32), np.float32, True), (CARRIES, (1, 3, 3, 4), np.float32, False),
    ((5, 6), (3, 3, 32, 32), BFLOAT16, False)], [(CARRIES, (64, 3, 32, 31), np.float32, True)])
def test_noise(check, state, shape, dtype, channels_last):
    """The same bits, and the same state afterwards."""
    ims = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    ims.flat[:2] = 0, 255
    check('noise.dequantize', ims, new_state(*state), dtype, channels_last, rtol=0, atol=0)
    for n in (1, 4, 5, 1025, 5000):
        check('noise.uniform', new_state(*state), n, rtol=0, atol=0)


@places('kind', ['dcgan', 'hinge', 'wasserstein'])
def test_losses(check, kind):
    gloss = np.array(.7, np.float32)
    for n_fake, n_real in ((1, 1), (5, 3), (300, 257)):
        fake, real = draw((n_fake, 1)) * 3, draw((n_real, 1), seed=1) * 3
        check('losses.discriminator_loss', kind, fake, real)
        check('losses.discriminator_gradient', kind, gloss, fake, real, gpu_rtol=1e-5)
        check('losses.generator_loss', kind, fake)
        check('losses.generator_gradient', kind, gloss, fake, gpu_rtol=1e-5)
    # Softplus neither overflows nor loses small values; the hinge's corner has the derivative 0.
    z = np.array([[-200.], [-40.], [-1.], [0.], [1.], [40.], [200.]], np.float32)
    check('losses.discriminator_loss', kind, z, z)
    check('losses.discriminator_gradient', kind, gloss, z, z, gpu_rtol=1e-5, atol=1e-30)


@places('sizes', [(1, 1, 1), (5, 3, 7), (33, 50, 300), (70, 2, 256)], [(64, 10, 128), (70, 1000, 1024)])
def test_embedding(check, sizes):
    b, n_cat, channels = sizes
    W, h = draw((n_cat, channels)), draw((b, channels), seed=1)
    labels = np.random.RandomState(2).randint(0, n_cat, b).astype(np.int32)
    check('embedding.lookup', W, labels, rtol=0)
    check('embedding.lookup_gradient', h, labels, n_cat)
    check('embedding.project', h, W, labels, gpu_rtol=1e-5)
    check('embedding.project_gradient', draw((b, 1), seed=3), h, W, labels)


@places('sizes', [(1, 1, 1), (3, 70, 1), (5, 33, 9), (70, 20, 130), (2, 128, 64)])
def test_linear(check, sizes):
    b, n_in, n_out = sizes
    w, bias = draw((n_out, n_in), seed=2), draw((n_out,), seed=3)
    for x_dtype in DTYPES:
        for y_dtype in DTYPES:
            x, gy = draw((b, n_in), x_dtype), draw((b, n_out), y_dtype, 1)
            check('linear.linear', x, w, bias, dtype=y_dtype)
            check('linear.linear', x, w)
            check('linear.linear_data_gradient', gy, w, dtype=x_dtype)
            check('linear.linear_weight_gradient', x, gy)


# Rows of one block and of several, columns that fill 16 bytes and that do not, the thinnest, one of two segments.
MATRICES = [(5, 8), (1, 1), (1, 300), (300, 1), (33, 70), (260, 31), (64, 27), (70, 132), (40, 128), (3, 4100)]
MANY = [(2 + i % 3, 4 + i % 5) for i in range(90)]


@places('shapes', [*([shape] for shape in MATRICES), MATRICES, MANY], [[(128, 1152), (1024, 4608)] + MANY])
def test_spectral_normalization(check, shapes):
    Ws = [draw(shape, seed=i) for i, shape in enumerate(shapes)]
    us = [draw((1, shape[0]), seed=i + 50) for i, shape in enumerate(shapes)]
    gW_bars, factors = [draw(shape, seed=i + 100) for i, shape in enumerate(shapes)], [1., .5, 2.5] * len(shapes)
    for Ip in (1, 2):
        check('spectral_normalization.power_iterations', Ws, us, Ip, rtol=1e-5, gpu_rtol=3e-5)
    check('spectral_normalization.store', us, [u[:, ::-1].copy() for u in us], rtol=0)
    us, vs, sigmas = power_iterations(Ws, us, 2)
    filters = [W.reshape(*W.shape, 1, 1) for W in Ws]
    for dtype in DTYPES:
        check('spectral_normalization.normalized', filters, sigmas, factors[:len(Ws)], dtype)
    check('spectral_normalization.gradients', Ws, gW_bars, us, vs, sigmas, factors[:len(Ws)],
          rtol=1e-5 if shapes != MANY else 1e-4, gpu_rtol=1e-4)


def test_tables_hold_less_than_many_and_fit_into_parameters():
    for table in TABLES.values():
        assert table.capacity < len(MANY) and table.dtype.itemsize + 8 * 8 <= 4096


PARAMETERS = [(1,), (3, 5), (16, 4, 3, 3), (4096,), (4097,), (3, 4099), ()]


@places('beta1, beta2, t, shapes', [
    (0., .9, 0, PARAMETERS), (.5, .999, 3, PARAMETERS), (.9, .999, 100_000, PARAMETERS), (.9, .999, 0, MANY)])
def test_adam(check, beta1, beta2, t, shapes):
    """Also of more parameters than a table holds, and with further gradients of some."""
    params, grads, ms, further = ([np.asarray(draw(shape, seed=i + 100 * k), 'f') for i, shape in enumerate(shapes)]
                                  for k in range(4))
    vs, further[::3] = [np.asarray(np.square(g)) for g in grads], [None] * len(further[::3])
    for more in (None, further):
        check('adam.update', params, grads, ms, vs, adam_state(2e-4, beta1, beta2, 1e-8, t), more)


KINDS = [(1, None), (3, None), (4, None), (3, 'pooled'), (3, 'upsampled')]
WEIGHTS = [(False, 3, 130, (8, 136)), (True, 5, 1, (5, 1)), (True, 130, 3, (136, 4)), (False, 1, 300, (4, 301))]


@places('dtype', DTYPES)
def test_packing(check, dtype):
    """Weights of all kinds and sizes alone and in one launch, more than a table holds in two; biases; gradients."""
    n = folding._TABLE.capacity + 2
    together = [(draw((1 + i % 3, 2, 1, 1), seed=i), None, False, (3, 2)) for i in range(n)]
    for (k, tap), (swap, n_out, n_in, channels) in itertools.product(KINDS, WEIGHTS):
        w = draw((n_in, n_out, k, k) if swap else (n_out, n_in, k, k), seed=len(together))
        together.append((w, tap, swap, channels))
        check('folding.pack_weights', [w], [tap], [swap], [channels], dtype)
        g = draw((channels[0], *[4 if tap else k] * 2, channels[1]), dtype)
        check('folding.unpack_gradients', g, tap, swap, w.shape, draw((2, 5, 3, 6), dtype, 1))
    check('folding.pack_weights', *map(list, zip(*together)), dtype)
    for shape in ((2, 3, 5, 3), (1, 1, 1, 40), (7, 8)):
        x, bias = draw(shape, dtype), draw(shape[-1:])
        for n_channels in (1, shape[-1], shape[-1] + 5):
            check('folding.with_channels', x, n_channels)
        check('folding.pack_bias', bias, dtype, shape[-1] + 3)
        check('folding.add_bias', x, bias.astype(dtype))


@places('shape', [(2, 5, 4), (1, 1, 3), (3, 7, 1)], [(8, 32, 32)])
def test_windows(check, shape):
    for dtype, channels in zip(DTYPES, (4, 8), strict=True):
        check('few_channels.windows', draw((*shape, channels), dtype), rtol=0)
        shares = draw((*shape, 9 * channels), dtype)
        for bias in (), (draw((channels,), dtype, 1),):
            check('few_channels.sum_windows', shares, *bias)


@places('function', [tf_coordinates, align_corners_coordinates])
def test_resize(check, function):
    ims = np.floor(draw((2, 3, 5, 7)) * 50 + 128).astype(np.float32)
    rows, columns = ([a.astype(np.int64) if a.dtype.kind == 'i' else a for a in function(extent, size)]
                     for extent, size in ((5, 11), (7, 4)))
    for channels in (3, 4):
        check('inference.resize', ims, rows, columns, -128., .0078125, channels, rtol=0, atol=1e-6)


@places('channels, first', [(3, 0), (3, 2), (16, 8), (16, 3)])
def test_pooling_into_some_channels(check, channels, first):
    for dtype in DTYPES:
        x = draw((2, 7, 6, channels), dtype)
        for stride, pad in ((1, 1), (2, 0)):
            rows, columns = ((extent + 2 * pad - 3) // stride + 1 for extent in x.shape[1:3])
            y = draw((2, rows, columns, channels + 8), dtype, 1)
            check('inference.max_3x3', x, stride, pad, y, first)
        for counts_padding in (False, True):
            check('inference.average_3x3', x, counts_padding, draw((2, 7, 6, channels + 8), dtype, 1), first)
