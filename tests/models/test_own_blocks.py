"""Blocks derived from ours compute on the GPU's road what they compute elsewhere."""
from dis_models import resblocks as dis_blocks
from gen_models import resblocks as gen_blocks

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest


class ReadsItsInput(dis_blocks.Block):
    """Without the activation before its first convolution."""

    def residual(self, x):
        return self.c2(F.leaky_relu(self.c1(x)))


class PlainNorm(L.BatchNormalization):
    """Knows nothing of a bias."""

    def forward(self, x, activation=None):
        return activation(super().forward(x))


class OtherNorm(gen_blocks.Block):

    def _batch_normalization(self, size):
        return PlainNorm(size)


class OtherConvolution(gen_blocks.Block):

    def _convolve(self, conv, x):
        return conv.after_upsampling(x)


@pytest.mark.parametrize('make', [
    lambda: ReadsItsInput(4, 4), lambda: OtherNorm(4, 4, upsample=True), lambda: OtherConvolution(4, 4, upsample=True),
    lambda: gen_blocks.Block(4, 4, upsample=True), lambda: dis_blocks.Block(4, 4)],
    ids=['residual', 'batch norm', 'convolution', 'ours, gen', 'ours, dis'])
def test_same_on_every_road(make):
    x = np.random.RandomState(0).normal(size=(2, 4, 6, 6)).astype('f')
    results = []
    for kernel_set in ('reference', 'chainer', 'device'):
        np.random.seed(0)
        with chainer.using_config('kernel_set', kernel_set):
            block = make()
            for link in block.links():
                if hasattr(link, 'b'):
                    link.b.array[...] = np.random.RandomState(1).normal(size=link.b.shape)
            results.append([block(x).array, *(value for link in block.links() for name, value in vars(link).items()
                                              if name == 'avg_mean')])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
