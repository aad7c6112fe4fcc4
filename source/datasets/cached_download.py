"""Files fetched once into Chainer's own download cache, whole or not at all."""
import hashlib
import os
import shutil
import sys
import tempfile
import urllib.request

import chainer

TIMEOUT_SECONDS = 30


def cache_path(url):
    """Return where Chainer 7.8.1 caches a download: `_dl_cache/<md5 of the URL>` under its dataset root."""
    name = hashlib.md5(url.encode('utf-8'), usedforsecurity=False).hexdigest()
    return os.path.join(chainer.dataset.get_dataset_root(), '_dl_cache', name)


def cached_download(url, n_bytes):
    """Return the path of the cached file, downloading it first where there is none.

    Raises OSError where it cannot be fetched and ValueError where it is not `n_bytes` long; neither leaves a file.
    Unlike Chainer's own, it gives up on a silent server and never caches a cut file.
    """
    path = cache_path(url)
    if os.path.exists(path):
        return path
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
