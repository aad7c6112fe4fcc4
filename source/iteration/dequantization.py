"""Real images on a GPU: sent as bytes, and given their noise there."""
from source.kernels.switch import channels_first

import numpy as np
from chainer.backend import get_device_from_array

WORDS = 4  # random numbers in a block of the generator


class ImageNoise:
    """Makes x = ims / 128 − 1 + U(0, 1/128) of uint8 images where they are.

    The noise is a function of a seed and of how many batches were drawn before, so nothing of it is kept in snapshots.

    Args:
        seed: an int or several.

    Attributes:
        t: blocks of random numbers used so far.
    """

    def __init__(self, seed):
        self.seed = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
        self.t, self._state, self._blocks_of_batch = 0, None, None

    def __call__(self, kernel, ims, n_batches):
        """x float32 (B, C, H, W) of ims uint8 (B, C, H, W); `n_batches` were drawn before, which counts at first."""
        if self._state is None:
            self._blocks_of_batch = -(-ims.size // WORDS)
            self.t = n_batches * self._blocks_of_batch
            self._state = get_device_from_array(ims).send(kernel.new_state(self.seed, self.t))
        x = kernel.dequantize(ims, self._state)
        self.t += -(-ims.size // WORDS)
        return channels_first(x)

    def count(self, n_blocks):
        """Counts what a captured step will use."""
        self.t += n_blocks

    def sync(self, n_batches):
        """Goes on as after `n_batches`, wherever that was changed from outside."""
        if self._state is not None and self.t != n_batches * self._blocks_of_batch:
            self.t = n_batches * self._blocks_of_batch
            self._state[1:].fill(self.t)
