"""The CIFAR-10 ResNet of Gulrajani et al. (2017), in Tables 7 and 8: Table 4's blocks with global *mean* pooling.

Its generator is `gen_models/resnet_32.py` with ch=128.
"""
from dis_models import snresnet_32

import chainer.functions as F


class ResNetDiscriminator(snresnet_32.SNResNetProjectionDiscriminator):
    """32×32 px; Table 7 has n_classes=0."""

    dense_has_bias = True
    pooling = staticmethod(F.mean)


class ResNetACDiscriminator(snresnet_32.SNResNetACDiscriminator):
    """32×32 px, with an auxiliary classifier (Table 8)."""

    pooling = staticmethod(F.mean)
