"""The GPU's whole step on a CPU, on the kernels' twins: against Chainer's functions and against the CPU's kernels."""
import tests.test_kernels_in_training as cpu
from tests.gpu_road import Doubles, Floats, build_updater, configured, in_float64, record_gradients, run, state_of

import numpy as np
import pytest

WIDE = {'models.generator.args.ch': 16, 'models.discriminator.args.ch': 16, 'models.generator.args.dim_z': 16,
        'batchsize': 8, 'updater.args.n_gen_samples': 8}
NETWORKS = {
    **cpu.NETWORKS,
    'resnet_128': {
        'models.generator.fn': 'gen_models/resnet.py', 'models.generator.args.ch': 2,
        'models.discriminator.fn': 'dis_models/snresnet.py', 'models.discriminator.args.ch': 2, 'batchsize': 2,
        'updater.args.n_gen_samples': 2},
    'concat': {'models.discriminator.name': 'SNResNetConcatDiscriminator', 'models.discriminator.args.dim_emb': 3},
    'gulrajani': {'models.discriminator.fn': 'dis_models/gulrajani_32.py', 'models.discriminator.args.use_gamma': True,
                  'models.discriminator.name': 'ResNetDiscriminator'},
    **{norm: {'models.discriminator.args.norm': norm, 'updater.args.loss_type': 'hinge'} for norm in (
        'weight', 'frobenius', 'layer', 'batch', 'none')},
    'hinge': {'updater.args.loss_type': 'hinge'},
    'wasserstein': {'updater.args.loss_type': 'wasserstein'},
}
TWINS, CHAINER, CPU = {'kernel_set': 'reference'}, {'kernel_set': 'chainer', 'cpu_kernels': False}, {}


def trained(folder, network, iterations, dtype, config, changes=None):
    """Losses of every iteration, gradients of every update, and {name: array} of all that a snapshot holds."""
    with configured(**config):
        dataset_class = Doubles if dtype == np.float64 else Floats
        updater = build_updater(folder, {**WIDE, **(changes or {}), **NETWORKS[network], 'seed': 0}, dataset_class)
        if dtype == np.float64:
            in_float64(updater)
        gradients = record_gradients(updater)
        losses = run(updater, iterations)
    state = {name: array for name, array in state_of(updater).items() if array.dtype == dtype}
    return losses, gradients, state


def distance(one, other):
    """‖one − other‖ / ‖other‖."""
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@pytest.mark.parametrize('network', [
    pytest.param(name, marks=pytest.mark.long) if name == 'resnet_48' else name for name in NETWORKS])
def test_same_in_float64(tmp_path, network):
    """Without rounding that matters nothing is exempt: every gradient of the first iteration within 1e-10 of its norm,
    or of what rounding leaves of a gradient of 0, and all that is kept, after three iterations, within 1e-8, a
    20,000th of a step of Adam."""
    (losses, gradients, state), (other_losses, other_gradients, other_state) = (
        trained(tmp_path, network, 3, np.float64, config) for config in (TWINS, CHAINER))
    for one, other in zip(losses, other_losses, strict=True):
        assert one == pytest.approx(other, rel=1e-10)
    for one, other in zip(gradients[:3], other_gradients[:3], strict=True):
        assert one.keys() == other.keys()
        whole = np.sqrt(sum(np.sum(g ** 2) for g in other.values()))
        for name in other:
            assert np.linalg.norm(one[name] - other[name]) < 1e-10 * np.linalg.norm(other[name]) + 1e-13 * whole, name
    assert state.keys() == other_state.keys() and len(state) > 60
    for name in state:
        np.testing.assert_allclose(state[name], other_state[name], rtol=0, atol=1e-8, err_msg=name)


@pytest.mark.parametrize('network', [
    pytest.param(name, marks=[] if name in ('resnet_32', 'cnn_32', 'batch', 'concat') else pytest.mark.long)
    for name in NETWORKS])
def test_one_iteration_in_float32(tmp_path, network):
    """Losses, u and moving averages within 5e-5 (1.2e-5 was seen, with one BLAS thread for two), gradients of each
    update as a whole within 1e-2.

    Adam stands still, as it makes steps of 2e-4 of the rounding of biases that batch normalization follows, which the
    averages then take in. Of that many activations some lie within rounding of ReLU's kink; each that goes the other
    way changes the gradients by a pixel's share: `test_same_in_float64`, where none does, tells those from faults.
    """
    changes = {'adam.alpha': 0, 'models.generator.args.bottom_width': 4}
    (losses, gradients, state), *others = (
        trained(tmp_path, network, 1, np.float32, config, changes) for config in (TWINS, CHAINER, CPU))
    for other_losses, other_gradients, other_state in others:
        assert losses[0] == pytest.approx(other_losses[0], rel=5e-5)
        for name in other_state:
            if name.endswith(('/u', 'avg_mean', 'avg_var')):
                assert distance(state[name], other_state[name]) < 5e-5, name
        for one, other in zip(gradients, other_gradients, strict=True):
            assert distance(*(np.concatenate([g.ravel() for g in update.values()]) for update in (one, other))) < 1e-2
