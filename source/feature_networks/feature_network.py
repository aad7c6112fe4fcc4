"""A network with its weights on a device, applied to any number of images a fixed batch at a time."""
import hashlib
import json

from source.feature_networks.clean_resize import resize_clean
from source.results_folder.snapshots import flattened
from source.weight_files import WeightFileError
from source.weight_files.hdf5_file import read_hdf5_file, write_hdf5_file

import chainer
import numpy as np

BATCHSIZE = 250
BATCH_BYTES = 2 ** 27  # of images judged at once: fewer of large ones


class FeatureNetwork:
    """Callable: ims, any N >= 1 -> feats (N, D) and probs (N, K), float32 on the CPU.

    ims are uint8 (N, 3, H, W), (N, 1, H, W) or, of several sizes, a list of (3, H, W) and (1, H, W); grey ones are
    taken as RGB of three equal channels. Each image is resized by itself and judged with others of its size.

    `chain` offers `scale(ims)`, from 0..255 to what it takes, and `chain(x)`, which returns both Variables. `size` is
    that to which it resizes images before all else, or None.
    `read(path, chain)` fills it from the weights file; by default that is `read_weights`.
    `n_classes` is K where the classes are the labels of the images it judges, else 0; `foreign`, see `be_foreign`.
    `digest` is that of the weights, in whatever file they came, so that stored statistics can say what made them. Calls
    raise ValueError for other arrays.
    """

    foreign = None

    def __init__(self, name, chain, weights_path, n_classes, device=-1, read=None, batchsize=BATCHSIZE, size=None):
        self.name = name
        self.n_classes = n_classes
        (read or read_weights)(weights_path, chain)
        self.digest = weights_digest(flattened(chain))
        self._device = chainer.get_device('@numpy' if device < 0 else f'@cupy:{device}')
        chain.to_device(self._device)
        self._chain = chain
        self._batchsize = batchsize
        self._size, self._is_clean = size, False

    def be_foreign(self, why):
        """Set `foreign`: why it is foreign to the images it judges, a line, or None; a line sets `n_classes` to 0."""
        self.foreign = why
        if why:
            self.n_classes = 0

    def use_clean_resize(self):
        """Have images resized as clean-fid does (clean_resize.py), and say so in the name: `<name>_clean`.

        Raises ValueError where the network takes images of any size.
        """
        if self._size is None:
            raise ValueError(f'{self.name} has a way of its own to take images of any size')
        self.name, self._is_clean = f'{self.name}_clean', True

    def __call__(self, ims):
        if isinstance(ims, list):
            return self._judge_each(ims)
        if ims.dtype != np.uint8 or ims.ndim != 4 or ims.shape[1] not in (3, 1) or not ims.size:
            raise ValueError(f'ims: expected uint8 (N, 3, H, W) or (N, 1, H, W), N >= 1; got {ims.dtype} {ims.shape}')
        n_at_once = max(1, min(self._batchsize, BATCH_BYTES // ims[0].size))
        batches = [self._judge(ims[start:start + n_at_once]) for start in range(0, len(ims), n_at_once)]
        feats, probs = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        return feats, probs

    def _judge_each(self, ims):
        """Judge a list of images, those of one shape together."""
        of_shape = {}
        for i, im in enumerate(ims):
            of_shape.setdefault(im.shape, []).append(i)
        judged = [self(np.stack([ims[i] for i in indices])) for indices in of_shape.values()]
        places = np.argsort(np.concatenate(list(of_shape.values())))
        feats, probs = (np.concatenate(arrays)[places] for arrays in zip(*judged, strict=True))
        return feats, probs

    def _judge(self, ims):
        ims = ims if ims.shape[1] == 3 else np.repeat(ims, 3, axis=1)
        ims = resize_clean(ims, self._size) if self._is_clean else ims
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
