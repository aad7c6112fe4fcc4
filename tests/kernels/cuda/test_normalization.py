from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw, twin

import chainer.functions as F
import numpy as np
import pytest
from chainer import gradient_check

EPS = 2e-5
SHAPES = [(1, 1, 1, 1), (2, 3, 5, 3), (3, 4, 4, 8), (2, 7, 3, 72), (5, 2, 2, 130), (2, 40, 9, 16)]
KINDS = ['channels', 'samples', 'labels']
N_CAT = 4


def draw_parameters(kind, shape, dtype=np.float32):
    """gamma, beta and what goes with them."""
    b, channels = shape[0], shape[3]
    rows = {'channels': (channels,), 'samples': (b, channels), 'labels': (N_CAT, channels)}[kind]
    labels = np.random.RandomState(3).randint(0, N_CAT, b).astype(np.int32)
    return draw(rows, dtype, 1, 1.), draw(rows, dtype, 2), *([labels] if kind == 'labels' else [])


def names(kind):
    return [name + ('_categorical' if kind == 'labels' else '') + end
            for name, end in (('batch_normalize', ''), ('fixed_batch_normalize', ''), ('batch_normalize', '_gradient'))]


def clear_of_the_kink(x, gamma, beta, mean, inv_std, labels=None):
    """x with what would come out too near 0, where rounding decides about the ReLU, moved away."""
    gamma, beta = (p if labels is None else p[labels] for p in (gamma, beta))
    gamma, beta = (p if p.ndim == 1 else p[:, None, None] for p in (gamma, beta))
    a = gamma * inv_std * (x.astype('f') - mean) + beta
    return np.where(np.abs(a) < .02, x.astype('f') + .1 / (gamma * inv_std), x.astype('f')).astype(x.dtype)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize('kind', KINDS)
class TestOnHost:

    def test_forward(self, host, kind, shape, dtype):
        x, parameters = draw(shape, dtype, shift=.5), draw_parameters(kind, shape)
        running = draw(shape[3:], seed=4), np.abs(draw(shape[3:], seed=5))
        name, fixed, _ = names(kind)
        for slope in (0., .1, 1.):
            check_everywhere(host, 'normalization', name, x, *parameters, *running, EPS, .9, slope, rtol=1e-5)
        check_everywhere(host, 'normalization', fixed, x, *parameters, *running, EPS, 0., rtol=1e-5)
        if kind != 'labels':
            check_everywhere(host, 'normalization', 'scale_shift', x, *parameters, .1)

    def test_gradient(self, host, kind, shape, dtype):
        gamma, beta, *labels = draw_parameters(kind, shape)
        mean, inv_std = draw(shape[3:], seed=4), np.abs(draw(shape[3:], seed=5, shift=2.))
        x = clear_of_the_kink(draw(shape, dtype, shift=.5), gamma, beta, mean, inv_std, *labels)
        gy = draw(shape, dtype, 6)
        for slope in (0., 1.):
            check_everywhere(host, 'normalization', names(kind)[2], x, gy, gamma, beta, *labels, mean, inv_std, slope,
                             rtol=1e-5, atol=3e-5)


def test_launches(host):
    """Two forward, two backward and one more for tables, whatever the size."""
    from source.kernels.cuda import normalization
    x, running = draw((3, 16, 20, 68)), (np.zeros(68, 'f'), np.ones(68, 'f'))
    gammas, betas, labels = draw_parameters('labels', x.shape)
    _, mean, inv_std = normalization.batch_normalize_categorical(x, gammas, betas, labels, *running, EPS, .9, 0.)
    normalization.batch_normalize_categorical_gradient(x, x, gammas, betas, labels, mean, inv_std, 0.)
    assert host.launches == ['statistics', 'normalize', 'gradient_sums', 'table_gradients', 'gradient']


def test_statistics_keep_their_digits(host):
    """Where the mean is a thousand standard deviations away."""
    x = draw((4, 8, 8, 8), shift=1000.)
    from source.kernels.cuda import normalization
    running = np.zeros(8, 'f'), np.ones(8, 'f')
    _, mean, inv_std = normalization.batch_normalize(x, np.ones(8, 'f'), np.zeros(8, 'f'), *running, EPS, .9, 1.)
    np.testing.assert_allclose(mean, x.mean((0, 1, 2), dtype='d'), rtol=1e-7)
    np.testing.assert_allclose(inv_std, 1 / np.sqrt(x.var((0, 1, 2), dtype='d') + EPS), rtol=1e-5)


def test_one_value(host):
    """The unbiased variance of a single value is taken as its biased one, 0, as Chainer does."""
    from source.kernels.cuda import normalization
    running = np.zeros(4, 'f'), np.ones(4, 'f')
    x, gamma, beta = draw((1, 1, 1, 4)), np.ones(4, 'f'), np.zeros(4, 'f')
    y, _, _ = normalization.batch_normalize(x, gamma, beta, *running, EPS, .9, 1.)
    np.testing.assert_allclose(y, 0, atol=1e-6)
    np.testing.assert_allclose(running[1], .9, rtol=1e-6)


def chainers(x, gamma, beta, running=None, decay=.9, slope=0., labels=None):
    """The same by Chainer's functions of (B, C, H, W)."""
    gamma, beta = (F.embed_id(labels, p) if labels is not None else p for p in (gamma, beta))
    x = F.transpose(x, (0, 3, 1, 2))
    one, zero = np.ones(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
    mean, var = running or (None, None)
    h = F.batch_normalization(x, one, zero, eps=EPS, running_mean=mean, running_var=var, decay=decay)
    gamma, beta = (F.broadcast_to(F.reshape(p, (-1, p.shape[-1], 1, 1)), h.shape) for p in (gamma, beta))
    return F.transpose(F.leaky_relu(gamma * h + beta, slope), (0, 2, 3, 1))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('slope', [0., 1.])
def test_twin_against_chainer(kind, slope):
    shape = (4, 3, 5, 6)
    x = draw(shape, np.float64, shift=.5)
    gamma, beta, *labels = draw_parameters(kind, shape, np.float64)
    running, expected_running = ([np.full(6, .3), np.full(6, .6)] for _ in range(2))
    forward, _, backward = (twin('normalization', name) for name in names(kind))
    y, mean, inv_std = forward(x, gamma, beta, *labels, *running, EPS, .9, slope)
    expected = chainers(x, gamma, beta, tuple(expected_running), slope=slope, labels=labels[0] if labels else None)
    np.testing.assert_allclose(y, expected.array, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(running, expected_running, rtol=1e-10)

    gy = draw(shape, np.float64, 6)
    gradients = backward(x, gy, gamma, beta, *labels, mean, inv_std, slope)
    numerical = gradient_check.numerical_grad(
        lambda: (chainers(x, gamma, beta, slope=slope, labels=labels[0] if labels else None).array,),
        (x, gamma, beta), (gy,), eps=1e-5)
    for actual, expected in zip(gradients, numerical, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-7)


def test_fixed_statistics_of_the_batch_are_the_batchs():
    x, gamma, beta = draw((4, 3, 5, 6), np.float64), *draw_parameters('channels', (4, 3, 5, 6), np.float64)
    batch = twin('normalization', 'batch_normalize')(x, gamma, beta, np.zeros(6), np.ones(6), EPS, .9, .1)[0]
    fixed = twin('normalization', 'fixed_batch_normalize')(x, gamma, beta, x.mean((0, 1, 2)), x.var((0, 1, 2)), EPS, .1)
    np.testing.assert_allclose(fixed, batch, rtol=1e-10)


def test_twin_against_torch():
    torch = pytest.importorskip('torch')
    x, gy = (torch.tensor(draw((4, 3, 5, 6), np.float64, seed), requires_grad=True) for seed in (0, 6))
    gamma, beta = (torch.tensor(p, requires_grad=True) for p in draw_parameters('channels', (4, 3, 5, 6), np.float64))
    mean, var = torch.zeros(6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    y = torch.nn.functional.batch_norm(x.permute(0, 3, 1, 2), mean, var, gamma, beta, True, .1, EPS).relu()
    y.backward(gy.permute(0, 3, 1, 2))
    arrays = [t.detach().numpy() for t in (x, gy, gamma, beta)]
    running = np.zeros(6), np.ones(6)
    actual, m, inv_std = twin('normalization', 'batch_normalize')(arrays[0], *arrays[2:], *running, EPS, .9, 0.)
    np.testing.assert_allclose(actual, y.detach().permute(0, 2, 3, 1).numpy(), atol=1e-12)
    np.testing.assert_allclose(running, [mean.numpy(), var.numpy()], rtol=1e-12)
    gradients = twin('normalization', 'batch_normalize_gradient')(*arrays, m, inv_std, 0.)
    for actual, t in zip(gradients, (x, gamma, beta), strict=True):
        np.testing.assert_allclose(actual, t.grad.numpy(), rtol=1e-9, atol=1e-11)


def test_refusals(host):
    from source.kernels.cuda import normalization
    x, running = draw((2, 3, 3, 4)), (np.zeros(4, 'f'), np.ones(4, 'f'))
    with pytest.raises(ValueError, match=r'\(4,\) or \(2, 4\).*got float32 \(3, 4\)'):
        normalization.batch_normalize(x, draw((3, 4)), draw((3, 4)), *running, EPS, .9, 0.)
    with pytest.raises(ValueError, match='labels must be int32 .*int64'):
        normalization.fixed_batch_normalize_categorical(x, *[draw((3, 4))] * 2, np.zeros(2, 'q'), *running, EPS, 0.)
    with pytest.raises(ValueError, match='contiguous'):
        normalization.batch_normalize(x.transpose(0, 3, 1, 2), *[draw((3,))] * 2, *running, EPS, .9, 0.)
