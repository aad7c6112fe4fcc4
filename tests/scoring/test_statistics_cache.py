import json
import os

from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.datasets.image_files import ImageFolder
from source.datasets.imagenet import ImageNetDataset
from source.scoring import statistics_cache
from source.scoring.judging import reference_statistics
from source.scoring.statistics_cache import cache_folder, cache_key, cached_statistics, fingerprint
from tests.feature_network import FakeFeatureNetwork

import numpy as np
import pytest
from PIL import Image


class Counting(FakeFeatureNetwork):
    """Counts the images that pass."""

    def __init__(self, name='digits', digest='none'):
        self.name, self.digest, self.n = name, digest, 0

    def __call__(self, ims):
        self.n += len(ims)
        return super().__call__(ims)


class OnDisk(ImageDataset):
    """Not in memory, and not known to be in files."""

    def __init__(self, ims, root='here'):
        self.hidden, self.root = ims, root
        super().__init__(None, np.zeros(len(ims), int), 1, ims.shape[-1])

    def load_ims(self, indices, rng=None):
        return self.hidden[indices]


def dataset(seed=0, n=40, labels=None):
    ims = np.random.RandomState(seed).randint(256, size=(n, 3, 8, 8)).astype(np.uint8)
    return ImageDataset(ims, np.arange(n) % 10 if labels is None else labels, 10)


def assert_equal(found, expected):
    assert found.mean.tobytes() == expected.mean.tobytes()
    assert found.cov.tobytes() == expected.cov.tobytes()
    assert found.n == expected.n


def test_computed_once(capsys):
    network = Counting()
    first = cached_statistics(dataset(), network)
    assert network.n == 40
    again = cached_statistics(dataset(), network, images='the same in other words')
    assert network.n == 40
    assert_equal(again, first)
    assert_equal(first, reference_statistics(dataset(), Counting()))
    assert (first.network, first.network_sha256, first.images) == ('digits', 'none', '40 images of ImageDataset')
    assert again.images == 'the same in other words'
    assert capsys.readouterr().err == ''
    assert len(list(cache_folder().iterdir())) == 1


@pytest.mark.parametrize('other', [
    {'dataset': dataset(seed=1)}, {'dataset': dataset(labels=np.arange(40)[::-1] % 10)}, {'dataset': dataset(n=39)},
    {'indices': np.arange(30)}, {'network': Counting(name='other')}, {'network': Counting(digest='other')}])
def test_everything_counts(other):
    given = {'dataset': dataset(), 'network': Counting(), 'indices': None}
    cached_statistics(**given)
    changed = {**given, **other}
    changed['network'].n = 0
    found = cached_statistics(**changed)
    assert changed['network'].n == (40 if 'indices' not in other else 30) - ('dataset' in other and len(
        changed['dataset']) == 39)
    assert_equal(found, reference_statistics(changed['dataset'], FakeFeatureNetwork(), changed['indices']))
    assert len(list(cache_folder().iterdir())) == 2


def test_size_split_and_class_count():
    network = Counting()
    keys = [cache_key(d, network) for d in (DigitsDataset(size=8), DigitsDataset(size=16), DigitsDataset('test', 8))]
    assert len(set(keys)) == 3
    assert json.loads(keys[0])['settings'] == {'n_classes': 10, 'size': 8}


def test_one_image_of_many_counts():
    one = dataset()
    one.ims[17, 1, 2, 3] ^= 1
    assert cache_key(one, Counting()) != cache_key(dataset(), Counting())


def test_place_of_the_data_does_not_count(monkeypatch):
    ims = dataset(n=100).ims
    assert cache_key(OnDisk(ims), Counting()) == cache_key(OnDisk(ims, 'there'), Counting())
    other = ims.copy()
    other[-1] += 1
    assert cache_key(OnDisk(other), Counting()) != cache_key(OnDisk(ims), Counting())


def test_each_image_counts_where_files_are_not_known():
    ims = dataset(n=100).ims
    before = cache_key(OnDisk(ims.copy()), Counting())
    for i in range(100):
        other = ims.copy()
        other[i] ^= 1
        assert cache_key(OnDisk(other), Counting()) != before


@pytest.fixture(params=['folder', 'imagenet'])
def files(request, tmp_path):
    """A way to open 70 images in files of the same place anew, and the files."""
    ims = dataset(n=70).ims
    paths = [tmp_path / 'ims' / str(k % 2) / f'{k:02d}.bmp' for k in range(70)]
    for path, im in zip(paths, ims, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(im.transpose(1, 2, 0)).save(path)
    if request.param == 'folder':
        return lambda: ImageFolder(tmp_path / 'ims'), sorted(paths)
    (tmp_path / 'list.txt').write_text(''.join(f'{k % 2}/{k:02d}.bmp {k % 2}\n' for k in range(70)))
    return lambda: ImageNetDataset(str(tmp_path / 'list.txt'), str(tmp_path / 'ims'), size=8), paths


def test_each_file_counts(files):
    """Also one of the same size that no sample of the images meets."""
    open_dataset, paths = files
    before = cache_key(open_dataset(), Counting())
    assert cache_key(open_dataset(), Counting()) == before
    for path in paths[1::9]:
        content, stat = path.read_bytes(), path.stat()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))  # where a clock is slow, it is changed later
        changed = cache_key(open_dataset(), Counting())
        assert changed != before
        before = changed


def test_names_of_files_count(files):
    open_dataset, paths = files
    before = fingerprint(open_dataset())
    paths[4].rename(paths[4].with_name('other.bmp'))
    for file in paths[0].parents[2].glob('list.txt'):
        file.write_text(file.read_text().replace(f'{paths[4].name}', 'other.bmp'))
    assert fingerprint(open_dataset()) != before


def corrupt_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def swap(path):
    """A whole file, but of other images."""
    cached_statistics(dataset(seed=9), Counting())
    other = next(p for p in path.parent.iterdir() if p != path)
    other.replace(path)


@pytest.mark.parametrize('damage', [
    corrupt_byte, swap, lambda path: path.write_bytes(path.read_bytes()[:-100]), lambda path: path.write_bytes(b''),
    lambda path: path.write_bytes(b'\x80\x04N.')], ids=['byte', 'swapped', 'cut', 'empty', 'pickle'])
def test_damaged_file_is_computed_anew(damage, capsys):
    network = Counting()
    first = cached_statistics(dataset(), network)
    path = next(cache_folder().iterdir())
    damage(path)
    network.n = 0
    assert_equal(cached_statistics(dataset(), network), first)
    assert network.n == 40
    told = capsys.readouterr().err
    assert told.count('\n') == 1 and told.startswith(f'{path}: ') and told.endswith('; computing it anew\n')
    cached_statistics(dataset(), network)
    assert network.n == 40  # it was put right


def test_folder_that_cannot_be_written(monkeypatch, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('SNGAN_CACHE', str(tmp_path / 'file' / 'cache'))
    assert cached_statistics(dataset(), Counting()).n == 40
    assert '$SNGAN_CACHE names another folder' in capsys.readouterr().err


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.delenv('SNGAN_CACHE')
    monkeypatch.setattr(statistics_cache.Path, 'home', lambda: tmp_path)
    assert cache_folder() == tmp_path / '.cache' / 'sngan'
