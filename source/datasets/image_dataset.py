"""What every dataset here is: uint8 images and labels, given to training as noisy float32 batches."""
import os

import chainer
import numpy as np


def check_channels(channels):
    """Return `channels` where it is 3 (RGB) or 1 (grey). Raises ValueError."""
    if channels not in (3, 1):
        raise ValueError(f'channels: expected 3 or 1, got {channels!r}')
    return channels


def in_channels(grey, channels):
    """Return grey images, (N, H, W), as (N, `channels`, H, W). Raises ValueError unless that is 3 or 1."""
    return np.repeat(grey[:, None], check_channels(channels), axis=1)


class ImageDataset(chainer.dataset.DatasetMixin):
    """Labelled square images; an example is (x float32 (C, H, W), y int32 scalar).

    `ims` is uint8 (N, C, H, W) of C = 3 or 1 channels, `labels` integers (N,) in [0, n_classes), or all 0 where
    `n_classes` is 0. A dataset too large for memory leaves `ims` None, sets `size` and `channels` and reads in
    `load_ims`. Raises ValueError where these shapes, types or ranges do not hold.
    """

    def __init__(self, ims, labels, n_classes, size=None, channels=3):
        self.ims = ims
        self.labels = np.asarray(labels).astype(np.int32)
        self.n_classes = n_classes
        self.size = size if ims is None else ims.shape[-1]
        self.channels = check_channels(channels) if ims is None else 1 if ims.shape[1:2] == (1,) else 3
        self._rng, self._rng_pid = None, None
        shape = len(self.labels), self.channels, self.size, self.size
        if ims is not None and (ims.dtype != np.uint8 or ims.shape != shape):
            raise ValueError(f'ims: expected uint8 {shape}, one image a label, of 3 channels or 1; '
                             f'got {ims.dtype} {ims.shape}')
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < max(n_classes, 1):
            raise ValueError(f'labels: expected 0 to {max(n_classes, 1) - 1}, '
                             f'got {self.labels.min()} to {self.labels.max()}')

    @classmethod
    def names_of(cls, args):
        """The names of the classes, in order, of what the constructor makes of `args`, or None; reads no images."""
        return None

    def __len__(self):
        return len(self.labels)

    def load_ims(self, indices, rng=None):
        """Return ims, uint8 (B, C, H, W); augmentation, where a dataset has it, is drawn from `rng` (None: none)."""
        return self.ims[indices]

    def files(self):
        """Return [(name, path)] of the files that images are read from, or None: those in memory, or it is not known.

        A name is relative to the folder of the data.
        """
        return None

    def get_examples(self, indices, rng):
        """Return x = ims / 128 - 1 + U(0, 1/128), float32 (B, C, H, W) in [-1, 1], and y, int32 (B,).

        All randomness comes from `rng`, a numpy Generator or RandomState: first the augmentation, then the noise.
        """
        indices = np.asarray(indices, dtype=np.intp)
        ims = self.load_ims(indices, rng)
        x = ims / 128. - 1. + rng.uniform(0., 1. / 128., ims.shape)
        return x.astype(np.float32), self.labels[indices]

    def get_example(self, i):
        """Return (x, y) of image `i`, its noise from this dataset's own unseeded generator, one per process."""
        # Differs from sngan_projection: forked loader workers do not inherit, and so repeat, one generator's state.
        if self._rng_pid != os.getpid():
            self._rng, self._rng_pid = np.random.default_rng(), os.getpid()
        x, y = self.get_examples([i], self._rng)
        return x[0], y[0]
