"""ImageNet from its JPEG folders and a list file, cropped to squares and resized as they are read."""
import os

from source.command_line.commands_to_copy import called
from source.datasets.open_image import open_rgb
from source.datasets.square_crops import SquareCrops


class ImageNetDataset(SquareCrops):
    """Images named by the list file `path`, one `n01440764/n01440764_10026.JPEG 0` a line, under the folder `root`.

    Crop, resize and their arguments are those of `SquareCrops`, encodings those of `open_image`. Raises
    FileNotFoundError for a missing list, folder or image, ValueError for a bad list line, argument or image; each
    names the file.
    """

    first_label = 0  # the listed label that becomes class 0
    n_listed = 1000  # classes of a list, if not said

    def __init__(self, path, root, size=128, resize_method='bilinear', augmentation=False, crop_ratio=1.0,
                 n_classes=1000, stretch_contrast=False):
        if not os.path.isdir(root or ''):
            raise FileNotFoundError(f'{root}: expected as root (--data_dir) the folder of the images listed in {path}, '
                                    'found no folder')
        self.names, classes = read_list(path, self.first_label, self.first_label + n_classes - 1)
        if not os.path.isfile(os.path.join(root, self.names[0])):
            raise FileNotFoundError(f'{root}: expected {self.names[0]}, the first image of {path}, found no file')
        self.root = root
        super().__init__(classes, n_classes, size, resize_method, augmentation, crop_ratio, stretch_contrast)

    @classmethod
    def names_of(cls, args):
        """The folders of the list at `path`, n01440764 and so on, where it is there and each class has one."""
        n_classes = args.get('n_classes', cls.n_listed)
        if not os.path.isfile(args.get('path') or ''):
            return None
        names, classes = read_list(args['path'], cls.first_label, cls.first_label + n_classes - 1)
        folders = {}
        for name, c in zip(names, classes, strict=True):
            folders.setdefault(c, os.path.dirname(name))
        return [folders[c] for c in range(n_classes)] if len(folders) == n_classes else None

    def files(self):
        return [(name, os.path.join(self.root, name)) for name in self.names]

    def open_image(self, i):
        return open_rgb(os.path.join(self.root, self.names[i]))


def read_list(path, lowest, highest):
    """Return the names of a list file and their labels less `lowest`. Raises as ImageNetDataset does."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: expected a list, one 'folder/name.JPEG label' a line, found no file; "
                                f'{called("source/datasets/prepare_imagenet.py")} --formats list writes it')
    names, classes = [], []
    with open(path, encoding='utf-8-sig', errors='surrogateescape') as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            *name, label = line.rsplit(maxsplit=1)
            if not name or not label.isdecimal() or len(label) > 9 or not lowest <= int(label) <= highest:
                raise ValueError(f"{path}:{number}: expected 'folder/name.JPEG label' with a label from {lowest} to "
                                 f'{highest}, found {line.strip()[:100]!r}')
            names.append(name[0].strip())
            classes.append(int(label) - lowest)
    if not names:
        raise ValueError(f"{path}: expected 'folder/name.JPEG label' lines, found none")
    return names, classes
