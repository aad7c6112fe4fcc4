"""The GPU's whole step on a CPU, on the kernels' twins: against the CPU's kernels and against Chainer's functions."""
import tests.test_kernels_in_training as cpu
from tests.gpu_road import Floats, build_updater, configured, run, state_of

import numpy as np
import pytest

NETWORKS = {
    **cpu.NETWORKS,
    'resnet_128': {
        'models.generator.fn': 'gen_models/resnet.py', 'models.generator.args.ch': 2,
        'models.discriminator.fn': 'dis_models/snresnet.py', 'models.discriminator.args.ch': 2, 'batchsize': 2,
        'updater.args.n_gen_samples': 2, 'seed': 5},
    'resnet_48': {**cpu.NETWORKS['resnet_48'], 'seed': 6},
    'concat': {'models.discriminator.name': 'SNResNetConcatDiscriminator', 'models.discriminator.args.dim_emb': 3},
    'gulrajani': {'models.discriminator.fn': 'dis_models/gulrajani_32.py', 'models.discriminator.args.use_gamma': True,
                  'models.discriminator.name': 'ResNetDiscriminator'},
    **{norm: {'models.discriminator.args.norm': norm, 'updater.args.loss_type': 'hinge'} for norm in (
        'weight', 'frobenius', 'layer', 'batch', 'none')},  # unnormalized outputs grow large
    'hinge': {'updater.args.loss_type': 'hinge'},
}
TWINS, CHAINER = {'kernel_set': 'reference'}, {'kernel_set': 'chainer', 'cpu_kernels': False}


def trained(folder, changes, iterations=10, **config):
    """{name: array} of parameters and singular vectors. Moving means take up what the exempt biases do."""
    with configured(**config):
        updater = build_updater(folder, changes, Floats)
        run(updater, iterations)
    compared = {}
    for name, array in state_of(updater).items():
        parts = name.split('/', 1)
        if parts[0].startswith('model:') and not name.endswith(('avg_mean', 'avg_var', '/N')):
            compared[f'{parts[0][-3:]}/{parts[1]}'] = array
    return compared


def is_compared(name, network):
    """Batch normalization in the discriminator makes its convolutions' biases ineffective, too."""
    return cpu.is_compared(name) and not (network == 'batch' and name.startswith('dis') and name.endswith('/b'))


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('other', [{}, CHAINER], ids=['cpu', 'chainer'])
def test_ten_iterations_stay_together(tmp_path, network, other):
    """As the two roads of a CPU do, with the biases exempt that are there; a gradient of 0 but for rounding may make
    Adam go either way, by 2e-4 a step."""
    changes = NETWORKS[network]
    twins, others = trained(tmp_path, changes, **TWINS), trained(tmp_path, changes, **other)
    start = trained(tmp_path, changes, iterations=0)
    differences = {name: np.abs(twins[name] - others[name]) for name in others if is_compared(name, network)}
    worst = max(differences, key=lambda name: differences[name].max())
    print(f'{network}: at most {differences[worst].max():.1e}, in {worst}')
    assert differences[worst].max() < 1.2e-3
    assert max(difference.mean() for difference in differences.values()) < 1e-4
    assert max(np.abs(others[name] - start[name]).max() for name in others) > 2e-3
