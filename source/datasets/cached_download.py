"""Files fetched once into Chainer's own download cache, whole or not at all; or not, but said."""
import contextlib
import hashlib
import ipaddress
import os
import shutil
import sys
import tempfile
import urllib.parse
import urllib.request

import chainer

TIMEOUT_SECONDS = 30
_refused = None  # within `no_downloads` the list of what was wanted
_hooked = False


class WouldDownload(BaseException):
    """What would be fetched within `no_downloads`; no Exception, so that no data set takes it for a failed server.

    `n_bytes` and `path` are None where they are not known.
    """

    def __init__(self, url, n_bytes=None, path=None):
        super().__init__(url, n_bytes, path)
        self.url, self.n_bytes, self.path = url, n_bytes, path

    def __str__(self):
        size = '' if self.n_bytes is None else f' ({self.n_bytes / 1e6:.0f} MB)'
        return f'{self.url}{size}' + ('' if self.path is None else f' to {self.path}')


@contextlib.contextmanager
def no_downloads():
    """Within the block every download, of anybody's code in this process, raises WouldDownload instead.

    Yields the list of those raised. Files and connections within this machine are no downloads. Programs that the
    code starts, as curl, are not seen.
    """
    global _refused, _hooked
    if not _hooked:
        sys.addaudithook(_audit)  # for good: Python has no way to take it off
        _hooked = True
    before, _refused = _refused, []
    try:
        yield _refused
    finally:
        _refused = before


def _refuse(*what):
    error = WouldDownload(*what)
    _refused.append(error)
    raise error


def _audit(event, arguments):
    if _refused is None:
        return
    if event == 'urllib.Request':
        url = arguments[0]
        if urllib.parse.urlsplit(url).scheme != 'file' and not _is_here(urllib.parse.urlsplit(url).hostname):
            _refuse(url)
    elif event == 'socket.getaddrinfo' and not _is_here(arguments[0]):
        _refuse(_text(arguments[0]))
    elif event == 'socket.connect' and isinstance(arguments[1], tuple) and not _is_here(arguments[1][0]):
        _refuse(_text(arguments[1][0]))


def _text(host):
    return host.decode(errors='replace') if isinstance(host, bytes) else str(host)


def _is_here(host):
    if not host or _text(host) == 'localhost':
        return True
    try:
        address = ipaddress.ip_address(_text(host).partition('%')[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def cache_path(url):
    """Return where Chainer 7.8.1 caches a download: `_dl_cache/<md5 of the URL>` under its dataset root."""
    name = hashlib.md5(url.encode('utf-8'), usedforsecurity=False).hexdigest()
    return os.path.join(chainer.dataset.get_dataset_root(), '_dl_cache', name)


def cached_download(url, n_bytes):
    """Return the path of the cached file, downloading it first where there is none; WouldDownload in `no_downloads`.

    Raises OSError where it cannot be fetched and ValueError where it is not `n_bytes` long; neither leaves a file.
    Unlike Chainer's own, it gives up on a silent server and never caches a cut file.
    """
    path = cache_path(url)
    if os.path.exists(path):
        return path
    if _refused is not None:
        _refuse(url, n_bytes, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    print(f'downloading {url} ({n_bytes / 1e6:.0f} MB) to {path}', file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        part = os.path.join(folder, 'part')
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, open(part, 'wb') as file:
            shutil.copyfileobj(response, file)
        found = os.path.getsize(part)
        if found != n_bytes:
            raise ValueError(f'{url}: expected {n_bytes} bytes, found {found}')
        os.replace(part, path)
    return path
