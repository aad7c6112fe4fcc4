from source.kernels.adam_state import ALPHA, ALPHA_T, T, adam_state
from source.kernels.cuda import adam
from tests.kernels.cuda.both_sets import check_everywhere, draw, twin

import chainer
import numpy as np
import pytest
from chainer.optimizers import Adam

SHAPES = [(1,), (3, 5), (16, 4, 3, 3), (4096,), (4097,), (3, 4099), ()]


def draw_parameters(shapes=SHAPES):
    params, grads, ms = ([draw(shape, seed=i + 100 * k) for i, shape in enumerate(shapes)] for k in range(3))
    return params, grads, ms, [np.square(draw(shape, seed=i + 300)) for i, shape in enumerate(shapes)]


def arrays(lists):
    return [[np.asarray(a, np.float32) for a in group] for group in lists]


@pytest.mark.parametrize('beta1, beta2, t', [(0., .9, 0), (.5, .999, 3), (.9, .999, 100_000)])
def test_on_host(host, beta1, beta2, t):
    state = adam_state(2e-4, beta1, beta2, 1e-8, t)
    check_everywhere(host, 'adam', 'update', *arrays(draw_parameters()), state)
    assert host.launches == ['advance', 'update'] * 3


def test_further_gradients(host):
    """Of some parameters; also where they alone are off 16 bytes. Gradients that come apart are worth their sum."""
    params, grads, ms, vs = arrays(draw_parameters())
    further = [np.asarray(draw(shape, seed=i + 500), np.float32) if i % 3 else None for i, shape in enumerate(SHAPES)]
    check_everywhere(host, 'adam', 'update', params, grads, ms, vs, adam_state(2e-4, .5, .9, 1e-8), further)
    together, apart = ([[host.array(a) for a in group] for group in (params, ms, vs)] for _ in range(2))
    sums = [host.array(g if more is None else g + more) for g, more in zip(grads, further, strict=True)]
    grads = [host.array(g) for g in grads]
    odd = [more if more is None else host.array(np.append(np.float32(0), more))[1:].reshape(more.shape)
           for more in further]
    for (ps, m, v), g, more in ((together, sums, None), (apart, grads, odd)):
        adam.update(ps, g, m, v, host.array(adam_state(2e-4, .5, .9, 1e-8)), more)
    for one, other in zip(together, apart, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_more_parameters_than_a_table_holds(host):
    assert adam._TABLE.capacity < 200 and adam._TABLE.dtype.itemsize <= 4000
    check_everywhere(host, 'adam', 'update', *arrays(draw_parameters([(1 + i % 9,) for i in range(200)])),
                     adam_state(1e-3, .9, .999, 1e-8))


def chainers_adam(param, grads, alpha, beta1, beta2):
    link = chainer.Link()
    with link.init_scope():
        link.W = chainer.Parameter(param.copy())
    optimizer = Adam(alpha, beta1, beta2).setup(link)
    for grad in grads:
        link.W.grad = grad.copy()
        optimizer.update()
    return link.W.array, link.W.update_rule.state, optimizer.alpha_t


@pytest.mark.parametrize('beta1, beta2', [(0., .9), (.5, .999), (.9, .999)])
def test_twin_against_chainer(beta1, beta2):
    """Ten updates in float64 to the last digits but one; and in float32, to its rounding."""
    for dtype, rtol in ((np.float64, 1e-12), (np.float32, 1e-6)):
        param, grads = draw((4, 3), dtype), [draw((4, 3), dtype, i) for i in range(1, 11)]
        expected, moments, alpha_t = chainers_adam(param, grads, 2e-4, beta1, beta2)
        m, v, state = np.zeros_like(param), np.zeros_like(param), adam_state(2e-4, beta1, beta2, 1e-8)
        for i, grad in enumerate(grads):  # a quarter and three are the whole, to the last bit
            parts = ([grad], None) if i % 2 else ([grad * dtype(.25)], [grad * dtype(.75)])
            twin('adam', 'update')([param], parts[0], [m], [v], state, parts[1])
        np.testing.assert_allclose(param, expected, rtol=rtol)
        np.testing.assert_allclose(m, moments['m'], rtol=rtol, atol=rtol)
        np.testing.assert_allclose(v, moments['v'], rtol=rtol, atol=rtol)
        np.testing.assert_allclose(state[ALPHA_T], alpha_t, rtol=1e-12)
        assert state[T] == 10


def test_learning_rate_is_read_from_the_state():
    """As linear decay writes it."""
    param, zero = draw((4, 3)), np.zeros((4, 3), 'f')
    before, state = param.copy(), adam_state(1., 0., .9, 1e-8)
    state[ALPHA] = 0
    twin('adam', 'update')([param], [draw((4, 3), seed=1)], [zero], [zero.copy()], state)
    np.testing.assert_array_equal(param, before)


def test_refusals(host):
    W = draw((3, 4))
    with pytest.raises(ValueError, match=r'float32 \(3, 4\), float32 \(2, 2\)'):
        adam.update([W], [draw((2, 2))], [W.copy()], [W.copy()], adam_state(1e-3, 0., .9, 1e-8))
