"""The discriminator's loss on training and on held-out images, against a computation by hand."""
from unittest import mock

from dis_models.sncnn_32 import SNCNNDiscriminator
from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from gen_models.cnn_32 import CNNGenerator
from gen_models.resnet_32 import ResNetGenerator
from source.datasets.digits import DigitsDataset
from source.extensions.held_out_loss import HeldOutLoss
from source.functions.losses import LOSSES

import chainer
import numpy as np
import pytest


def extension_of(gen, dis, loss_type='wasserstein', **options):
    updater = mock.Mock(gen=gen, dis=dis, conditional=gen.n_classes > 0, loss_dis=LOSSES[loss_type][0])
    return HeldOutLoss(updater, DigitsDataset('train', 32), DigitsDataset('test', 32), **options)


def reported(extension):
    reporter = chainer.Reporter()
    with reporter.scope({}):
        extension(mock.Mock())
        return dict(reporter.observation)


def outputs(gen, dis, dataset, n, seed):
    """(of fakes, of real images): one image at a time."""
    rng = np.random.RandomState(seed)
    x, y = dataset.get_examples(np.sort(rng.permutation(len(dataset))[:n]), rng)
    rng = np.random.RandomState(seed)
    real, fake = [], []
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        labels = rng.randint(low=0, high=gen.n_classes, size=n).astype(np.int32) if gen.n_classes else None
        z = rng.normal(size=(n, gen.dim_z)).astype(np.float32)
        for i in range(n):
            one = slice(i, i + 1)
            y_real, y_fake = (y[one], labels[one]) if gen.n_classes else (None, None)
            real.append(dis(x[one], y_real).array)
            fake.append(dis(gen(1, z=z[one], y=y_fake).array, y_fake).array)
    return np.concatenate(fake).astype(float), np.concatenate(real).astype(float)


def softplus(x):
    return np.log1p(np.exp(x))


@pytest.mark.parametrize('loss_type, is_conditional, expected', [
    ('wasserstein', True, lambda fake, real: fake.mean() - real.mean()),
    ('hinge', False, lambda fake, real: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()),
    ('dcgan', False, lambda fake, real: softplus(-real).mean() + softplus(fake).mean())])
def test_losses(loss_type, is_conditional, expected):
    if is_conditional:
        gen = ResNetGenerator(ch=2, dim_z=3, n_classes=10)
        dis = SNResNetProjectionDiscriminator(ch=2, n_classes=10, norm='none')
        for link in gen.links():
            if hasattr(link, 'avg_var'):
                link.avg_var[...] = 1.  # from the first 0, activations would be so large that rounding shows
    else:
        gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2, norm='none')
        dis.l8.W.array *= 100  # so that images differ
    found = reported(extension_of(gen, dis, loss_type, n_images=7, seed=3))
    for name, split in (('train', 'train'), ('held_out', 'test')):
        fake, real = outputs(gen, dis, DigitsDataset(split, 32), 7, 3)
        np.testing.assert_allclose(found[f'critic_loss_{name}'], expected(fake, real), rtol=1e-3, atol=1e-4)
    assert abs(found['critic_loss_train'] - found['critic_loss_held_out']) > 1e-3 or is_conditional


def test_leaves_the_networks_as_they_are():
    """No gradients, no running statistics, no steps of u, and the same numbers again; of a smaller set all images."""
    gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2)
    before = [a.copy() for a in (gen.b2.avg_mean, dis.c1.u, dis.c1.W.array)]
    assert reported(extension_of(gen, dis, n_images=150)) == reported(extension_of(gen, dis, n_images=150))
    for array, was in zip((gen.b2.avg_mean, dis.c1.u, dis.c1.W.array), before, strict=True):
        np.testing.assert_array_equal(array, was)
    assert [len(x) for x, _ in extension_of(gen, dis, n_images=400).reals.values()] == [400, 360]
