"""The 143 dog and cat classes of ImageNet."""
from source.datasets.imagenet import ImageNetDataset


class ImageNetDogAndCatDataset(ImageNetDataset):
    """ImageNet's labels 151 to 293, counted from 0; a list at `path` with any other raises ValueError."""

    first_label = 151
    n_listed = 143

    def __init__(self, path, root, size=128, resize_method='bilinear', augmentation=False, crop_ratio=0.9,
                 stretch_contrast=False):
        super().__init__(path, root, size, resize_method, augmentation, crop_ratio, self.n_listed, stretch_contrast)
