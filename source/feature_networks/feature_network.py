"""A network with its weights on a device, applied to any number of images a fixed batch at a time."""
import hashlib

import chainer
import h5py
import numpy as np

BATCHSIZE = 250


class FeatureNetwork:
    """Callable: ims, uint8 (N, 3, H, W), any N >= 1 -> feats (N, D) and probs (N, K), float32 on the CPU.

    `chain` offers `scale(ims)`, from uint8 to what it takes, and `chain(x)`, which returns both Variables.
    `read(path, chain)` fills it from the weights file; by default that is Chainer's `.h5`.
    `n_classes` is K where the classes are the labels of the images it judges, else 0. `digest` is the SHA-256 of the
    weights file, so that stored statistics can say what made them. Calls raise ValueError for other arrays.
    """

    def __init__(self, name, chain, weights_path, n_classes, device=-1, read=chainer.serializers.load_hdf5,
                 batchsize=BATCHSIZE):
        self.name = name
        self.n_classes = n_classes
        with open(weights_path, 'rb') as file:
            self.digest = hashlib.sha256(file.read()).hexdigest()
        read(weights_path, chain)
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


def save_weights(path, chain):
    """Write the weights of `chain` as the .h5 file a FeatureNetwork reads; equal weights make equal bytes."""
    serializer = chainer.serializers.DictionarySerializer()
    serializer.save(chain)
    with h5py.File(path, 'w') as file:
        for name, array in sorted(serializer.target.items()):  # Chainer's own order follows a set of strings
            file.create_dataset(name, data=array, compression='gzip' if np.ndim(array) else None)
