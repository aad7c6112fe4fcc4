"""The CUDA kernels on a GPU: each launcher against its twin, the same bits twice, and from a captured graph."""
from source.kernels.adam_state import adam_state
from tests.kernels.cuda.both_sets import DTYPES, Runner, check, draw, flat, twin
from tests.kernels.cuda.test_noise import draw_images
from tests.kernels.cuda.test_normalization import EPS, KINDS, clear_of_the_kink, draw_parameters, names

import numpy as np
import pytest

pytestmark = pytest.mark.gpu
# Small odd ones, one of many blocks, and those of the paper's networks.
SHAPES = [(1, 1, 1, 1), (2, 3, 5, 3), (5, 7, 3, 130), (3, 90, 70, 8), (64, 16, 16, 256), (16, 4, 4, 1024)]


def check_on_gpu(module, name, *args, **kwargs):
    cupy = pytest.importorskip('cupy')
    first, second = (check(Runner(cupy), module, name, *args, **kwargs) for _ in range(2))
    for a, b in zip(flat(first), flat(second), strict=True):
        assert a.tobytes() == b.tobytes(), f'{name} gives other bits the second time'
    check(Runner(cupy, misaligned=True), module, name, *args, **kwargs)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', SHAPES)
class TestActivations:

    def test_elementwise(self, shape, dtype):
        a, b = draw(shape, dtype), draw(shape, dtype, 1)
        check_on_gpu('elementwise', 'add', a, b)
        check_on_gpu('elementwise', 'multiply', a, .3)
        check_on_gpu('elementwise', 'activate', a, .1)
        check_on_gpu('elementwise', 'gate', a, b, 0.)
        check_on_gpu('elementwise', 'tanh', a)
        check_on_gpu('elementwise', 'tanh_gradient', a, b)
        for to in DTYPES:
            check_on_gpu('elementwise', 'cast', a, to)

    def test_resampling(self, shape, dtype):
        x = draw(shape, dtype)
        if min(shape[1:3]) > 1:
            check_on_gpu('resampling', 'sum_2x2', x, .25)
        check_on_gpu('resampling', 'repeat_2x2', x, 1., (2 * shape[1], 2 * shape[2] + 1))

    def test_sums(self, shape, dtype):
        x = draw(shape, dtype)
        check_on_gpu('pooling', 'sum_pixels', x, 0., rtol=1e-5)
        check_on_gpu('pooling', 'sum_pixels_gradient', draw((shape[0], shape[3])), x, 0.)
        g = draw((24, 4, 4, 16), dtype, 1)
        check_on_gpu('folding', 'unpack_gradients', g, 'pooled', False, (20, 13, 3, 3), x, rtol=1e-5)

    @pytest.mark.parametrize('kind', KINDS)
    def test_normalization(self, kind, shape, dtype):
        x, (gamma, beta, *labels) = draw(shape, dtype, shift=.5), draw_parameters(kind, shape)
        running = draw(shape[3:], seed=4), np.abs(draw(shape[3:], seed=5))
        forward, fixed, backward = names(kind)
        check_on_gpu('normalization', forward, x, gamma, beta, *labels, *running, EPS, .9, 0., rtol=1e-5)
        check_on_gpu('normalization', fixed, x, gamma, beta, *labels, *running, EPS, .1, rtol=1e-5)
        mean, inv_std = draw(shape[3:], seed=4), np.abs(draw(shape[3:], seed=5, shift=2.))
        x = clear_of_the_kink(x, gamma, beta, mean, inv_std, *labels)
        check_on_gpu('normalization', backward, x, draw(shape, dtype, 6), gamma, beta, *labels, mean, inv_std, 0.,
                     rtol=2e-5)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('channels_last', [False, True])
def test_noise(dtype, channels_last):
    for state in ((0, 0), (2 ** 64 - 1, 2 ** 32 - 2)):
        check_on_gpu('noise', 'dequantize', draw_images((64, 3, 32, 31)), twin('noise', 'new_state')(*state), dtype,
                     channels_last, rtol=0, atol=0)


@pytest.mark.parametrize('kind', ['dcgan', 'hinge', 'wasserstein'])
def test_losses(kind):
    fake, real, gloss = draw((300, 1)) * 3, draw((257, 1), seed=1) * 3, np.array(.7, np.float32)
    check_on_gpu('losses', 'discriminator_loss', kind, fake, real)
    check_on_gpu('losses', 'discriminator_gradient', kind, gloss, fake, real, rtol=1e-5)
    check_on_gpu('losses', 'generator_loss', kind, fake)
    check_on_gpu('losses', 'generator_gradient', kind, gloss, fake, rtol=1e-5)


@pytest.mark.parametrize('b, n_cat, channels', [(5, 3, 7), (64, 10, 128), (70, 1000, 1024)])
def test_embedding(b, n_cat, channels):
    W, h = draw((n_cat, channels)), draw((b, channels), seed=1)
    labels = np.random.RandomState(2).randint(0, n_cat, b).astype(np.int32)
    check_on_gpu('embedding', 'lookup', W, labels, rtol=0)
    check_on_gpu('embedding', 'lookup_gradient', h, labels, n_cat)
    check_on_gpu('embedding', 'project', h, W, labels, rtol=1e-5)
    check_on_gpu('embedding', 'project_gradient', draw((b, 1), seed=3), h, W, labels)


MATRICES = [(5, 8), (1, 1), (300, 1), (64, 27), (33, 70), (128, 1152), (1, 128), (1024, 4608)] + [(4, 6)] * 80


def test_spectral_normalization():
    Ws = [draw(shape, seed=i) for i, shape in enumerate(MATRICES)]
    us = [draw((1, shape[0]), seed=i + 200) for i, shape in enumerate(MATRICES)]
    check_on_gpu('spectral_normalization', 'power_iterations', Ws, us, 2, rtol=3e-5)
    check_on_gpu('spectral_normalization', 'store', us, [u[:, ::-1].copy() for u in us], rtol=0)
    us, vs, sigmas = twin('spectral_normalization', 'power_iterations')(Ws, us, 2)
    factors = [1., .5] * (len(Ws) // 2)
    for dtype in DTYPES:
        check_on_gpu('spectral_normalization', 'normalized', Ws, sigmas, factors, dtype)
    gW_bars = [draw(W.shape, seed=i + 400) for i, W in enumerate(Ws)]
    check_on_gpu('spectral_normalization', 'gradients', Ws, gW_bars, us, vs, sigmas, factors, rtol=1e-4)


@pytest.mark.parametrize('t', [0, 100_000])
def test_adam(t):
    params, grads, ms = ([draw(shape, seed=i + 100 * k) for i, shape in enumerate(MATRICES)] for k in range(3))
    vs = [np.square(draw(shape, seed=i + 900)) for i, shape in enumerate(MATRICES)]
    further = [draw(shape, seed=i + 1300) if i % 2 else None for i, shape in enumerate(MATRICES)]
    for more in (None, further):
        check_on_gpu('adam', 'update', params, grads, ms, vs, adam_state(2e-4, .5, .999, 1e-8, t), more)


@pytest.mark.parametrize('dtype', DTYPES)
def test_packing(dtype):
    """Of all kinds of weights, small and large, and of a bias."""
    kinds = [(1, None, False), (3, None, True), (4, None, False), (3, 'pooled', False), (3, 'upsampled', True)]
    shapes = [(k, tap, swap, size) for k, tap, swap in kinds for size in ((3, 130), (256, 128), (5, 1))]
    ws = [draw((*size, k, k), seed=i) for i, (k, _, _, size) in enumerate(shapes)] + [draw((1, 130, 1, 1))]
    taps, swaps = [tap for _, tap, _, _ in shapes] + [None], [swap for _, _, swap, _ in shapes] + [False]
    channels = [(w.shape[swap] + 3, w.shape[1 - swap] + 2) for w, swap in zip(ws[:-1], swaps)] + [(1, 136)]
    check_on_gpu('folding', 'pack_weights', ws, taps, swaps, channels, dtype)


def test_captured():
    """A graph of kernels that count blocks, draw and take tables by value does, replayed, what they do when called."""
    cupy = pytest.importorskip('cupy')
    from source.kernels.cuda import adam, folding, noise
    from source.kernels.cuda import spectral_normalization as module
    ims, W, u = cupy.array(draw_images((8, 3, 16, 16))), cupy.array(draw((64, 72))), cupy.array(draw((1, 64)))
    filters = cupy.array(draw((8, 3, 3, 8)))

    def start():
        return {'noise': cupy.array(noise.new_state(3)), 'adam': cupy.array(adam_state(1e-3, .5, .9, 1e-8)),
                'param': W.copy(), 'm': cupy.zeros_like(W), 'v': cupy.zeros_like(W), 'u': u.copy(),
                'sums': cupy.zeros(3, np.float32)}

    def step(s):
        x = noise.dequantize(ims, s['noise'])
        _, s['sums'][...] = folding.unpack_gradients(filters, None, False, (8, 8, 3, 3), x)
        us, vs, sigmas = module.power_iterations([s['param']], [s['u']])
        s['u'][...] = us[0]
        gW, = module.gradients([s['param']], [W], us, vs, sigmas, [1.])
        adam.update([s['param']], [gW], [s['m']], [s['v']], s['adam'])

    pool, stream = cupy.cuda.MemoryPool(), cupy.cuda.Stream(non_blocking=True)
    with stream, cupy.cuda.using_allocator(pool.malloc):
        called, captured = start(), start()
        for _ in range(5):
            step(called)
        step(captured)
        stream.begin_capture()
        step(captured)
        graph = stream.end_capture()
        for _ in range(4):
            graph.launch(stream)
        stream.synchronize()
        for name in called:
            np.testing.assert_array_equal(captured[name].get(), called[name].get(), err_msg=name)
