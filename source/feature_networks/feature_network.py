"""A network with its weights on a device, applied to any number of images a fixed batch at a time."""
import hashlib
import json

from source.miscs.snapshots import flattened
from source.weight_files import WeightFileError
from source.weight_files.hdf5_file import read_hdf5_file, write_hdf5_file

import chainer
import numpy as np

BATCHSIZE = 250


class FeatureNetwork:
    """Callable: ims, uint8 (N, 3, H, W), any N >= 1 -> feats (N, D) and probs (N, K), float32 on the CPU.

    `chain` offers `scale(ims)`, from uint8 to what it takes, and `chain(x)`, which returns both Variables.
    `read(path, chain)` fills it from the weights file; by default that is `read_weights`.
    `n_classes` is K where the classes are the labels of the images it judges, else 0; `foreign` is a line that says why
    it is foreign to these images, or None: build_feature_network sets both as the data set has it. `digest` is that of
    the weights, in whatever file they came, so that stored statistics can say what made them. Calls raise ValueError
    for other arrays.
    """

    foreign = None

    def __init__(self, name, chain, weights_path, n_classes, device=-1, read=None, batchsize=BATCHSIZE):
        self.name = name
        self.n_classes = n_classes
        (read or read_weights)(weights_path, chain)
        self.digest = weights_digest(flattened(chain))
        self._device = chainer.get_device('@numpy' if device < 0 else f'@cupy:{device}')
        chain.to_device(self._device)
        self._chain = chain
        self._batchsize = batchsize

    def __call__(self, ims):
        if ims.dtype != np.uint8 or ims.ndim != 4 or ims.shape[1] != 3 or not ims.size:
            raise ValueError(f'ims: expected uint8 (N, 3, H, W), N >= 1; got {ims.dtype} {ims.shape}')
        batches = [self._judge(ims[start:start + self._batchsize]) for start in range(0, len(ims), self._batchsize)]
        feats, probs = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        return feats, probs

    def _judge(self, ims):
        with chainer.using_device(self._device), chainer.using_config('train', False), chainer.no_backprop_mode():
            outputs = self._chain(self._chain.scale(self._device.send(ims)))
        return [chainer.get_device('@numpy').send(output.array) for output in outputs]


def weights_digest(arrays):
    """Return the SHA-256 of names, types, shapes and bytes of {name: array}.

    Batch normalization's counters of updates (`N`) are left out: they change no output and not every file has them.
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        if not name.endswith('/N'):
            array = np.asarray(array)
            array = np.ascontiguousarray(array, array.dtype.newbyteorder('<'))
            digest.update(json.dumps([name, array.dtype.str, array.shape]).encode() + array.tobytes())
    return digest.hexdigest()


def read_weights(path, chain):
    """Fill `chain` from Chainer's `.h5`.

    Raises WeightFileError, with the chain unchanged, where an array is missing, beyond it, of another shape or not
    finite; OSError where there is no file.
    """
    expected = flattened(chain)
    arrays = read_hdf5_file(path, {name: np.shape(array) for name, array in expected.items()})
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightFileError(f'{path}: {name}: expected finite numbers')
    chainer.serializers.NpzDeserializer(arrays).load(chain)


def save_weights(path, chain):
    """Write the weights of `chain` as the .h5 file a FeatureNetwork reads; equal weights make equal bytes."""
    write_hdf5_file(path, flattened(chain), compression='gzip')
