"""Fashion-MNIST from its idx files, gzipped or not: a folder's, Debian's, Chainer's or downloaded."""
from source.datasets.files import download, find_in_folders
from source.datasets.idx_files import (
    cached_npz,
    check_size,
    find_idx_files,
    idx_names,
    in_margin,
    read_cached,
    read_idx_files,
)
from source.datasets.image_dataset import ImageDataset, check_channels, in_channels

URL = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/'
DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist'  # of the package dataset-fashion-mnist
BYTES = {'train-images-idx3-ubyte.gz': 26421880, 'train-labels-idx1-ubyte.gz': 29515,
         't10k-images-idx3-ubyte.gz': 4422102, 't10k-labels-idx1-ubyte.gz': 5148}  # of the downloads
CLASS_NAMES = ('T-shirt/top', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag',
               'ankle boot')
N_OF_CLASS = {'train': (6000,) * 10, 't10k': (1000,) * 10}


class FashionMNISTDataset(ImageDataset):
    """The 60,000 training or, with `test`, the 10,000 test images of Fashion-MNIST.

    They are grey in all of 3 or 1 `channels`. `size` is 28 or more: a black margin is added on all sides, two pixels
    for 32. `root` is a folder holding the idx files, as they are published or unpacked. Without it the Debian package's
    folder and Chainer's cache are looked at, and the cache filled by a download (31 MB) where there is nothing. Raises
    FileNotFoundError where there is no data, ValueError for other arguments or a file that is not Fashion-MNIST's.
    """

    def __init__(self, test: bool = False, size: int = 32, root=None, channels: int = 3):
        check_size(size)
        check_channels(channels)
        ims, labels = _read('t10k' if test else 'train', root)
        super().__init__(in_channels(in_margin(ims, size), channels), labels, n_classes=10)

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES


def _read(part, root):
    if root is not None:
        paths = find_idx_files(root, part, ('', 'fashion-mnist', 'FashionMNIST/raw'))
    elif path := cached_npz('fashion-mnist', part):
        return read_cached(path, N_OF_CLASS[part])
    else:
        gzipped = [f'{name}.gz' for name in idx_names(part)]
        found = find_in_folders(DEBIAN_FOLDER, gzipped)
        paths = found.values() if found else [
            download(URL + name, BYTES[name], name, 'Fashion-MNIST') for name in gzipped]
    return read_idx_files(*paths, N_OF_CLASS[part])
