"""What would be downloaded, where nothing may be; downloads are in test_published_data_sets.py."""
import contextlib
import hashlib
import http.client
import os
import socket
import urllib.request

import train
from source.datasets.cached_download import WouldDownload, cached_download, no_downloads
from tests.narrow import run, write_config

import chainer
import pytest


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.dataset.download, '_dataset_root', str(tmp_path / 'root'))


def connect(family, address):
    with socket.socket(family) as connection:
        connection.connect((address, 80))


@pytest.mark.parametrize('download, expected', [
    (lambda: chainer.dataset.cached_download('http://example.invalid/x'), 'http://example.invalid/x'),
    (lambda: urllib.request.urlopen('https://example.invalid/x'), 'https://example.invalid/x'),
    (lambda: http.client.HTTPConnection('example.invalid', timeout=1).request('GET', '/'), 'example.invalid'),
    (lambda: connect(socket.AF_INET6, '2001:db8::1'), '2001:db8::1'),
    (lambda: connect(socket.AF_INET, '192.0.2.1'), '192.0.2.1')])
def test_anybodys_code_is_refused(download, expected):
    with no_downloads() as needed, pytest.raises(WouldDownload), contextlib.suppress(Exception):
        download()
    assert [str(error) for error in needed] == [expected]


def test_this_machine_is_no_download_and_afterwards_nothing_is(tmp_path):
    (tmp_path / 'served').write_bytes(b'x' * 1000)
    url = (tmp_path / 'served').as_uri()
    with socket.create_server(('127.0.0.1', 0)) as server, no_downloads() as needed:
        socket.create_connection(('localhost', server.getsockname()[1]), 1).close()
        assert urllib.request.urlopen(url).read() == b'x' * 1000
    assert needed == [] and os.path.basename(cached_download(url, 1000)) == hashlib.md5(url.encode()).hexdigest()
    with pytest.raises(OSError):
        socket.create_connection(('example.invalid', 80), 1)


MINE = """import urllib.request
import chainer
class Mine:
    def __init__(self):
        self.pairs = chainer.datasets.get_mnist()[0]
class Late:
    def __len__(self):
        return 9
    def __getitem__(self, i):
        return urllib.request.urlopen('https://example.invalid/x')
"""


@pytest.mark.parametrize('file, name, first', [
    ('datasets/cifar10.py', 'CIFAR10Dataset', 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz (170 MB) to '),
    ('datasets/svhn.py', 'SVHNDataset', 'http://ufldl.stanford.edu/housenumbers/train_32x32.mat (182 MB) to '),
    ('datasets/stl10.py', 'STL10Dataset', 'http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz (2640 MB) to '),
    ('mine.py', 'Mine', 'http://'), ('mine.py', 'Late', 'https://example.invalid/x')])
def test_dry_run(tmp_path, capsys, file, name, first):
    """With nothing in the cache: says what training would fetch, and checks the rest."""
    (tmp_path / 'mine.py').write_text(MINE)
    path = write_config(tmp_path, {'dataset': {'dataset_fn': file, 'dataset_name': name}})
    arguments = '--config', path, '--gpu', -1, '--dry_run', '--results_dir', tmp_path / 'out'
    assert run(train.main, *arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith(f'{path}: training would first download {first}')
    assert out.endswith('; all but the data is checked\n') and out.count('\n') == 1
    assert not (tmp_path / 'out').exists()
    if ' to ' in first:
        assert f' to {tmp_path}/root/_dl_cache/' in out and not (tmp_path / 'root').exists()
    else:
        assert run(train.main, *arguments, '--set', 'evaluation.network=none_such') == 2
        assert 'evaluation.network: expected one of' in capsys.readouterr().err


def test_a_model_that_downloads(tmp_path, capsys):
    (tmp_path / 'gen.py').write_text("import urllib.request\nurllib.request.urlopen('https://example.invalid/x')\n")
    path = write_config(tmp_path, {'models.generator.fn': 'gen.py'})
    assert run(train.main, '--config', path, '--gpu', -1, '--dry_run') == 0
    assert capsys.readouterr().out == f'{path}: training would first download https://example.invalid/x\n'
