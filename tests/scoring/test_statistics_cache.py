import json
import os

from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.datasets.image_files import ImageFolder, open_images
from source.datasets.imagenet import ImageNetDataset
from source.scoring import statistics_cache
from source.scoring.judging import reference_statistics
from source.scoring.statistics_cache import cache_folder, cache_key, cached_statistics, fingerprint
from tests.evaluations.scored_snapshot import write_images
from tests.feature_network import FakeFeatureNetwork

import numpy as np
import pytest


class Counting(FakeFeatureNetwork):
    """Counts the images that pass."""
    n = 0

    def __init__(self, name='digits', digest='none'):
        self.name, self.digest = name, digest

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


def dataset(seed=0, n=40, first=0):
    return ImageDataset(images(seed, n), (first + np.arange(n)) % 10, 10)


def assert_equal(found, expected):
    assert (found.mean.tobytes(), found.cov.tobytes(), found.n) == (
        expected.mean.tobytes(), expected.cov.tobytes(), expected.n)


def test_computed_once(capsys):
    network = Counting()
    first = cached_statistics(dataset(), network)
    again = cached_statistics(dataset(), network, images='the same in other words')
    assert network.n == 40
    for found in (first, again):
        assert_equal(found, reference_statistics(dataset(), FakeFeatureNetwork()))
    assert (first.network, first.network_sha256, first.images) == ('digits', 'none', '40 images of ImageDataset')
    assert again.images == 'the same in other words' and capsys.readouterr().err == ''
    some = cached_statistics(dataset(), network, np.arange(30))
    assert_equal(some, reference_statistics(dataset(), FakeFeatureNetwork(), np.arange(30)))
    assert some.images == '30 images of ImageDataset' and len(list(cache_folder().iterdir())) == 2


def test_everything_counts_and_the_place_does_not():
    keys = [cache_key(images_of, Counting()) for images_of in (
        DigitsDataset(size=8), DigitsDataset(size=16), DigitsDataset('test', size=8), dataset(), dataset(seed=1),
        dataset(first=1), dataset(n=39))]
    keys += [cache_key(dataset(), Counting(), np.arange(30)), cache_key(dataset(), Counting('other')),
             cache_key(dataset(), Counting(digest='other'))]
    assert len(set(keys)) == len(keys) and json.loads(keys[0])['settings'] == {'n_classes': 10, 'size': 8}
    assert cache_key(OnDisk(images()), Counting()) == cache_key(OnDisk(images(), 'there'), Counting())


def test_shapes_count(tmp_path):
    """Of the same bytes; those of square RGB images are not said, as in earlier keys."""
    found = []
    for shape in ((6, 3, 8, 8), (6, 3, 4, 16), (6, 3, 16, 4), (18, 1, 8, 8)):
        np.save(tmp_path / 'a.npy', images(n=6).reshape(shape))
        opened = open_images(tmp_path / 'a.npy')
        opened.labels = opened.labels[:6]
        found.append(fingerprint(opened))
    assert len(set(found)) == 4 and found[0] == fingerprint(ImageDataset(images(n=6), np.zeros(6), 1))


@pytest.mark.parametrize('make', [OnDisk, lambda ims: ImageDataset(ims, np.zeros(len(ims), int), 1)])
def test_each_image_counts(make):
    """In memory, and where the files of those on the disk are not known."""
    changed = [images() for _ in range(40)]
    for i, ims in enumerate(changed):
        ims[i, 1, 2, 3] ^= 1
    assert len({cache_key(make(ims), Counting()) for ims in (images(), *changed)}) == 41


@pytest.mark.parametrize('opened', [
    lambda folder: ImageFolder(folder / 'ims'),
    lambda folder: ImageNetDataset(str(folder / 'list.txt'), str(folder / 'ims'), size=8)], ids=['folder', 'imagenet'])
def test_each_file_and_its_name_count(opened, tmp_path):
    """Also one of the same size that no sample of the images meets."""
    paths = [*write_images(tmp_path / 'ims' / '0', images(n=35)), *write_images(tmp_path / 'ims' / '1', images(1, 35))]
    names = tmp_path / 'list.txt'
    names.write_text(''.join(f'{path.parent.name}/{path.name} {path.parent.name}\n' for path in paths))
    keys = [cache_key(opened(tmp_path), Counting())]
    assert cache_key(opened(tmp_path), Counting()) == keys[0]
    for path in paths[1::9]:
        content, stat = path.read_bytes(), path.stat()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))  # where a clock is slow, it is changed later
        keys.append(cache_key(opened(tmp_path), Counting()))
    paths[4].rename(paths[4].with_name('other.bmp'))
    names.write_text(names.read_text().replace(f'0/{paths[4].name}', '0/other.bmp'))
    keys.append(cache_key(opened(tmp_path), Counting()))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize('damage', ['byte', 'swapped', 'cut', 'pickle'])
def test_damaged_file_is_computed_anew(damage, capsys):
    network = Counting()
    cached_statistics(dataset(seed=9), Counting())
    of_others = next(cache_folder().iterdir()).read_bytes()
    first = cached_statistics(dataset(), network)
    path = next(p for p in cache_folder().iterdir() if p.read_bytes() != of_others)
    content = bytearray(path.read_bytes())
    content[content.index(first.mean.tobytes()) + 7] ^= 255
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
