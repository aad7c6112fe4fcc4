"""scikit-learn's handwritten digits: real, small, and inside its wheel, so nothing is downloaded."""
from source.datasets.image_dataset import ImageDataset, in_channels

import numpy as np
from PIL import Image

CLASS_NAMES = 'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'
N_HELD_OUT = 360
FINE_SIZE = 32


def _enlarge(im, size):
    # Bicubic keeps strokes crisper than bilinear. Below 32 px the 32 px image is averaged over blocks, so that
    # reducing 32 px to 16 px by means (as the digits feature network does) gives the 16 px dataset, rounding apart.
    fine = Image.fromarray(im).resize((max(size, FINE_SIZE),) * 2, Image.Resampling.BICUBIC)
    return np.asarray(fine if size >= FINE_SIZE else fine.reduce(FINE_SIZE // size))


class DigitsDataset(ImageDataset):
    """The 1,797 8x8 digits of `sklearn.datasets.load_digits`, enlarged to `size`, grey in all of 3 or 1 `channels`.

    `split` is 'train' (the first 1,437) or 'test' (the last 360, as scikit-learn orders them, held out from every
    network); `size` is 8, 16 or at least 32 px. Values 0..16 become 0..255. With `augmentation`, training sees each
    image moved, across and down, by up to a sixteenth of its size. Raises ValueError for anything else.
    """

    def __init__(self, split='train', size=16, augmentation=False, channels: int = 3):
        if split not in ('train', 'test'):
            raise ValueError(f"split: expected 'train' or 'test', got {split!r}")
        if size not in (8, 16) and size < FINE_SIZE:
            raise ValueError(f'size: expected 8, 16 or at least {FINE_SIZE} px, got {size!r}')
        from sklearn.datasets import load_digits  # here, as it takes half a second to import
        digits = load_digits()
        part = slice(None, -N_HELD_OUT) if split == 'train' else slice(-N_HELD_OUT, None)
        small = np.rint(digits.images[part] * (255. / 16.)).astype(np.uint8)
        grey = np.stack([_enlarge(im, size) for im in small])
        super().__init__(in_channels(grey, channels), digits.target[part], n_classes=10)
        self._reach = size // 16 if augmentation else 0

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES

    def load_ims(self, indices, rng=None):
        ims = super().load_ims(indices)
        if rng is None or self._reach == 0:
            return ims
        shifts = rng.integers if hasattr(rng, 'integers') else rng.randint
        return moved(ims, shifts(-self._reach, self._reach + 1, (len(ims), 2)))


def moved(ims, shifts):
    """Return ims, uint8 (B, C, H, W), each moved down and right by its `shifts` (B, 2), black where it moved from."""
    height, width = ims.shape[2:]
    reach = np.abs(shifts).max(initial=0)
    padded = np.pad(ims, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    rows = reach - shifts[:, :1] + np.arange(height)
    columns = reach - shifts[:, 1:] + np.arange(width)
    return padded[np.arange(len(ims))[:, None, None], :, rows[:, :, None], columns[:, None]].transpose(0, 3, 1, 2)
