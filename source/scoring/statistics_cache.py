"""Statistics of real images, computed once and kept in `$SNGAN_CACHE` (default: ~/.cache/sngan).

The key holds the data set's class, size and settings, a digest of its images, which of them are meant, and the
network's name, which says its mode, and digest. A file that is damaged or of another key is computed anew.
"""
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

from source.command_line.progress_bar import progress_bar
from source.command_line.standard_streams import tell
from source.datasets.pairs_as_images import as_given
from source.files.folders import make_folder
from source.scoring.judging import reference_statistics, stored_batches
from source.scoring.statistics_files import load_statistics, save_statistics

import numpy as np

FORMAT = 2  # raise it where the same images would give other features: old files are then left alone
N_PROBES = 32  # images hashed of a data set in files, where reading all would take as long as judging them


def cache_folder():
    return Path(os.environ.get('SNGAN_CACHE') or Path.home() / '.cache' / 'sngan')


def cached_statistics(dataset, network, indices=None, images=None):
    """Return ReferenceStatistics of an ImageDataset, or of its images at `indices`, under `network`.

    `images` says in words what they are. They are read from the cache or, with what is wrong told on standard error,
    computed and written there.
    """
    key, name = cache_key(dataset, network, indices), type(as_given(dataset)).__name__
    images = images or f'{len(dataset) if indices is None else len(indices)} images of {name}'
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    path = cache_folder() / f'{network.name}-{name}-{digest}.npz'
    if path.exists():
        try:
            return replace(_checked(path, key), images=images)
        except ValueError as error:
            tell(f'{error}; computing it anew')
    found = reference_statistics(dataset, network, indices)
    statistics = replace(found, network=network.name, network_sha256=network.digest, images=images, key=key)
    try:
        make_folder(path.parent)
        save_statistics(path, statistics)
    except (OSError, ValueError) as error:
        tell(f'statistics of real images could not be kept ({error}); $SNGAN_CACHE names another folder')
    return statistics


def _checked(path, key):
    statistics = load_statistics(path)
    if statistics.key != key:
        raise ValueError(f'{path}: expected statistics of {key}, found those of '
                         f'{statistics.key or "nothing that it names"}')
    return statistics


def cache_key(dataset, network, indices=None):
    """Return, as JSON, all that the statistics depend on."""
    given = as_given(dataset)
    settings = {name: value for name, value in vars(given).items()
                if isinstance(value, (bool, int, float, str)) and not name.startswith('_') and name != 'root'
                and (name, value) != ('channels', 3)}  # which earlier keys do not say
    cls = type(given)
    return json.dumps({
        'format': FORMAT, 'dataset': f'{cls.__module__}.{cls.__qualname__}', 'settings': settings,
        'n_images': len(dataset), 'images': fingerprint(dataset),
        'chosen': None if indices is None else hashlib.sha256(np.asarray(indices, '<i8').tobytes()).hexdigest(),
        'network': network.name, 'network_sha256': network.digest}, sort_keys=True)


def fingerprint(dataset):
    """Return a SHA-256 over all labels and all images.

    Of a data set in files (`ImageDataset.files`) it is over each file's name, size and time of change, and over
    N_PROBES evenly spaced images as they are read. Shapes count, but for those of square RGB images. Raises OSError for
    a file that is missing.
    """
    digest = hashlib.sha256(np.asarray(dataset.labels, '<i4').tobytes())
    if dataset.ims is not None:
        digest.update(_shape_of(dataset.ims.shape[1:]))
        digest.update(np.ascontiguousarray(dataset.ims))
        return digest.hexdigest()
    indices, files = np.arange(len(dataset)), dataset.files()
    if files is not None:
        indices = np.unique(np.linspace(0, len(dataset) - 1, N_PROBES).round().astype(int))
        for name, path in files:
            stat = os.stat(path)
            digest.update(json.dumps([name, stat.st_size, stat.st_mtime_ns]).encode())
    with progress_bar(len(indices), 'images, to see which they are') as bar:
        for ims, _ in stored_batches(dataset, indices):
            for im in ims:
                digest.update(_shape_of(im.shape))
                digest.update(np.ascontiguousarray(im))
            bar.update(len(ims))
    return digest.hexdigest()


def _shape_of(shape):
    return b'' if shape == (3, shape[-1], shape[-1]) else json.dumps(shape).encode()
