"""Whatever a data file holds, reading it ends soon, writes nothing and, failing, says which file."""
import gzip

from source.datasets import cifar10, fashion_mnist, stl10, svhn
from source.datasets.annotations import read_annotation
from source.datasets.files import read_cached_npz
from source.datasets.folder import FolderDataset
from source.datasets.image_files import ImageArray, ImageFolder
from source.datasets.imagenet import ImageNetDataset
from source.datasets.imagenet_files import read_wnids
from source.datasets.packed import PackedDataset
from source.datasets.packed_file import header
from source.datasets.validation_classes import validation_classes
from source.files.journal import Journal
from tests.datasets.imagenet_tree import encoded, photo
from tests.datasets.writers import idx, pixels, python2_batch, saved, tar_gz
from tests.hostile import Reader, check, few_and_all

import numpy as np
import pytest
from scipy.io import savemat

N = 4  # images in each file
SMALL = ((cifar10, 'BATCH_SIZE', N), (cifar10, 'TRAIN_BATCHES', ['data_batch_1']), (stl10, 'SPLITS', {'train': N}),
         (svhn, 'FILES', {'test': (N, 0)}),
         (fashion_mnist, 'N_OF_CLASS', {'t10k': np.bincount(pixels(N) % 10, minlength=10).tolist()}))
CASES = {}  # {name: (the file, what it holds, reader of its folder, {the files beside it: what they hold})}


def case(name, file, content, load, files=()):
    CASES[name] = file, content, load, {other: held for other, held in dict(files).items() if other != file}


def images(make):
    """A reader of all images and labels of the data set that is made of a folder."""
    def load(folder):
        dataset = make(folder)
        return dataset.load_ims(np.arange(len(dataset)), np.random.RandomState(0)), dataset.labels
    return load


read_cifar10 = images(lambda folder: cifar10.CIFAR10Dataset(root=str(folder)))
read_stl10 = images(lambda folder: stl10.STL10Dataset('train', 8, str(folder)))
read_fashion_mnist = images(lambda folder: fashion_mnist.FashionMNISTDataset(True, root=str(folder)))
read_list = images(lambda folder: ImageNetDataset(str(folder / 'list.txt'), str(folder), 8))
BATCH, IMAGE = python2_batch(pixels(N, 3072), [1, 2, 3, 9]), photo(0, (40, 30))
case('CIFAR-10 batch', 'data_batch_1', BATCH, read_cifar10, {'test_batch': BATCH})
case('CIFAR-10 archive', 'cifar-10-python.tar.gz', tar_gz({'c/data_batch_1': BATCH, 'c/test_batch': BATCH}),
     read_cifar10)
case('CIFAR-10 .npz', 'cifar-10.npz', saved(np.savez_compressed, train_x=pixels(N, 3072), train_y=np.arange(N)),
     lambda folder: cifar10._read_npz(str(folder / 'cifar-10.npz'), False))
STL10 = {'train_X.bin': pixels(N, 27648).tobytes(), 'train_y.bin': bytes((1, 10, 3, 4))}
for file, content in STL10.items():
    case(f'STL-10 {file}', file, content, read_stl10, STL10)
case('STL-10 archive', 'stl10_binary.tar.gz', tar_gz({f'stl10_binary/{k}': v for k, v in STL10.items()}), read_stl10)
for compressed in (False, True):
    case(f'SVHN .mat, compressed: {compressed}', 'test_32x32.mat', saved(
        savemat, {'X': pixels(32, 32, 3, N), 'y': pixels(N, 1) % 10 + 1}, do_compression=compressed),
        images(lambda folder: svhn.SVHNDataset('test', str(folder))))
case('cached .npz', 'a.npz', saved(np.savez, x=pixels(N, 784), y=pixels(N)),
     lambda folder: read_cached_npz(str(folder / 'a.npz'), ('x', 'y')))
IDX = {'t10k-images-idx3-ubyte': idx(pixels(N, 28, 28)), 't10k-labels-idx1-ubyte': idx(pixels(N) % 10)}
for files in (IDX, {f'{name}.gz': gzip.compress(content, 1, mtime=0) for name, content in IDX.items()}):
    for file, content in files.items():
        case(f'Fashion-MNIST {file}', file, content, read_fashion_mnist, files)
case('list', 'list.txt', b'n0/a.png 0\nn0/b.png 999\n', read_list,
     {'n0/a.png': encoded(IMAGE, 'PNG'), 'n0/b.png': encoded(IMAGE, 'PNG')})
for kind, options in (('JPEG', {}), ('PNG', {}), ('GIF', {}), ('BMP', {}), ('WEBP', {}), ('PPM', {}),
                      ('TIFF', {'compression': 'tiff_lzw'}), ('JPEG', {'progressive': True})):
    case(f'image {kind} {options}', f'n0/a.{kind}', encoded(IMAGE, kind, **options), read_list,
         {'list.txt': f'n0/a.{kind} 0\n'.encode()})
SMALL_PNG = encoded(IMAGE.resize((8, 8)), 'PNG')
case('image folder', '0/a.png', SMALL_PNG, images(ImageFolder), {'1/b.png': SMALL_PNG})
case('image .npz', 'a.npz', saved(np.savez, ims=pixels(N, 6, 6, 3), y=np.arange(N)),
     images(lambda folder: ImageArray(folder / 'a.npz')))
case('image .npy', 'a.npy', saved(np.save, pixels(N, 6, 6)), images(lambda folder: ImageArray(folder / 'a.npy')))
PACKED = {'a.npy': header(N, 6) + pixels(N, 6, 6, 3).tobytes(),
          'a_labels.npy': saved(np.save, np.arange(N, dtype=np.int32))}
for file, content in PACKED.items():
    case(f'packed {file}', file, content, images(lambda folder: PackedDataset('a.npy', str(folder), 6)), PACKED)
case('prepared folder', 'images_6_report.json', b'{"classes": ["a", "b", "c", "d"], "made_of": {"resize_method": '
     b'"bilinear"}}', images(lambda folder: FolderDataset(str(folder), 6)),
     {'images_6.npy': PACKED['a.npy'], 'images_6_labels.npy': PACKED['a_labels.npy']})
case('annotation', 'a.xml',
     b'<annotation><size><width>9</width><height>9</height></size><object><name>n00000001</name><bndbox>'
     b'<xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>',
     lambda folder: read_annotation(str(folder / 'a.xml')))
case('synsets', 'synsets.txt', b'n00000001 tench\nn00000002 dog, hound\n',
     lambda folder: read_wnids(str(folder / 'synsets.txt')))
case('validation .csv', 'a.csv', b'ImageId,PredictionString\na,n00000001 1 2 3 4\nb,n00000002 1 2 3 4\n',
     lambda folder: validation_classes(str(folder / 'a.csv'))('a.JPEG'))
case('validation list', 'a.txt', b'a.JPEG n00000001\nb.JPEG 1\n',
     lambda folder: validation_classes(str(folder / 'a.txt'))('a.JPEG'))
case('journal', 'journal.jsonl', b'{"size": 8}\n{"n_files": 2}\n{"n_files": 4}\n',
     lambda folder: Journal(folder / 'journal.jsonl', 'n_files', {'size': 8}).entries)


@pytest.mark.filterwarnings('ignore')  # Pillow's and SciPy's of what they make good
@few_and_all
@pytest.mark.parametrize('name', CASES)
def test_hostile_files(tmp_path, monkeypatch, name, n_examples):
    for change in SMALL:
        monkeypatch.setattr(*change)
    file, content, load, others = CASES[name]
    for path, held in {**others, file: content}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(held)
    # A list may be right and name an image that is not there; a journal drops its last line if that was cut.
    check(Reader(tmp_path / file, lambda path: load(tmp_path), content, tmp_path if name == 'list' else None,
                 name == 'journal'), n_examples)
