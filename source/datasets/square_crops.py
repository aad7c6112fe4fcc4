"""Images of any shape as squares of one size: the crop and the resize that training and statistics share."""
from source.datasets.image_dataset import ImageDataset

import numpy as np
from PIL import Image

RESIZE_METHODS = {
    'nearest': Image.Resampling.NEAREST, 'bilinear': Image.Resampling.BILINEAR, 'bicubic': Image.Resampling.BICUBIC,
    'cubic': Image.Resampling.BICUBIC, 'lanczos': Image.Resampling.LANCZOS,
}
ENLARGED = 'smaller than the squares, and enlarged'  # what is said of such an image


class SquareCrops(ImageDataset):
    """Images that a subclass opens one by one, each cropped to a square and resized to `size` px on uint8.

    Args:
        labels: integers (N,) in [0, n_classes).
        n_classes: their number.
        size: height and width of what is returned.
        resize_method: one of RESIZE_METHODS, all Pillow's.
        augmentation: whether training sees a square of `crop_ratio` times the short side at a random place, mirrored
            half the time, instead of the central square of the short side.
        crop_ratio: in (0, 1].
        stretch_contrast: whether each square that training sees is stretched to its own range of 0 to 255 before it
            is resized, as the released code does by accident (its `imresize` gets float32). Statistics never are.
        channels: of what is returned: 3 (RGB) or 1 (grey, made of the resized square).

    What is read without an rng, as for statistics, is the central square. Raises ValueError for another argument.
    """

    def __init__(self, labels, n_classes, size, resize_method='bilinear', augmentation=False, crop_ratio=1.,
                 stretch_contrast=False, channels=3):
        if resize_method not in RESIZE_METHODS:
            raise ValueError(f'resize_method: expected one of {", ".join(RESIZE_METHODS)}, got {resize_method!r}')
        if not 0. < crop_ratio <= 1.:
            raise ValueError(f'crop_ratio: expected a number in (0, 1], got {crop_ratio!r}')
        if size < 1:
            raise ValueError(f'size: expected at least 1 px, got {size!r}')
        self.resample = RESIZE_METHODS[resize_method]
        self.augmentation, self.crop_ratio, self.stretch_contrast = augmentation, crop_ratio, stretch_contrast
        super().__init__(None, labels, n_classes, size, channels)

    def open_image(self, i):
        """Return image `i` as a PIL image in mode RGB."""
        raise NotImplementedError

    def load_ims(self, indices, rng=None):
        ims = np.empty((len(indices), self.channels, self.size, self.size), np.uint8)
        for im, i in zip(ims, indices, strict=True):
            im[:] = channels_of(self._square(self.open_image(i), rng), self.channels)
        return ims

    def _square(self, image, rng):
        if rng is None:
            return resized(central_square(image), self.size, self.resample)
        image = random_square(image, self.crop_ratio, rng) if self.augmentation else central_square(image)
        return resized(stretched(image) if self.stretch_contrast else image, self.size, self.resample)


def channels_of(image, channels):
    """An RGB image as uint8 (3, H, W), or with 1 channel as the grey (1, H, W) that Pillow makes of it."""
    return np.asarray(image).transpose(2, 0, 1) if channels == 3 else np.asarray(image.convert('L'))[None]


def central_square(image):
    """The central square of the short side; of an odd margin the smaller half is left and above."""
    side = min(image.size)
    if image.size == (side, side):
        return image
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def random_square(image, ratio, rng):
    """A square of `ratio` times the short side at a random place, mirrored half the time: three draws from `rng`."""
    side = max(1, int(min(image.size) * ratio))
    # Differs from sngan_projection: the last place counts too, so a ratio of 1 works on a square image.
    left, top = (int(rng.uniform() * (extent - side + 1)) for extent in image.size)
    image = image.crop((left, top, left + side, top + side))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.uniform() < .5 else image


def stretched(image):
    """The image with its least value, over all channels, moved to 0 and its greatest to 255; of one value: black."""
    im = np.asarray(image, np.float32)
    lowest, highest = im.min(), im.max()
    scale = np.float32(255.) / max(highest - lowest, np.float32(1.))
    return Image.fromarray((np.clip((im - lowest) * scale, 0., 255.) + np.float32(.5)).astype(np.uint8))


def resized(image, size, resample=Image.Resampling.BILINEAR):
    """A square image at `size` px; one of that size as it is."""
    return image if image.size == (size, size) else image.resize((size, size), resample)
