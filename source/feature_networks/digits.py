"""A small network that reads handwritten digits: the judge of the digits GAN. Its scores are not Inception's."""
import os

from source.feature_networks.feature_network import FeatureNetwork

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np

WEIGHTS_PATH = os.path.join(os.path.dirname(__file__), 'digits.h5')
SIZE = 16


class DigitsNet(chainer.Chain):
    """Reads digits: x, float32 (B, 3, H, W) in [-1, 1] -> features (B, 64) and probabilities (B, 10), Variables.

    Whatever H and W, x is first averaged over channels and over areas to 16x16, which takes the 32 px DigitsDataset
    to the 16 px one, rounding apart. evaluations/train_digits_classifier.py made the weights.
    """

    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.c1 = L.Convolution2D(1, 24, 3, pad=1)
            self.c2 = L.Convolution2D(24, 32, 3, pad=1)
            self.c3 = L.Convolution2D(32, 40, 3, pad=1)
            self.c4 = L.Convolution2D(40, 40, 3, pad=1)
            self.l5 = L.Linear(40 * 4 * 4, 64)
            self.l6 = L.Linear(64, 10)

    @staticmethod
    def scale(ims):
        """Map ims, uint8 0..255, to float32 -1..1."""
        return ims.astype(np.float32) / np.float32(127.5) - np.float32(1.)

    def forward(self, x):
        features = self.features(x)
        return features, F.softmax(self.logits(features))

    def logits(self, features):
        """Return the logits of the ten digits, (B, 10), of features (B, 64)."""
        return self.l6(features)

    def features(self, x):
        """Return the features, float32 (B, 64)."""
        h = _to_grey_16(chainer.as_variable(x))
        h = F.leaky_relu(self.c2(F.leaky_relu(self.c1(h))))
        h = F.max_pooling_2d(h, 2)
        h = F.leaky_relu(self.c4(F.leaky_relu(self.c3(h))))
        h = F.max_pooling_2d(h, 2)
        return F.leaky_relu(self.l5(h))


def load(device=-1, weights_path=WEIGHTS_PATH):
    """Return the trained digits FeatureNetwork; its ten classes are the digits."""
    return FeatureNetwork('digits', DigitsNet(), weights_path, n_classes=10, device=device)


def _to_grey_16(x):
    rows, columns = (x.xp.asarray(_area_weights(extent)) for extent in x.shape[2:])
    grey = F.mean(x, axis=1, keepdims=True)
    return F.tensordot(F.tensordot(grey, rows, axes=([2], [1])), columns, axes=([2], [1]))


def _area_weights(extent):
    # (16, extent): the share of each input pixel in each of the 16 equal parts of the side.
    bounds = np.arange(SIZE + 1) * (extent / SIZE)
    pixels = np.arange(extent)
    overlap = np.minimum(bounds[1:, None], pixels + 1) - np.maximum(bounds[:-1, None], pixels)
    return (np.clip(overlap, 0., None) * (SIZE / extent)).astype(np.float32)
