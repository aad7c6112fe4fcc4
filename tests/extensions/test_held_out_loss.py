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


def make_updater(gen, dis, loss_type='wasserstein'):
    return mock.Mock(gen=gen, dis=dis, conditional=gen.n_classes > 0, loss_dis=LOSSES[loss_type][0])


def reported(updater, **options):
    extension = HeldOutLoss(updater, DigitsDataset('train', 32), DigitsDataset('test', 32), **options)
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


@pytest.mark.parametrize('loss_type, expected', [
    ('wasserstein', lambda fake, real: fake.mean() - real.mean()),
    ('hinge', lambda fake, real: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()),
    ('dcgan', lambda fake, real: softplus(-real).mean() + softplus(fake).mean())])
def test_losses(loss_type, expected):
    gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2, norm='none')
    dis.l8.W.array *= 100  # so that images differ
    found = reported(make_updater(gen, dis, loss_type), n_images=7, seed=3)
    for name, split in (('train', 'train'), ('held_out', 'test')):
        fake, real = outputs(gen, dis, DigitsDataset(split, 32), 7, 3)
        np.testing.assert_allclose(found[f'critic_loss_{name}'], expected(fake, real), rtol=1e-3, atol=1e-4)
    assert abs(found['critic_loss_train'] - found['critic_loss_held_out']) > 1e-3


def test_conditional():
    gen = ResNetGenerator(ch=2, dim_z=3, n_classes=10)
    for link in gen.links():
        if hasattr(link, 'avg_var'):
            link.avg_var[...] = 1.  # from the first 0, activations would be so large that rounding shows
    dis = SNResNetProjectionDiscriminator(ch=2, n_classes=10, norm='none')
    found = reported(make_updater(gen, dis), n_images=5, seed=1)
    fake, real = outputs(gen, dis, DigitsDataset('test', 32), 5, 1)
    np.testing.assert_allclose(found['critic_loss_held_out'], fake.mean() - real.mean(), rtol=1e-3, atol=1e-4)


def test_leaves_the_networks_as_they_are():
    """No gradients, no running statistics, no steps of u, and the same numbers again."""
    gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2)
    before = [a.copy() for a in (gen.b2.avg_mean, dis.c1.u, dis.c1.W.array)]
    updater = make_updater(gen, dis)
    assert reported(updater, n_images=150) == reported(updater, n_images=150)  # two batches
    for array, was in zip((gen.b2.avg_mean, dis.c1.u, dis.c1.W.array), before, strict=True):
        np.testing.assert_array_equal(array, was)


def test_takes_all_of_a_smaller_set():
    gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2)
    extension = HeldOutLoss(make_updater(gen, dis), DigitsDataset('train', 32), DigitsDataset('test', 32), 400)
    assert [len(x) for x, _ in extension.reals.values()] == [400, 360]
