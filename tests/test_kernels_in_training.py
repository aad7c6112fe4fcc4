"""Training with the CPU kernels against training with Chainer's own functions."""
from source import build
from source.datasets.image_dataset import ImageDataset
from source.yaml_utils import load_config
from tests.narrow import UNCONDITIONAL, write_config

import chainer
import numpy as np
import pytest

CNN = {**UNCONDITIONAL, 'models.generator.fn': 'gen_models/cnn_32.py', 'models.generator.name': 'CNNGenerator',
       'models.discriminator.fn': 'dis_models/sncnn_32.py', 'models.discriminator.name': 'SNCNNDiscriminator',
       'models.generator.args.bottom_width': 4, 'seed': 6}
# Where an activation's input or a gradient is 0 but for rounding, one step of Adam may go either way: the smooth loss
# and the seeds leave that out of ten iterations.
NETWORKS = {
    'resnet_32': {'models.generator.args.bottom_width': 4},
    'cnn_32': CNN,
    'resnet_48': {'models.generator.fn': 'gen_models/resnet_48.py', 'models.discriminator.fn':
                  'dis_models/snresnet_48.py', 'models.generator.args.bottom_width': 6},
}


def trained(tmp_path, changes, kernels, iterations=10):
    """{name: array} of both models after some iterations."""
    changes = {'updater.args.n_dis': 2, 'updater.args.loss_type': 'dcgan', **changes}
    config = load_config(write_config(tmp_path, changes))
    with chainer.using_config('cpu_kernels', kernels):
        build.seed_everything(config['seed'], chainer.get_device('@numpy'))
        gen, dis = build.build_models(config, 'test')
        rng = np.random.RandomState(0)
        ims = rng.randint(256, size=(40, 3, gen.image_size, gen.image_size), dtype=np.uint8)
        dataset = ImageDataset(ims, np.arange(40) % 10, n_classes=10)
        updater = build.build_updater(config, 'test', gen, dis, dataset, chainer.get_device('@numpy'))
        for _ in range(iterations):
            updater.update()
    return {f'{model}{name}': parameter.array for model, link in (('gen', gen), ('dis', dis))
            for name, parameter in link.namedparams()}


def is_compared(name):
    # Batch normalization follows the generator's convolutions: the true gradient of their biases is 0, and Adam makes
    # steps of its rounding. The last one's is followed by tanh.
    return not (name.startswith('gen') and name.endswith('/b')) or name in ('gen/c5/b', 'gen/c6/b')


@pytest.mark.parametrize('network', NETWORKS)
def test_ten_iterations_stay_together(tmp_path, network):
    """Within 1e-3 in every parameter and 1e-5 in the mean, though Adam has moved them by more than that."""
    changes = NETWORKS[network]
    fast, plain = (trained(tmp_path, changes, kernels) for kernels in (True, False))
    start = trained(tmp_path, changes, True, iterations=0)
    differences = {name: np.abs(fast[name] - plain[name]).max() for name in plain if is_compared(name)}
    worst = max(differences, key=differences.get)
    print(f'{network}: at most {differences[worst]:.1e}, in {worst}')
    assert differences[worst] < 1e-3
    assert max(np.abs(fast[name] - plain[name]).mean() for name in differences) < 1e-5
    assert max(np.abs(plain[name] - start[name]).max() for name in plain) > 2e-3


def test_same_seed_same_bits(tmp_path):
    first, second = (trained(tmp_path, NETWORKS['resnet_32'], True, iterations=3) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
