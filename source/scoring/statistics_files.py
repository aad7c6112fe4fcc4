"""Reference statistics in files: ours, TTUR's (`mu`, `sigma`) and the authors' (`mean`, `cov`).

Ours say which network and which images they are of. It knows files, which `metrics` does not, and no data set.
"""
from dataclasses import dataclass

from source.files.atomic import atomic_write
from source.files.plain_npz import read_plain_npz

import numpy as np

OURS = 'mean', 'cov', 'n', 'network', 'network_sha256', 'images', 'key'
TEXTS = 'network', 'network_sha256', 'images', 'key'
LATER = 'sizes', 'class_name', 'given'  # texts too, which files have where they are known


@dataclass
class ReferenceStatistics:
    """Mean (D,) and unbiased covariance (D, D), float64, of real images' features; what a file does not say is None."""

    mean: np.ndarray
    cov: np.ndarray
    n: int | None = None
    network: str | None = None
    network_sha256: str | None = None
    images: str | None = None  # in words, as '50000 training images of CIFAR10Dataset'
    key: str | None = None  # of the cache
    sizes: str | None = None  # in words, as image_sizes.py has them
    class_name: str | None = None  # where they are of one class, of a folder
    given: str | None = None  # the path of a user's own images, where they are of these and not of a data set
    file_format: str = 'ours'


def save_statistics(path, statistics):
    """Write ReferenceStatistics, whole or not at all."""
    values = {name: getattr(statistics, name) for name in OURS}
    values.update({name: getattr(statistics, name) for name in LATER if getattr(statistics, name) is not None})
    with atomic_write(path) as file:
        np.savez(file, **{name: '' if value is None else value for name, value in values.items()})


def load_statistics(path):
    """Return the ReferenceStatistics of any of the three formats.

    Raises ValueError, in one line with file, key, what was expected and found, for anything else.
    """
    arrays = read_plain_npz(path, 'file of statistics')
    if {'mu', 'sigma', 'mean', 'cov'} <= set(arrays):
        raise ValueError(f'{path}: expected mean and cov, or mu and sigma; found both')
    if {'mu', 'sigma'} <= set(arrays):
        names, known = ('mu', 'sigma'), {'file_format': "TTUR's"}
    elif {'mean', 'cov'} <= set(arrays):
        names, known = ('mean', 'cov'), {'file_format': "the authors'"}
    else:
        more = f' and {len(arrays) - 5} more' if len(arrays) > 5 else ''
        raise ValueError(f'{path}: expected mean and cov, or mu and sigma; found '
                         f'{", ".join(list(arrays)[:5]) or "nothing"}{more}')
    if set(OURS) <= set(arrays):
        texts = {name: _text(path, name, arrays[name]) or None for name in (*TEXTS, *LATER) if name in arrays}
        known = {**texts, 'n': _count(path, arrays['n'])}
    mean, cov = (_numbers(path, name, arrays[name]) for name in names)
    if mean.ndim != 1 or not mean.size:
        raise ValueError(f'{path}: {names[0]}: expected shape (D,), found {mean.shape}')
    if cov.shape != (mean.size, mean.size):
        raise ValueError(f'{path}: {names[1]}: expected shape {(mean.size,) * 2}, found {cov.shape}')
    scale = max(np.abs(cov).max(), np.finfo(np.float64).tiny)
    if np.diag(cov).min() < -1e-6 * scale or np.abs(cov - cov.T).max() > 1e-4 * scale:
        raise ValueError(f'{path}: {names[1]}: expected a covariance, found one that is not symmetric or has '
                         'negative variances')
    return ReferenceStatistics(mean, cov, **known)


def _numbers(path, name, array):
    if array.dtype.kind not in 'fiu' or not np.isfinite(array).all():
        raise ValueError(f'{path}: {name}: expected finite numbers, found {array.dtype} {array.shape}')
    return array.astype(np.float64)


def _count(path, array):
    if array.shape != () or array.dtype.kind not in 'iu' or array < 2:
        raise ValueError(f'{path}: n: expected a whole number above 1, found {array.dtype} {array.shape}')
    return int(array)


def _text(path, name, array):
    if array.shape != () or array.dtype.kind != 'U':
        raise ValueError(f'{path}: {name}: expected text, found {array.dtype} {array.shape}')
    return str(array)


def check_network(path, statistics, network):
    """Raise ValueError where statistics, read from `path`, are of another network than this FeatureNetwork."""
    found = statistics.network, statistics.network_sha256
    if statistics.network is not None and found != (network.name, network.digest):
        names = statistics.network, network.name
        is_resize = found[1] == network.digest and sorted(names) == [min(names), f'{min(names)}_clean']
        hint = f'; --resize {"own" if names[0] < names[1] else "clean"} goes with them' if is_resize else ''
        raise ValueError(f'{path}: expected statistics under {network.name} ({network.digest[:12]}), '
                         f'found {found[0]} ({(found[1] or "no digest")[:12]}){hint}')
