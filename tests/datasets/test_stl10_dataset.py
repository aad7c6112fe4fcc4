import io
import os
import tarfile

from source.datasets import stl10
from source.datasets.cached_download import cache_path
from source.datasets.stl10 import STL10Dataset

import chainer
import numpy as np
import pytest
from PIL import Image

COUNTS = {'unlabeled': 7, 'train': 5, 'test': 4}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(stl10, 'SPLITS', COUNTS)
    monkeypatch.setattr(stl10, 'CHUNK', 3)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path / 'cache'))


def images(split):
    """uint8 (n, 96, 96, 3): red grows downwards, green to the right, blue is noise."""
    ims = np.random.RandomState(len(split)).randint(256, size=(COUNTS[split], 96, 96, 3), dtype=np.uint8)
    ims[..., 0], ims[..., 1] = np.arange(96)[:, None], 2 * np.arange(96)
    return ims


def files():
    """As the data set's page says: one byte a value, channel by channel, each channel column by column."""
    content = {f'{split}_X.bin': b''.join(np.asfortranarray(im[:, :, c]).tobytes('F') for im in images(split)
                                          for c in range(3)) for split in COUNTS}
    content |= {f'{split}_y.bin': bytes((3 * i) % 10 + 1 for i in range(COUNTS[split])) for split in ('train', 'test')}
    return {**content, 'class_names.txt': b'airplane\n'}


def write_folder(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)


def write_archive(path):
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in reversed(files().items()):
            member = tarfile.TarInfo(f'stl10_binary/{name}')
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def check(dataset, split, size=48):
    expected = [np.asarray(Image.fromarray(im).resize((size, size), Image.Resampling.BILINEAR)) for im in images(split)]
    np.testing.assert_array_equal(dataset.ims, np.stack(expected).transpose(0, 3, 1, 2))
    labelled = split != 'unlabeled'
    np.testing.assert_array_equal(dataset.labels, [(3 * i) % 10 if labelled else 0 for i in range(COUNTS[split])])
    assert (dataset.size, dataset.n_classes) == (size, 10 if labelled else 1)


@pytest.mark.parametrize('inside', ['', 'stl10_binary'])
@pytest.mark.parametrize('split', COUNTS)
def test_unpacked(tmp_path, inside, split):
    write_folder(tmp_path / inside)
    check(STL10Dataset(split, root=str(tmp_path)), split)


@pytest.mark.parametrize('split', COUNTS)
def test_archive(tmp_path, split):
    write_archive(tmp_path / 'stl10_binary.tar.gz')
    check(STL10Dataset(split, root=str(tmp_path)), split)


def test_size(tmp_path):
    write_folder(tmp_path)
    check(STL10Dataset('test', size=32, root=str(tmp_path)), 'test', 32)
    np.testing.assert_array_equal(STL10Dataset('test', size=96, root=str(tmp_path)).ims.transpose(0, 2, 3, 1),
                                  images('test'))


def test_default_is_the_papers():
    assert STL10Dataset.__init__.__defaults__ == ('unlabeled', 48, None)


def test_cache_is_filled_and_read(tmp_path, cache, monkeypatch):
    write_archive(tmp_path / 'stl10_binary.tar.gz')
    url = (tmp_path / 'stl10_binary.tar.gz').as_uri()
    monkeypatch.setattr(stl10, 'ARCHIVE_URL', url)
    with pytest.raises(ValueError, match='expected 2640397119 bytes, found'):
        STL10Dataset('test')
    monkeypatch.setattr(stl10, 'ARCHIVE_BYTES', os.path.getsize(tmp_path / 'stl10_binary.tar.gz'))
    check(STL10Dataset('test'), 'test')
    os.remove(tmp_path / 'stl10_binary.tar.gz')
    assert os.path.exists(cache_path(url))
    check(STL10Dataset('train'), 'train')


def test_no_network(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(stl10, 'ARCHIVE_URL', (tmp_path / 'nowhere').as_uri())
    with pytest.raises(FileNotFoundError, match=r'STL-10 is not in .* could not be fetched .*\(--data_dir\)'):
        STL10Dataset()


def test_what_is_missing_or_cut(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'expected a folder with stl10_binary.tar.gz or stl10_binary/, found'):
        STL10Dataset(root=str(tmp_path))
    write_folder(tmp_path)
    (tmp_path / 'train_X.bin').write_bytes(b'\0' * 100)
    with pytest.raises(ValueError, match='train_X.bin: expected 138240 bytes, found 100'):
        STL10Dataset('train', root=str(tmp_path))
    (tmp_path / 'test_y.bin').write_bytes(b'\1\2\3\x0b')
    with pytest.raises(ValueError, match='test_y.bin: expected labels 1 to 10, found 1 to 11'):
        STL10Dataset('test', root=str(tmp_path))
    os.remove(tmp_path / 'unlabeled_X.bin')
    with pytest.raises(FileNotFoundError, match='unlabeled_X.bin: expected a file of 193536 bytes, found none'):
        STL10Dataset(root=str(tmp_path))


@pytest.mark.parametrize('kept', [0, 1000, .5, .999])
def test_cut_archive(tmp_path, kept):
    path = tmp_path / 'stl10_binary.tar.gz'
    write_archive(path)
    content = path.read_bytes()
    path.write_bytes(content[:kept if isinstance(kept, int) else int(len(content) * kept)])
    with pytest.raises(ValueError, match='stl10_binary.tar.gz.*expected.*found') as error:
        STL10Dataset('unlabeled', root=str(tmp_path))
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('arguments, message', [
    ({'split': 'valid'}, "split: expected one of unlabeled, train, test, got 'valid'"),
    ({'size': 97}, 'size: expected 1 to 96 px, got 97'), ({'size': 0}, 'got 0')])
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        STL10Dataset(**arguments)
