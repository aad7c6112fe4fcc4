"""Whatever a data file holds, reading it ends soon, writes nothing and, failing, says which file."""
import gzip
import io
import json
import struct
import tarfile
from collections.abc import Callable
from dataclasses import dataclass

from source.datasets import cifar10, fashion_mnist, stl10, svhn
from source.datasets.annotations import read_annotation
from source.datasets.files import read_cached_npz
from source.datasets.image_files import ImageArray, ImageFolder
from source.datasets.imagenet import ImageNetDataset
from source.datasets.imagenet_files import read_wnids
from source.datasets.packed import PackedDataset
from source.datasets.packed_file import PackedWriter, save_labels
from source.datasets.validation_classes import validation_classes
from source.miscs.journal import Journal
from tests.datasets.imagenet_tree import encoded, photo
from tests.hostile import Reader, check, few_and_all

import numpy as np
import pytest
from scipy.io import savemat

N = 4  # images in each file
SMALL = ((cifar10, 'BATCH_SIZE', N), (cifar10, 'TRAIN_BATCHES', ['data_batch_1']), (stl10, 'SPLITS', {'train': N}),
         (svhn, 'FILES', {'test': (N, 0)}), (fashion_mnist, '_n', lambda test: N))


@dataclass
class Case:
    """`load(folder)` reads the file `name`, which holds `content`, beside the files of `others`."""
    name: str
    content: bytes
    load: Callable
    others: dict = None


def read_all(dataset):
    return dataset.load_ims(np.arange(len(dataset)), np.random.RandomState(0)), dataset.labels


def pixels(*shape):
    return np.random.RandomState(0).randint(256, size=shape, dtype=np.uint8)


def tar_gz(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def idx(array):
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f'>{array.ndim}i', *array.shape) + array.tobytes()


def saved(save, *args, **kwargs):
    file = io.BytesIO()
    save(file, *args, **kwargs)
    return file.getvalue()


def image_case(name, content):
    return Case(f'n0/{name}', content, lambda folder: read_all(ImageNetDataset(
        str(folder / 'list.txt'), str(folder), 8)), {'list.txt': f'n0/{name} 0\n'.encode()})


def packed_files(folder):
    with PackedWriter(folder / 'a.npy', 6) as writer:
        writer.write(pixels(N, 6, 6, 3))
        writer.finish(N)
    save_labels(folder / 'a.npy', range(N))
    return {path.name: path.read_bytes() for path in folder.glob('a*.npy')}


def cases(dump_python2_batch, folder):
    """{name: Case} of all loaders; `folder` is written to."""
    batch = dump_python2_batch(b'a', [1, 2, 3, 9], pixels(N, 3072), [b'a.png'] * N)
    stl = {'train_X.bin': pixels(N, 27648).tobytes(), 'train_y.bin': bytes((1, 10, 3, 4))}
    idx_files = {'t10k-images-idx3-ubyte': idx(pixels(N, 28, 28)), 't10k-labels-idx1-ubyte': idx(pixels(N) % 10)}
    gz_files = {f'{name}.gz': gzip.compress(content, 1, mtime=0) for name, content in idx_files.items()}
    packed, image = packed_files(folder), photo(0, (40, 30))
    solution = b'ImageId,PredictionString\na,n00000001 1 2 3 4\nb,n00000002 1 2 3 4\n'
    xml = (b'<annotation><size><width>9</width><height>9</height></size><object><name>n00000001</name><bndbox>'
           b'<xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>')

    def cifar(folder):
        return read_all(cifar10.CIFAR10Dataset(root=str(folder)))

    def stl_train(folder):
        return read_all(stl10.STL10Dataset('train', 8, str(folder)))

    def fashion(folder):
        return read_all(fashion_mnist.FashionMNISTDataset(True, root=str(folder)))

    def of_packed(folder):
        return read_all(PackedDataset('a.npy', str(folder), 6))

    def classes(folder, name):
        class_of = validation_classes(str(folder / name))
        return class_of('a.JPEG'), class_of('val_00000002.JPEG')

    def journal(folder):
        return Journal(folder / 'journal.jsonl', 'n_files', {'size': 8}).entries

    return {
        'CIFAR-10 batch': Case('data_batch_1', batch, cifar, {'test_batch': batch}),
        'CIFAR-10 archive': Case('cifar-10-python.tar.gz', tar_gz({'c/data_batch_1': batch, 'c/test_batch': batch}),
                                 cifar),
        'CIFAR-10 .npz': Case('cifar-10.npz', saved(np.savez_compressed, train_x=pixels(N, 3072), train_y=np.arange(N)),
                              lambda folder: cifar10._read_npz(str(folder / 'cifar-10.npz'), False)),
        'STL-10 images': Case('train_X.bin', stl['train_X.bin'], stl_train, {'train_y.bin': stl['train_y.bin']}),
        'STL-10 labels': Case('train_y.bin', stl['train_y.bin'], stl_train, {'train_X.bin': stl['train_X.bin']}),
        'STL-10 archive': Case('stl10_binary.tar.gz', tar_gz({f'stl10_binary/{k}': v for k, v in stl.items()}),
                               stl_train),
        'SVHN .mat': Case('test_32x32.mat', saved(savemat, {'X': pixels(32, 32, 3, N), 'y': pixels(N, 1) % 10 + 1}),
                          lambda folder: read_all(svhn.SVHNDataset('test', str(folder)))),
        'SVHN .mat, compressed': Case(
            'test_32x32.mat', saved(savemat, {'X': pixels(32, 32, 3, N), 'y': pixels(N, 1) % 10 + 1},
                                    do_compression=True),
            lambda folder: read_all(svhn.SVHNDataset('test', str(folder)))),
        'cached .npz': Case('a.npz', saved(np.savez, x=pixels(N, 784), y=pixels(N)),
                            lambda folder: read_cached_npz(str(folder / 'a.npz'), ('x', 'y'))),
        **{f'Fashion-MNIST {name}': Case(name, content, fashion, {k: v for k, v in files.items() if k != name})
           for files in (idx_files, gz_files) for name, content in files.items()},
        'list': Case('list.txt', b'n0/a.png 0\nn0/b.png 999\n', lambda folder: read_all(
            ImageNetDataset(str(folder / 'list.txt'), str(folder), 8)),
            {'n0/a.png': encoded(image, 'PNG'), 'n0/b.png': encoded(image, 'PNG')}),
        **{f'image {kind}': image_case(f'a.{kind}', encoded(image, kind, **options)) for kind, options in (
            ('JPEG', {}), ('PNG', {}), ('GIF', {}), ('BMP', {}), ('WEBP', {}), ('TIFF', {'compression': 'tiff_lzw'}),
            ('PPM', {}))},
        'image progressive JPEG': image_case('a.JPEG', encoded(image, progressive=True)),
        'image folder': Case('0/a.png', encoded(image.resize((8, 8)), 'PNG'), lambda folder: read_all(
            ImageFolder(folder, 8)), {'1/b.png': encoded(image.resize((8, 8)), 'PNG')}),
        'image .npz': Case('a.npz', saved(np.savez, ims=pixels(N, 6, 6, 3), y=np.arange(N)),
                           lambda folder: read_all(ImageArray(folder / 'a.npz'))),
        **{f'packed {name}': Case(name, content, of_packed, {k: v for k, v in packed.items() if k != name})
           for name, content in packed.items()},
        'annotation': Case('a.xml', xml, lambda folder: read_annotation(str(folder / 'a.xml'))),
        'synsets': Case('synsets.txt', b'n00000001 tench\nn00000002 dog, hound\n',
                        lambda folder: read_wnids(str(folder / 'synsets.txt'))),
        'validation .csv': Case('a.csv', solution, lambda folder: classes(folder, 'a.csv')),
        'validation list': Case('a.txt', b'a.JPEG n00000001\nb.JPEG 1\n', lambda folder: classes(folder, 'a.txt')),
        'journal': Case('journal.jsonl', b''.join(json.dumps(line).encode() + b'\n' for line in (
            {'size': 8}, {'n_files': 2}, {'n_files': 4})), journal),
    }


NAMES = ['CIFAR-10 batch', 'CIFAR-10 archive', 'CIFAR-10 .npz', 'STL-10 images', 'STL-10 labels', 'STL-10 archive',
         'SVHN .mat', 'SVHN .mat, compressed', 'cached .npz', 'Fashion-MNIST t10k-images-idx3-ubyte',
         'Fashion-MNIST t10k-labels-idx1-ubyte', 'Fashion-MNIST t10k-images-idx3-ubyte.gz',
         'Fashion-MNIST t10k-labels-idx1-ubyte.gz', 'list', 'image JPEG', 'image PNG', 'image GIF', 'image BMP',
         'image WEBP', 'image TIFF', 'image PPM', 'image progressive JPEG', 'image folder', 'image .npz',
         'packed a.npy', 'packed a_labels.npy', 'annotation', 'synsets', 'validation .csv', 'validation list',
         'journal']


def reader_of(case, folder):
    for file, content in {**(case.others or {}), case.name: case.content}.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
    return Reader(folder / case.name, lambda path: case.load(folder), case.content)


@pytest.fixture(scope='module')
def readers(tmp_path_factory):
    from tests.datasets.conftest import _dump_python2_batch
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in SMALL:
            patch.setattr(module, name, value)
        made = cases(_dump_python2_batch, tmp_path_factory.mktemp('packed'))
        assert list(made) == NAMES
        found = {name: reader_of(case, tmp_path_factory.mktemp('files')) for name, case in made.items()}
        # A list may be right and name an image that is not there; a journal drops its last line if that was cut.
        found['list'] = found['list']._replace(blamed=found['list'].path.parent)
        found['journal'] = found['journal']._replace(may_write=True)
        yield found


@pytest.mark.filterwarnings('ignore')  # Pillow's and SciPy's of what they make good
@few_and_all
@pytest.mark.parametrize('name', NAMES)
def test_hostile_files(readers, name, n_examples):
    check(readers[name], n_examples)
