"""Street View House Numbers, cropped digits, from their .mat files."""
import os

from source.datasets.digits import CLASS_NAMES
from source.datasets.files import check_array, check_labels, download, find_in_folders, nothing_in, read_cached_npz
from source.datasets.image_dataset import ImageDataset
from source.datasets.mat_file import read_mat

import chainer
import numpy as np

URL = 'http://ufldl.stanford.edu/housenumbers/'
FILES = {  # split: (number of images, bytes of <split>_32x32.mat)
    'train': (73257, 182040794), 'test': (26032, 64275384), 'extra': (531131, 1329278602)}


class SVHNDataset(ImageDataset):
    """The 73,257 'train', 26,032 'test' or 531,131 'extra' images of SVHN, 32×32, ten classes.

    `root` is a folder holding <split>_32x32.mat. Without it Chainer's cache is read (its converted .npz wins over the
    .mat), and filled by a download where it is empty. The label 10, a zero, becomes 0. Raises FileNotFoundError where
    there is no data, ValueError for another split or a file that is not what SVHN is.
    """

    def __init__(self, split: str = 'train', root=None):
        if split not in FILES:
            raise ValueError(f'split: expected one of {", ".join(FILES)}, got {split!r}')
        n, n_bytes = FILES[split]
        name = f'{split}_32x32.mat'
        if root is None:
            npz_path = os.path.join(chainer.dataset.get_dataset_root(), 'pfnet', 'chainer', 'svhn', f'{split}.npz')
            if os.path.exists(npz_path):
                path, (ims, labels) = npz_path, read_cached_npz(npz_path, ('x', 'y'))
            else:
                path = download(URL + name, n_bytes, name, 'SVHN')
                ims, labels = _read_mat(path)
        else:
            found = find_in_folders(root, [name])
            if found is None:
                raise nothing_in(root, name)
            path = found[name]
            ims, labels = _read_mat(path)
        check_array(path, 'images', ims, (32, 32, 3, n))
        check_array(path, 'labels', labels, (n, 1))
        check_labels(path, labels, 1, 10)
        super().__init__(np.ascontiguousarray(ims.transpose(3, 2, 0, 1)), labels.ravel() % 10, n_classes=10)

    @classmethod
    def names_of(cls, args):
        return CLASS_NAMES


def _read_mat(path):
    try:
        arrays = read_mat(path)
        return arrays['X'], arrays['y']
    except Exception as error:  # a damaged file raises whatever its bytes suggest
        raise ValueError(f"{path}: expected MATLAB's X and y, found {os.path.getsize(path)} bytes that are not "
                         f'({type(error).__name__}: {" ".join(str(error).split())})') from error
