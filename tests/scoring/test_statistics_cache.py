import json
import os

from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.datasets.image_files import ImageFolder
from source.datasets.imagenet import ImageNetDataset
from source.scoring import statistics_cache
from source.scoring.judging import reference_statistics
from source.scoring.statistics_cache import cache_folder, cache_key, cached_statistics
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


def images(seed=0, n=40):
    return np.random.RandomState(seed).randint(256, size=(n, 3, 8, 8)).astype(np.uint8)


def dataset(seed=0, n=40, labels=None):
    return ImageDataset(images(seed, n), np.arange(n) % 10 if labels is None else labels, 10)


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
    cached_statistics(dataset(), Counting())
    given = {'dataset': dataset(), 'network': Counting(), 'indices': None, **other}
    found = cached_statistics(**given)
    assert given['network'].n == len(other.get('indices', given['dataset']))
    assert_equal(found, reference_statistics(given['dataset'], FakeFeatureNetwork(), given['indices']))
    assert len(list(cache_folder().iterdir())) == 2


@pytest.mark.parametrize('make', [OnDisk, lambda ims: ImageDataset(ims, np.zeros(len(ims), int), 1)])
def test_each_image_size_and_split_count_and_the_place_does_not(make):
    """In memory, and where the files of those on the disk are not known."""
    changed = [images() for _ in range(40)]
    for i, ims in enumerate(changed):
        ims[i, 1, 2, 3] ^= 1
    assert len({cache_key(make(ims), Counting()) for ims in (images(), *changed)}) == 41
    assert cache_key(OnDisk(images()), Counting()) == cache_key(OnDisk(images(), 'there'), Counting())
    keys = [cache_key(d, Counting()) for d in (DigitsDataset(size=8), DigitsDataset(size=16), DigitsDataset('test', 8))]
    assert len(set(keys)) == 3
    assert json.loads(keys[0])['settings'] == {'n_classes': 10, 'size': 8}


@pytest.mark.parametrize('kind', ['folder', 'imagenet'])
def test_each_file_and_its_name_count(kind, tmp_path):
    """Also one of the same size that no sample of the images meets."""
    paths = [tmp_path / 'ims' / str(k % 2) / f'{k:02d}.bmp' for k in range(70)]
    for path, im in zip(paths, images(n=70), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(im.transpose(1, 2, 0)).save(path)
    names = tmp_path / 'list.txt'
    names.write_text(''.join(f'{k % 2}/{k:02d}.bmp {k % 2}\n' for k in range(70)))

    def key():
        opened = ImageFolder(tmp_path / 'ims') if kind == 'folder' else ImageNetDataset(
            str(names), str(tmp_path / 'ims'), size=8)
        return cache_key(opened, Counting())
    keys = [key()]
    assert key() == keys[0]
    for path in paths[1::9]:
        content, stat = path.read_bytes(), path.stat()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))  # where a clock is slow, it is changed later
        keys.append(key())
    paths[4].rename(paths[4].with_name('other.bmp'))
    names.write_text(names.read_text().replace(paths[4].name, 'other.bmp'))
    keys.append(key())
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize('damage', ['byte', 'swapped', 'cut', 'pickle'])
def test_damaged_file_is_computed_anew(damage, capsys):
    network = Counting()
    cached_statistics(dataset(seed=9), Counting())
    of_others = next(cache_folder().iterdir()).read_bytes()
    first = cached_statistics(dataset(), network)
    path = next(p for p in cache_folder().iterdir() if p.read_bytes() != of_others)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes({'byte': content, 'swapped': of_others, 'cut': content[:-100], 'pickle': b'\x80\x04N.'}[damage])
    for _ in range(2):  # the second time it was put right
        assert_equal(cached_statistics(dataset(), network), first)
        assert network.n == 80
    told = capsys.readouterr().err
    assert told.count('\n') == 1 and told.startswith(f'{path}: ') and told.endswith('; computing it anew\n')


def test_folders(monkeypatch, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('SNGAN_CACHE', str(tmp_path / 'file' / 'cache'))
    assert cached_statistics(dataset(), Counting()).n == 40
    assert '$SNGAN_CACHE names another folder' in capsys.readouterr().err
    monkeypatch.delenv('SNGAN_CACHE')
    monkeypatch.setattr(statistics_cache.Path, 'home', lambda: tmp_path)
    assert cache_folder() == tmp_path / '.cache' / 'sngan'
