"""The discriminator's gradients of fakes go to Adam apart from those of real images, which changes no bit."""
from source.links.further_gradients import FurtherGradients
from source.optimizers.adam import Adam
from tests.fake_graphs import FakeGraphs
from tests.gpu_road import assert_same, build_updater, configured, run, state_of

import chainer
import numpy as np
import pytest
from chainer.optimizer_hooks import GradientClipping

AC = {'updater.fn': 'source/ac_updater.py', 'updater.name': 'ACUpdater',
      'models.discriminator.name': 'SNResNetACDiscriminator', 'updater.args.n_gen_samples': 4}
CONFIGS = {'spectral': {}, 'batch': {'models.discriminator.args.norm': 'batch'},
           'layer': {'models.discriminator.args.norm': 'layer'}, 'none': {'models.discriminator.args.norm': 'none'},
           'multiplier': {'models.discriminator.args.use_gamma': True}, 'hinge': {'updater.args.loss_type': 'hinge'},
           'auxiliary classifier': AC}


@pytest.fixture(autouse=True)
def _on_the_gpus_road():
    with configured(kernel_set='reference'):
        yield


@pytest.fixture
def received(monkeypatch):
    """Of every update, how many parameters had further gradients."""
    counts = []

    def update(self, *args, original=Adam.update, further=None, **kwargs):
        params = list(self.target.params())
        counts.append(further and sum(further.of(param) is not None for param in params) / len(params))
        original(self, *args, further=further, **kwargs)
    monkeypatch.setattr(Adam, 'update', update)
    return counts


@pytest.mark.parametrize('changes', CONFIGS.values(), ids=CONFIGS)
def test_same_bits(tmp_path, monkeypatch, received, changes):
    updater = build_updater(tmp_path, changes)
    FakeGraphs(updater)
    losses = run(updater, 3)
    gen, *dis = received[:3]
    assert gen is None and min(dis) > .5
    monkeypatch.setattr(Adam, 'takes_further_gradients', lambda self: False)
    plain = build_updater(tmp_path, changes)
    received.clear()
    assert run(plain, 3) == losses
    assert set(received) == {None}
    assert_same(state_of(updater), state_of(plain))


def test_hooks_see_whole_gradients(tmp_path, received):
    """So do rules' own; there are no further ones beside a penalty, whose turn in the sum is the third, nor where
    parameters are moved one by one."""
    updaters = [build_updater(tmp_path) for _ in range(3)]
    updaters[0].get_optimizer('opt_dis').add_hook(GradientClipping(1.))
    next(updaters[1].dis.params()).update_rule.add_hook(lambda rule, param: None, name='nothing')
    for updater in (*updaters[:2], build_updater(tmp_path, {'updater.args.penalties': {'gradient': {}}})):
        run(updater, 1)
    for kernel_set in ('chainer', 'device'):
        with configured(kernel_set=kernel_set):
            run(updaters[2], 1)
    assert received == [None] * 15
    with configured(kernel_set='chainer'), pytest.raises(ValueError, match='further gradients'):
        updaters[2].get_optimizer('opt_dis').update(further=FurtherGradients())


def test_parameters_that_only_one_pass_reads():
    """Of either pass, and of none."""
    links, further = chainer.Link(), FurtherGradients()
    with links.init_scope():
        links.a, links.b, links.c = (chainer.Parameter(np.ones(3, 'f')) for _ in range(3))
    optimizer = Adam(alpha=.1, beta1=0., beta2=0.).setup(links)
    links.a.grad = np.full(3, 1, np.float32)
    further.stand_in(links.b).grad = np.full(3, -2, np.float32)
    optimizer.update(further=further)
    np.testing.assert_allclose(links.a.array, .9, rtol=1e-6)
    np.testing.assert_allclose(links.b.array, 1.1, rtol=1e-6)
    np.testing.assert_array_equal(links.c.array, 1)
