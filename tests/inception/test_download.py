"""The command against a server of its own: whole, cut, resumed, wrong, absent; and from each kind of file."""
import http.server
import os
import re
import subprocess
import sys
import threading

from source.inception import download
from source.inception.weights import read_weights
from source.miscs.resumable_download import resumable_download
from tests.inception import weight_files
from tests.narrow import run

import numpy as np
import pytest

CONTENT = np.random.RandomState(0).bytes(3_000_000)


class Server:
    """Serves `content` at `url`; `ends_at` cuts each answer's body there, `knows_ranges` turns range requests off."""

    def __init__(self):
        self.content, self.ends_at, self.knows_ranges, self.ranges, self.status = CONTENT, None, True, [], 200
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *args):
                pass
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.http.server_port}/inception.tgz'
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()

    def answer(self, handler):
        wanted = handler.headers.get('Range')
        self.ranges.append(wanted)
        start = int(re.fullmatch(r'bytes=(\d+)-', wanted)[1]) if wanted and self.knows_ranges else 0
        handler.send_response(self.status if self.status != 200 else 206 if start else 200)
        if start:
            handler.send_header('Content-Range', f'bytes {start}-{len(self.content) - 1}/{len(self.content)}')
        handler.send_header('Content-Length', str(len(self.content) - start))
        handler.end_headers()
        handler.wfile.write(self.content[start:self.ends_at])

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def fetch(server, path, **kwargs):
    resumable_download(server.url, path, len(CONTENT), **kwargs)


def test_whole(server, tmp_path):
    reports = []
    fetch(server, tmp_path / 'new' / 'file', report=lambda *done: reports.append(done))
    assert (tmp_path / 'new' / 'file').read_bytes() == CONTENT
    assert os.listdir(tmp_path / 'new') == ['file']
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    fetch(server, tmp_path / 'new' / 'file')
    assert server.ranges == [None]


def test_goes_on_where_it_stopped(server, tmp_path):
    for server.ends_at in (1_000_000, 2_500_000):
        with pytest.raises(OSError, match=r'ended after \d+ of 3000000 bytes; run it again to go on from there'):
            fetch(server, tmp_path / 'file')
        assert (tmp_path / 'file.part').read_bytes() == CONTENT[:server.ends_at]
        assert os.listdir(tmp_path) == ['file.part']
    server.ends_at = None
    fetch(server, tmp_path / 'file')
    assert (tmp_path / 'file').read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ['file']
    assert server.ranges == [None, 'bytes=1000000-', 'bytes=2500000-']


def test_starts_anew_where_the_server_knows_no_ranges(server, tmp_path):
    (tmp_path / 'file.part').write_bytes(b'x' * 1000)
    server.knows_ranges = False
    fetch(server, tmp_path / 'file')
    assert (tmp_path / 'file').read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_dropped(server, tmp_path):
    (tmp_path / 'file.part').write_bytes(CONTENT + b'x')
    fetch(server, tmp_path / 'file')
    assert (tmp_path / 'file').read_bytes() == CONTENT


@pytest.mark.parametrize('content', [CONTENT[:-1], CONTENT + b'x', b'<html>not found</html>'])
def test_another_size(server, tmp_path, content):
    server.content = content
    with pytest.raises(ValueError, match='expected 3000000 bytes'):
        fetch(server, tmp_path / 'file')
    assert os.listdir(tmp_path) == []


def test_another_digest(server, tmp_path):
    import hashlib
    fetch(server, tmp_path / 'file', sha256=hashlib.sha256(CONTENT).hexdigest())
    with pytest.raises(ValueError, match='expected SHA-256 00, found'):
        fetch(server, tmp_path / 'another', sha256='00')
    assert os.listdir(tmp_path) == ['file']


def test_no_server(server, tmp_path):
    server.status = 404
    with pytest.raises(OSError, match='404'):
        fetch(server, tmp_path / 'file')
    assert os.listdir(tmp_path) == []


@pytest.fixture
def archive(server, arrays, monkeypatch):
    """The server has the archive of 2015, with random weights."""
    server.content = weight_files.archive(weight_files.graph(arrays))
    monkeypatch.setattr(download, 'URLS', (server.url.replace('inception.tgz', 'inception-2015-12-05.tgz'),))
    monkeypatch.setattr(download, 'N_BYTES', len(server.content))
    return server


def assert_same(path, arrays):
    read = read_weights(path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name)


def test_command(archive, arrays, tmp_path, capsys):
    archive.ends_at = 5_000_000
    outfile = tmp_path / 'datasets' / 'inception_model'
    assert run(download.main, '--outfile', outfile) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert 'run this again to go on' in error and 'weights-inception-2015-12-05-6726825d.pth' in error
    assert os.listdir(tmp_path / 'datasets') == ['inception-2015-12-05.tgz.part']
    archive.ends_at = None
    assert run(download.main, '--outfile', outfile) == 0
    assert archive.ranges == [None, 'bytes=5000000-']
    assert_same(outfile, arrays)
    assert sorted(os.listdir(tmp_path / 'datasets')) == ['inception-2015-12-05.tgz', 'inception_model']
    assert str(outfile) in capsys.readouterr().out


def test_command_without_a_network(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(download, 'URLS', ('http://127.0.0.1:9/inception-2015-12-05.tgz',))
    assert run(download.main, '--outfile', tmp_path / 'model') == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert 'could not be fetched' in error and '--source FILE' in error
    assert os.listdir(tmp_path) == []


def test_https_first():
    assert [url.partition('://')[0] for url in download.URLS] == ['https', 'http']
    assert len({url.partition('://')[2] for url in download.URLS}) == 1


def test_the_next_address_where_one_fails(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, 'URLS', ('http://127.0.0.1:9/inception-2015-12-05.tgz', server.url))
    monkeypatch.setattr(download, 'N_BYTES', len(CONTENT))
    assert download.download(str(tmp_path)) == str(tmp_path / 'inception-2015-12-05.tgz')
    assert (tmp_path / 'inception-2015-12-05.tgz').read_bytes() == CONTENT


def test_a_download_that_is_something_else_is_removed(archive, tmp_path, capsys):
    archive.content = bytes(len(archive.content))
    assert run(download.main, '--outfile', tmp_path / 'model') == 2
    assert 'removed it: run this again to fetch it anew' in capsys.readouterr().err.splitlines()[-1]
    assert os.listdir(tmp_path) == []


def test_the_digest_in_a_name_is_checked(arrays, tmp_path, capsys):
    path = weight_files.write(tmp_path / 'pt_inception-2015-12-05-6726825d.pth', 'pth', arrays)
    assert run(download.main, '--outfile', tmp_path / 'model', '--source', path) == 2
    assert f'{path}: expected a SHA-256 beginning with 6726825d, as its name says' in capsys.readouterr().err
    assert os.listdir(tmp_path) == [path.name]


def test_command_refuses_another_file(tmp_path, capsys):
    (tmp_path / 'source').write_bytes(b'GIF89a')
    (tmp_path / 'model').write_bytes(b'what was there')
    assert run(download.main, '--outfile', tmp_path / 'model', '--source', tmp_path / 'source') == 2
    assert 'source: expected Inception weights' in capsys.readouterr().err
    assert (tmp_path / 'model').read_bytes() == b'what was there'
    assert run(download.main, '--outfile', tmp_path / 'model', '--source', tmp_path / 'missing') == 2


def test_as_a_script(arrays, tmp_path):
    """As the authors' README says, with the folder of the script, not the repository, first in sys.path."""
    source = weight_files.write(tmp_path / 'random.pth', 'legacy pth', arrays)
    subprocess.run([sys.executable, download.__file__, '--outfile', tmp_path / 'model', '--source', source],
                   cwd=tmp_path, check=True, capture_output=True)
    assert_same(tmp_path / 'model', arrays)
