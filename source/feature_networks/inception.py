"""The 2015 Inception network as a judge of images: inception score, FID and their kin."""
import os
from pathlib import Path

from source.command_line.commands_to_copy import python_command
from source.feature_networks.feature_network import FeatureNetwork
from source.inception.architecture import SIZE
from source.inception.inception_score import Inception, fast_inference
from source.inception.weights import load_weights
from source.weight_files import WeightFileError

import chainer

DEFAULT_WEIGHTS = os.path.join('datasets', 'inception_model')
WEIGHTS_VARIABLE = 'SNGAN_INCEPTION_WEIGHTS'
BATCHSIZE = 32  # plain Chainer's largest layer takes 25 MB an image
GPU_BATCHSIZE = 128  # of 11 MB an image; fewer would leave a GPU waiting for launches


class InceptionJudge(chainer.Chain):
    """ims, uint8 (B, 3, H, W) → features (B, 2048) and the probabilities that the mode counts, Variables.

    In mode 'tf' those are (B, 1008); in mode 'chainer' (B, 1000), which do not sum to 1. Where kernels serve, the
    weights are folded at the first call, and later changes of them are not seen.
    """

    def __init__(self, mode):
        super().__init__()
        self._fast = None
        with self.init_scope():
            self.inception = Inception(mode)

    @staticmethod
    def scale(ims):
        """Return ims as they are: the network's resizing depends on its mode."""
        return ims

    def forward(self, ims):
        inception = self.inception
        if self._fast is None:
            self._fast = fast_inference(inception)
        if self._fast is not None:
            feats, probs = self._fast(ims)
        else:
            feats = inception.features(inception.resize(ims))
            probs = inception.probabilities(feats)
        return chainer.as_variable(feats), chainer.as_variable(probs)[:, inception.mode.classes]


def load_tf(device=-1, weights=None):
    """Return the FeatureNetwork 'inception', which computes what the TensorFlow graph does.

    `weights` is a file that `source.inception.weights` reads; the default is $SNGAN_INCEPTION_WEIGHTS, else
    datasets/inception_model. Raises WeightFileError where there is none or it is another's.
    """
    return _load('inception', 'tf', device, weights)


def load_chainer(device=-1, weights=None):
    """Return the FeatureNetwork 'inception_chainer', which computes what the authors' Chainer code did."""
    return _load('inception_chainer', 'chainer', device, weights)


def _load(name, mode, device, weights):
    path = weights or os.environ.get(WEIGHTS_VARIABLE) or DEFAULT_WEIGHTS
    if not os.path.isfile(path):
        making = python_command('source/inception/download.py', '--outfile', Path(path))
        raise WeightFileError(
            f'{path}: no Inception weights; make them with `{making}`, or name a file with --weights, a config\'s '
            f'evaluation.weights or ${WEIGHTS_VARIABLE}')
    return FeatureNetwork(name, InceptionJudge(mode), path, n_classes=0, device=device,
                          batchsize=BATCHSIZE if device < 0 else GPU_BATCHSIZE, size=SIZE,
                          read=lambda path, judge: load_weights(path, judge.inception))
