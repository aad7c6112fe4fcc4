"""Scores and the held-out loss, against a computation by hand."""
from unittest import mock

from dis_models.sncnn_32 import SNCNNDiscriminator
from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from gen_models.cnn_32 import CNNGenerator
from gen_models.resnet_32 import ResNetGenerator
from source.datasets.digits import DigitsDataset
from source.extensions.calc_scores import CalcScores
from source.extensions.held_out_loss import HeldOutLoss
from source.functions.losses import LOSSES
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.judging import judge, reference_statistics, scores_of
from tests.extensions.reporting import reported
from tests.feature_network import FakeFeatureNetwork

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('n_classes, names', [
    (10, {'is_mean', 'is_std', 'fid', 'recognized'}), (0, {'is_mean', 'is_std', 'fid'})])
def test_scores_of_the_same_samples_every_time(n_classes, names):
    gen, network = ResNetGenerator(ch=4, dim_z=3, bottom_width=1, n_classes=n_classes), FakeFeatureNetwork()
    gen(8)
    reference = reference_statistics(np.random.RandomState(0).randint(256, size=(30, 3, 8, 8), dtype=np.uint8), network)
    extension = CalcScores(gen, network, lambda: reference, n_images=25, splits=3, seed=(5, 3))
    extension.initialize(None)
    found = reported(extension)
    ims, y = generate_ims(gen, 25, NoiseSampler(3, n_classes, seed=(5, 3)))
    scores = scores_of(judge([(ims, y)], network, 25), network, reference=reference, splits=3)
    assert set(scores) == names
    assert found == {f'digits_{name}': pytest.approx(score) for name, score in scores.items()}
    np.random.seed(1)
    assert reported(extension) == found


def held_out_loss(gen, dis, loss_type='wasserstein', **options):
    updater = mock.Mock(gen=gen, dis=dis, conditional=gen.n_classes > 0, loss_dis=LOSSES[loss_type][0])
    return HeldOutLoss(updater, DigitsDataset('train', 32), DigitsDataset('test', 32), **options)


@pytest.mark.parametrize('loss_type, expected', [
    ('wasserstein', lambda fake, real: fake.mean() - real.mean()),
    ('hinge', lambda fake, real: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean())])
def test_losses_of_training_and_held_out_images(loss_type, expected):
    if loss_type == 'wasserstein':
        gen = ResNetGenerator(ch=2, dim_z=3, n_classes=10)
        dis = SNResNetProjectionDiscriminator(ch=2, n_classes=10, norm='none')
        gen(20)  # else variances were 0, and activations so large that rounding showed
    else:
        gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2, norm='none')
        dis.l8.W.array *= 100  # so that images differ
    found = reported(held_out_loss(gen, dis, loss_type, n_images=7, seed=3))
    for name, split in (('train', 'train'), ('held_out', 'test')):
        dataset, rng = DigitsDataset(split, 32), np.random.RandomState(3)
        x, y = dataset.get_examples(np.sort(rng.permutation(len(dataset))[:7]), rng)
        rng = np.random.RandomState(3)
        labels = rng.randint(low=0, high=10, size=7).astype(np.int32) if gen.n_classes else None
        z = rng.normal(size=(7, 3)).astype(np.float32)
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            fake, real = dis(gen(7, z=z, y=labels).array, labels), dis(x, y if gen.n_classes else None)
        loss = expected(fake.array.astype(float), real.array.astype(float))
        np.testing.assert_allclose(found[f'critic_loss_{name}'], loss, rtol=1e-3, atol=1e-4)
    assert abs(found['critic_loss_train'] - found['critic_loss_held_out']) > 1e-3 or gen.n_classes


def test_the_held_out_loss_leaves_the_networks_as_they_are():
    """No gradients, no running statistics, no steps of u, and the same numbers again; of a smaller set all images."""
    gen, dis = CNNGenerator(ch=2, dim_z=3), SNCNNDiscriminator(ch=2)
    before = [a.copy() for a in (gen.b2.avg_mean, dis.c1.u, dis.c1.W.array)]
    assert reported(held_out_loss(gen, dis, n_images=150)) == reported(held_out_loss(gen, dis, n_images=150))
    np.testing.assert_equal([gen.b2.avg_mean, dis.c1.u, dis.c1.W.array], before)
    assert [len(x) for x, _ in held_out_loss(gen, dis, n_images=400).reals.values()] == [400, 360]
