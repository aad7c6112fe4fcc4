"""The command against a server of its own: whole, cut, resumed, wrong, absent; and from each kind of file."""
import hashlib
import http.server
import os
import re
import threading

from source.files.resumable_download import resumable_download
from source.inception import download
from source.inception.weights import read_weights
from tests import children
from tests.inception import weight_files
from tests.narrow import run

import numpy as np
import pytest

CONTENT = np.random.RandomState(0).bytes(3_000_000)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get('Range')
        server.ranges.append(wanted)
        start = int(re.fullmatch(r'bytes=(\d+)-', wanted)[1]) if wanted and server.knows_ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header('Content-Range', f'bytes {start}-{len(server.content) - 1}/{len(server.content)}')
        self.send_header('Content-Length', str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start:server.ends_at])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """Serves `content` at `url`; `ends_at` cuts each answer's body there, `knows_ranges` turns range requests off."""
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.content, server.ends_at, server.knows_ranges, server.ranges = CONTENT, None, True, []
        server.url = f'http://127.0.0.1:{server.server_port}/inception-2015-12-05.tgz'
        thread = threading.Thread(target=server.serve_forever, args=(.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server, path, **kwargs):
    resumable_download(server.url, path, len(CONTENT), **kwargs)


def test_whole(server, tmp_path):
    reports, path = [], tmp_path / 'new' / 'file'
    fetch(server, path, report=lambda *done: reports.append(done), sha256=hashlib.sha256(CONTENT).hexdigest())
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ['file'] and reports[-1] == (len(CONTENT), len(CONTENT))
    fetch(server, path)
    assert server.ranges == [None]
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match='expected 3000000 bytes, found 2999999'):
        fetch(server, path)
    assert path.exists()


@pytest.mark.parametrize('part, knows_ranges', [(b'x' * 1000, False), (CONTENT + b'x', True)])
def test_starts_anew(server, tmp_path, part, knows_ranges):
    """Where the server knows no ranges, and where the part that came is too long."""
    (tmp_path / 'file.part').write_bytes(part)
    server.knows_ranges = knows_ranges
    fetch(server, tmp_path / 'file')
    assert (tmp_path / 'file').read_bytes() == CONTENT


@pytest.mark.parametrize('content, sha256, message', [
    (CONTENT[:-1], None, 'expected 3000000 bytes, the server has 2999999'),
    (CONTENT + b'x', None, 'expected 3000000 bytes, the server sends more'),
    (CONTENT, '00', 'expected SHA-256 00, found')])
def test_another_file(server, tmp_path, content, sha256, message):
    server.content = content
    with pytest.raises(ValueError, match=message):
        fetch(server, tmp_path / 'file', sha256=sha256)
    assert os.listdir(tmp_path) == []


@pytest.fixture
def archive(server, small_arrays, monkeypatch, tmp_path):
    """The server has the archive of 2015, with a small network, at the second of two addresses."""
    server.content = weight_files.write(tmp_path / 'archive', 'tgz', small_arrays).read_bytes()
    (tmp_path / 'archive').unlink()
    assert [url.partition('://')[0] for url in download.URLS] == ['https', 'http'], 'the safe one first'
    monkeypatch.setattr(download, 'URLS', ('http://127.0.0.1:9/inception-2015-12-05.tgz', server.url))
    monkeypatch.setattr(download, 'N_BYTES', len(server.content))
    return server


def test_command(archive, small_arrays, tmp_path, capsys):
    """Goes on where it stopped."""
    outfile = tmp_path / 'datasets' / 'inception_model'
    for archive.ends_at in (500, 800):
        assert run(download.main, '--outfile', outfile) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert f'{archive.url} could not be fetched (' in error and 'run this again to go on' in error
        assert f'the connection ended after {archive.ends_at} of {len(archive.content)} bytes; run it again' in error
        assert '--source FILE' in error and 'weights-inception-2015-12-05-6726825d.pth' in error
        assert os.listdir(outfile.parent) == ['inception-2015-12-05.tgz.part']
    archive.ends_at = None
    assert run(download.main, '--outfile', outfile) == 0
    assert archive.ranges == [None, 'bytes=500-', 'bytes=800-']
    for name, array in read_weights(outfile).items():
        np.testing.assert_array_equal(array, small_arrays[name], err_msg=name)
    assert sorted(os.listdir(outfile.parent)) == ['inception-2015-12-05.tgz', 'inception_model']
    digest = hashlib.sha256(outfile.read_bytes()).hexdigest()
    assert capsys.readouterr().out == (f'{outfile}: the weights of {tmp_path}/datasets/inception-2015-12-05.tgz, '
                                       f'SHA-256 {digest}\n')


def test_a_download_that_is_something_else_is_removed(archive, tmp_path, capsys):
    archive.content = bytes(len(archive.content))
    assert run(download.main, '--outfile', tmp_path / 'model') == 2
    assert 'removed it: run this again to fetch it anew' in capsys.readouterr().err.splitlines()[-1]
    assert os.listdir(tmp_path) == []


def test_the_digest_in_a_name_is_checked(small_arrays, tmp_path, capsys):
    path = weight_files.write(tmp_path / 'pt_inception-2015-12-05-6726825d.pth', 'pth', small_arrays)
    assert run(download.main, '--outfile', tmp_path / 'model', '--source', path) == 2
    assert f'{path}: expected a SHA-256 beginning with 6726825d, as its name says' in capsys.readouterr().err
    assert os.listdir(tmp_path) == [path.name]


def test_command_refuses_another_file(tmp_path):
    """As a script, as the authors' README says: with its folder first in sys.path."""
    source, model = tmp_path / 'source', tmp_path / 'model'
    source.write_bytes(b'GIF89a')
    model.write_bytes(b'what was there')
    status, _, errors = children.python(download.__file__, '--outfile', model, '--source', source, cwd=tmp_path)
    assert status == 2 and 'source: expected Inception weights' in errors
    assert model.read_bytes() == b'what was there'
