"""Small networks that read handwritten digits: the judges of the GANs of digits. Their scores are not Inception's."""
from pathlib import Path

from source.datasets.idx_files import FULL_SIZE
from source.feature_networks.feature_network import FeatureNetwork

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np

WEIGHTS_PATH, MNIST_WEIGHTS_PATH = (str(Path(__file__).with_name(f'{name}.h5')) for name in ('digits', 'mnist'))
SIDES = {'digits': 16, 'mnist': 32}  # of what each network sees; evaluations/train_digits_classifier.py trains them


class DigitsNet(chainer.Chain):
    """Reads digits: x, float32 (B, C, H, W) in [-1, 1] -> features (B, 64) and probabilities (B, 10), Variables.

    x is first averaged over channels and over areas to `side` x `side`, which takes the 32 px DigitsDataset to the 16
    px one, rounding apart; but for 32 px MNIST's own 28 are given its black margin. `side` is 16 or 32 px, of which the
    first convolution makes 16.
    """

    def __init__(self, side=16):
        super().__init__()
        self.side = side
        stride = side // 16
        with self.init_scope():
            self.c1 = L.Convolution2D(1, 24, 2 + stride, stride, pad=1)
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
        h = _to_grey(chainer.as_variable(x), self.side)
        h = F.leaky_relu(self.c2(F.leaky_relu(self.c1(h))))
        h = F.max_pooling_2d(h, 2)
        h = F.leaky_relu(self.c4(F.leaky_relu(self.c3(h))))
        h = F.max_pooling_2d(h, 2)
        return F.leaky_relu(self.l5(h))


def load(device=-1, weights_path=WEIGHTS_PATH):
    """Return the trained FeatureNetwork of scikit-learn's digits; its ten classes are the digits."""
    return _load('digits', device, weights_path)


def load_mnist(device=-1, weights_path=MNIST_WEIGHTS_PATH):
    """Return the trained FeatureNetwork of MNIST; its ten classes are the digits."""
    return _load('mnist', device, weights_path)


def _load(name, device, weights_path):
    return FeatureNetwork(name, DigitsNet(SIDES[name]), weights_path, n_classes=10, device=device)


def _to_grey(x, side):
    grey = F.mean(x, axis=1, keepdims=True)
    if x.shape[2:] == (FULL_SIZE, FULL_SIZE) and side > FULL_SIZE:
        margin = (side - FULL_SIZE) // 2
        return F.pad(grey, ((0, 0), (0, 0), (margin, margin), (margin, margin)), 'constant', constant_values=-1.)
    rows, columns = (x.xp.asarray(_area_weights(extent, side)) for extent in x.shape[2:])
    return F.tensordot(F.tensordot(grey, rows, axes=([2], [1])), columns, axes=([2], [1]))


def _area_weights(extent, side):
    # (side, extent): the share of each input pixel in each of the `side` equal parts of the extent.
    bounds = np.arange(side + 1) * (extent / side)
    pixels = np.arange(extent)
    overlap = np.minimum(bounds[1:, None], pixels + 1) - np.maximum(bounds[:-1, None], pixels)
    return (np.clip(overlap, 0., None) * (side / extent)).astype(np.float32)
