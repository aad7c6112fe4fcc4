from source.optimizers.adam import Adam

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('shape', [(1,), (7,), (5, 3, 4, 4)])
@pytest.mark.parametrize('options', [{'alpha': 2e-4, 'beta1': 0., 'beta2': .9}, {'alpha': 1e-2, 'eps': 1e-3},
                                     {'amsgrad': True}, {'weight_decay_rate': .1}])
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize('kernel_set', ['device', 'reference'])
def test_against_the_rule_itself(shape, options, dtype, rtol, kernel_set):
    """Kingma & Ba, Algorithm 1, with Chainer's decoupled weight decay, in float64; alpha changes on the way."""
    rng = np.random.RandomState(0)
    link = chainer.Link()
    with link.init_scope():
        link.p = chainer.Parameter(rng.normal(size=shape).astype(dtype))
    optimizer = Adam(**options).setup(link)
    hp = optimizer.hyperparam
    p, m, v, vhat = link.p.array.astype(np.float64), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for t in range(1, 5):
        link.p.grad = rng.normal(size=shape).astype(dtype)
        if t == 3:
            link.p.grad = np.asfortranarray(link.p.grad)
            hp.alpha /= 2
        g = link.p.grad.astype(np.float64)
        with chainer.using_config('kernel_set', kernel_set):
            optimizer.update()
        m += (1 - hp.beta1) * (g - m)
        v += (1 - hp.beta2) * (g * g - v)
        vhat = np.maximum(vhat, v)
        alpha_t = hp.alpha * np.sqrt(1 - hp.beta2 ** t) / (1 - hp.beta1 ** t)
        p -= hp.weight_decay_rate * p + alpha_t * m / (np.sqrt(vhat if hp.amsgrad else v) + hp.eps)
        np.testing.assert_allclose(link.p.array, p, rtol=rtol, atol=rtol * 1e-2)
    np.testing.assert_allclose(link.p.update_rule.state['m'], m, rtol=rtol, atol=rtol)


@pytest.mark.parametrize('change', [
    lambda rule: setattr(rule, 't', 3), lambda rule: setattr(rule, 'enabled', False),
    lambda rule: setattr(rule.hyperparam, 'alpha', .5),
    lambda rule: rule.add_hook(lambda rule, param: None, name='nothing')])
def test_parameters_that_want_their_own_way(change):
    link = chainer.links.Linear(2, 3)
    optimizer = Adam().setup(link)
    with chainer.using_config('kernel_set', 'reference'):
        assert optimizer.joint_kernel() is not None
        change(link.b.update_rule)
        assert optimizer.joint_kernel() is None


def test_a_parameter_without_gradient_stays():
    link = chainer.links.Linear(2, 3)
    before = link.W.array.copy()
    link.cleargrads()
    Adam().setup(link).update()
    np.testing.assert_array_equal(link.W.array, before)


def test_moments_of_a_snapshot_are_brought_to_the_parameters_device(monkeypatch):
    trained, resumed = chainer.links.Linear(2, 3), chainer.links.Linear(2, 3)
    with chainer.using_config('kernel_set', 'reference'):
        saved = chainer.serializers.DictionarySerializer()
        for link in (trained, resumed):
            link.optimizer = Adam().setup(link)
            for param in link.params():
                param.grad = np.ones_like(param.array)
        trained.optimizer.update()
        saved.save(trained.optimizer)
        chainer.serializers.NpzDeserializer(saved.target).load(resumed.optimizer)
        sent, device = [], type(resumed.device)
        monkeypatch.setattr(device, 'send', lambda _, array: sent.append(id(array)) or array)
        loaded = [id(param.update_rule.state[key]) for param in resumed.params() for key in 'mv']
        monkeypatch.setattr(device, 'is_array_supported', lambda _, array: id(array) not in loaded)
        resumed.optimizer.update()
    assert sent == loaded and len(loaded) == 4
