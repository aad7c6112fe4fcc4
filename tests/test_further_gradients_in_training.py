"""The discriminator's gradients of fakes go to Adam apart from those of real images, which changes no bit."""
from source.links.further_gradients import FurtherGradients
from source.optimizers.adam import Adam
from tests.fake_graphs import FakeGraphs
from tests.gpu_road import build_updater, configured, run, state_of

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
    losses = run(updater, 4)
    gen, *dis = received[:3]
    assert gen is None and min(dis) > .5
    monkeypatch.setattr(Adam, 'takes_further_gradients', lambda self: False)
    plain = build_updater(tmp_path, changes)
    received.clear()
    assert run(plain, 4) == losses
    assert set(received) == {None}
    state, expected = state_of(updater), state_of(plain)
    assert [name for name in expected if not np.array_equal(state[name], expected[name])] == []


@pytest.mark.parametrize('config', [{'kernel_set': 'chainer'}, {'kernel_set': 'device'}])
def test_not_where_parameters_are_moved_one_by_one(tmp_path, received, config):
    with configured(**config):
        run(build_updater(tmp_path), 1)
    assert received == [None] * 3


def test_hooks_see_whole_gradients(tmp_path, received):
    """So do rules' own, and there are no further ones beside a penalty, whose turn in the sum is the third."""
    updater = build_updater(tmp_path)
    updater.get_optimizer('opt_dis').add_hook(GradientClipping(1.))
    run(updater, 1)
    updater = build_updater(tmp_path)
    next(updater.dis.params()).update_rule.add_hook(lambda rule, param: None, name='nothing')
    run(updater, 1)
    run(build_updater(tmp_path, {'updater.args.penalties': {'gradient': {}}}), 1)
    assert received == [None] * 9


def test_refused_by_what_cannot_add_them():
    link = chainer.links.Linear(2, 2)
    optimizer = Adam().setup(link)
    link.cleargrads()
    with configured(kernel_set='chainer'), pytest.raises(ValueError, match='further gradients'):
        optimizer.update(further=FurtherGradients())


def test_parameters_that_only_one_pass_reads():
    """Of either pass, and of none."""
    class Links(chainer.Chain):
        def __init__(self):
            super().__init__()
            with self.init_scope():
                self.a, self.b, self.c = (chainer.Parameter(np.ones(3, 'f')) for _ in range(3))
    links, further = Links(), FurtherGradients()
    optimizer = Adam(alpha=.1, beta1=0., beta2=0.).setup(links)
    for name, grad in (('a', 1), ('b', -2)):
        stand_in = further.stand_in(getattr(links, name)) if name == 'b' else getattr(links, name)
        stand_in.grad = np.full(3, grad, np.float32)
    optimizer.update(further=further)
    np.testing.assert_allclose(links.a.array, .9, rtol=1e-6)
    np.testing.assert_allclose(links.b.array, 1.1, rtol=1e-6)
    np.testing.assert_array_equal(links.c.array, 1)
