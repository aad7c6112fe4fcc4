"""The 2015 Inception network and the score named after it, under the authors' names."""
from source.inception import resize
from source.inception.architecture import LAYERS, N_CLASSES, N_FEATURES, SIZE, Conv, Mixed
from source.inception.modes import mode_of
from source.kernels.switch import ALLOWED, cpu_kernels_serve
from source.metrics.inception_score import inception_score as score_of_probabilities

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer.backends import cuda


class Inception(chainer.Chain):
    """The network of `inception-2015-12-05`; its 660 arrays have the names of the authors' `.h5`.

    `mode` is 'tf' or 'chainer' (see `modes.py`). Call it with x, (B, 3, 299, 299), values 0 to 255: it returns
    probabilities (B, 1008), or features (B, 2048) with `get_feature`, as Variables. Fresh weights are random:
    `load_weights` of `weights.py` reads trained ones. Raises ValueError for x of another shape.
    """

    def __init__(self, mode='tf'):
        super().__init__()
        self.mode = mode_of(mode)
        _add_links(self, LAYERS, 3, self.mode.eps)
        self.add_link('logit', L.Linear(N_FEATURES, N_CLASSES))

    def forward(self, x, get_feature=False):
        feats = self.features(x)
        return feats if get_feature else self.probabilities(feats)

    def resize(self, ims):
        """Bring ims (B, 3, H, W), values 0 to 255, to float32 (B, 3, 299, 299), as the mode does."""
        if ims.shape[2:] == (SIZE, SIZE):
            return ims.astype(np.float32)
        return getattr(resize, self.mode.resize)(ims, SIZE)

    def features(self, x):
        """Return the features (B, 2048) of x (B, 3, 299, 299), values 0 to 255."""
        x = chainer.as_variable(x)
        if x.shape[1:] != (3, SIZE, SIZE):
            raise ValueError(f'x: expected (B, 3, {SIZE}, {SIZE}), got {x.shape}')
        with chainer.using_config('train', False):
            h = self._run(self, LAYERS, (x - 128.) * .0078125)
        return F.mean(h, axis=(2, 3))

    def probabilities(self, feats):
        """Return the softmax (B, 1008) of features (B, 2048), whose logits have a bias or not as the mode says."""
        return F.softmax(F.linear(feats, self.logit.W, self.logit.b if self.mode.logits_have_bias else None))

    def _run(self, chain, layers, h):
        for layer in layers:
            if isinstance(layer, Conv):
                h = F.relu(chain[f'bn_{layer.name}'](chain[layer.name](h)))
            elif isinstance(layer, Mixed):
                mixed = chain[layer.name]
                h = F.concat([self._run(mixed[name], branch, h) for name, branch in layer.branches])
            else:
                h = self._pool(layer, h)
        return h

    def _pool(self, pool, h):
        if pool.kind == 'max':
            return F.max_pooling_2d(h, 3, pool.stride, pool.pad, cover_all=False)
        # A pad_value of None leaves the padding out of the averages.
        pad_value = 0 if self.mode.average_counts_padding else None
        return F.average_pooling_nd(h, 3, pool.stride, pool.pad, pad_value)


def inception_score(model, ims, batch_size=100, splits=10):
    """Return mean and standard deviation of the inception score of ims, (N, 3, H, W), values 0 to 255.

    `model` is an Inception, whose mode says how images are resized and which probabilities count. The deviation of a
    single split is None. Raises ValueError for fewer images than splits. Salimans et al. 2016, Improved Techniques for
    Training GANs, section 4.
    """
    fast_model = fast_inference(model)
    if fast_model is not None:
        to_cpu = chainer.get_device('@numpy').send
        with chainer.using_device(model.device):
            probs = [to_cpu(fast_model(model.xp.asarray(ims[start:start + batch_size]))[1])
                     for start in range(0, len(ims), batch_size)]
    else:
        with chainer.using_device(model.device), chainer.using_config('train', False), chainer.no_backprop_mode():
            batches = (model.xp.asarray(ims[start:start + batch_size]) for start in range(0, len(ims), batch_size))
            probs = [chainer.get_device('@numpy').send(model(model.resize(batch)).array) for batch in batches]
    return score_of_probabilities(np.concatenate(probs)[:, model.mode.classes], splits)


def fast_inference(model):
    """Return a CpuInference or GpuInference of an Inception, as it is now, or None where no kernels serve it.

    Both are called with ims of the model's device, and load their kernels only here.
    """
    W = model.logit.W
    if cpu_kernels_serve(W):
        from source.inception.cpu_inference import CpuInference
        return CpuInference(model)
    if ALLOWED and model.xp is cuda.cupy and W.dtype == np.float32:
        from source.inception.gpu_inference import GpuInference
        with chainer.using_device(model.device):
            return GpuInference(model)
    return None


def _add_links(chain, layers, channels, eps):
    """Add a chain's links for its layers; return how many channels come out of the last."""
    for layer in layers:
        if isinstance(layer, Conv):
            chain.add_link(layer.name, L.Convolution2D(
                channels, layer.out_channels, layer.ksize, layer.stride, layer.pad))
            chain.add_link(f'bn_{layer.name}', L.BatchNormalization(layer.out_channels, eps=eps))
            channels = layer.out_channels
        elif isinstance(layer, Mixed):
            mixed = chainer.Chain()
            chain.add_link(layer.name, mixed)
            channels = sum(_add_branch(mixed, name, branch, channels, eps) for name, branch in layer.branches)
    return channels


def _add_branch(mixed, name, layers, channels, eps):
    branch = chainer.Chain()
    mixed.add_link(name, branch)
    return _add_links(branch, layers, channels, eps)
