"""A download that goes on where it stopped, and whose file appears under its name only when it is whole."""
import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 20


def resumable_download(url, path, n_bytes, sha256=None, report=lambda done, total: None):
    """Fetch `url` to `path`, unless it is there already in its right size.

    What has come so far stays in `<path>.part` and is continued by the next call with an HTTP range request, from a
    server that knows them. `report(done, total)` is called with bytes. Raises OSError where the server cannot be
    reached or stops, ValueError where the file is not of `n_bytes` or not of that SHA-256 (hexadecimal, where known):
    the latter removes what came.
    """
    if os.path.exists(path):
        _check(path, path, n_bytes, sha256)
        return
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f'{path}.part'
    if not os.path.exists(part) or os.path.getsize(part) != n_bytes:
        _fetch(url, part, n_bytes, report)
    try:
        _check(url, part, n_bytes, sha256)
    except ValueError:
        os.remove(part)
        raise
    os.replace(part, path)


def _fetch(url, part, n_bytes, report):
    have = os.path.getsize(part) if os.path.exists(part) else 0
    if have > n_bytes:
        have = 0
    request = urllib.request.Request(url, headers={'Range': f'bytes={have}-'} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            if have and not _continues(response, have):
                have = 0
            with open(part, 'r+b' if have else 'wb') as file:
                file.seek(have)
                file.truncate()
                while chunk := response.read(_CHUNK_BYTES):
                    have += len(chunk)
                    if have > n_bytes:
                        raise ValueError(f'{url}: expected {n_bytes} bytes, the server sends more')
                    file.write(chunk)
                    report(have, n_bytes)
    except http.client.HTTPException as error:
        raise OSError(f'{url}: {error!r}') from None
    except ValueError:
        os.remove(part)
        raise
    if have < n_bytes and not _was_cut(response, have):
        os.remove(part)
        raise ValueError(f'{url}: expected {n_bytes} bytes, the server has {have}')
    if have < n_bytes:
        raise OSError(f'{url}: the connection ended after {have} of {n_bytes} bytes; run it again to go on from there')


def _continues(response, have):
    content_range = re.match(r'bytes (\d+)-', response.headers.get('Content-Range', ''))
    return response.status == 206 and content_range is not None and int(content_range[1]) == have


def _was_cut(response, have):
    """Whether the server had announced more than came: then there is more to come, else its file is another."""
    content_range = re.fullmatch(r'bytes \d+-\d+/(\d+)', response.headers.get('Content-Range', ''))
    if content_range is not None:
        return have < int(content_range[1])
    announced = response.headers.get('Content-Length')
    return announced is None or have < int(announced)


def _check(name, path, n_bytes, sha256):
    found = os.path.getsize(path)
    if found != n_bytes:
        raise ValueError(f'{name}: expected {n_bytes} bytes, found {found}')
    if sha256 is not None:
        digest = hashlib.sha256()
        with open(path, 'rb') as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise ValueError(f'{name}: expected SHA-256 {sha256}, found {digest.hexdigest()}')
