import hashlib
import os

from source.datasets.cached_download import cache_path, cached_download

import chainer
import pytest


@pytest.fixture
def url(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path / 'root'))
    source_path = tmp_path / 'served'
    source_path.write_bytes(b'x' * 1000)
    return source_path.as_uri()


def test_the_cache_is_chainers(url):
    assert cache_path('https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz').endswith(
        os.path.join('_dl_cache', 'f2751d3a22ccb78db0e07874912b5c43'))
    path = cached_download(url, 1000)
    assert path == chainer.dataset.cached_download(url)
    assert os.path.basename(path) == hashlib.md5(url.encode()).hexdigest()


def test_downloads_once(url, tmp_path, capsys):
    cached_download(url, 1000)
    assert 'downloading' in capsys.readouterr().err
    os.remove(tmp_path / 'served')
    with open(cached_download(url, 1000), 'rb') as file:
        assert file.read() == b'x' * 1000
    assert capsys.readouterr().err == ''


def test_a_cut_file_is_not_cached(url):
    with pytest.raises(ValueError, match='expected 1001 bytes, found 1000'):
        cached_download(url, 1001)
    assert os.listdir(os.path.dirname(cache_path(url))) == []


def test_a_missing_file_is_an_os_error(url):
    with pytest.raises(OSError):
        cached_download(url + '-not', 1000)
    assert os.listdir(os.path.dirname(cache_path(url))) == []
