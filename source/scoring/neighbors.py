"""The real images nearest to samples, in the discriminator's features φ and in pixels.

It joins `metrics`, which knows arrays only, to discriminators, real images and files, and so belongs to none of them.
"""
import json
from dataclasses import dataclass
from pathlib import Path

from source.command_line.progress_bar import progress_bar
from source.config.agreement import channels_of
from source.files.atomic import atomic_write
from source.files.folders import make_folder
from source.files.plain_json import read_json
from source.metrics.nearest_neighbors import nearest_neighbors

import chainer
import numpy as np
from chainer.backends import cuda

BATCHSIZE = 100
BLOCK_BYTES = 2 ** 25  # of images or features compared at a time
FORMAT = 1  # raise it where the same snapshot and images would give other features


@dataclass
class Neighbors:
    """Samples, `ims` uint8 (Q, C, H, W), and the real images nearest to each, `by` {'features' or 'pixels': (indices
    (Q, k), distances (Q, k))}; `y` are the samples' labels, or None."""

    ims: np.ndarray
    y: np.ndarray | None
    by: dict


def features_of(dis, ims, y=None):
    """φ, float32 (B, D), of ims uint8 (B, C, H, W) in test mode; y: labels, for a discriminator that concatenates them.

    Images enter as in training, with the mean of the noise that is added there. Raises ValueError where they have
    another number of channels than the discriminator says.
    """
    channels = channels_of(dis)
    if channels not in (None, ims.shape[1]):
        raise ValueError(f'the discriminator takes images of {channels} channels, got {ims.shape[1]}')
    x = dis.device.send(((ims + .5) / 128 - 1).astype(np.float32))
    y = None if y is None else dis.device.send(np.asarray(y, np.int32))
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        feats = cuda.to_cpu(dis.features(x, y).array)
    return feats.reshape(len(feats), -1)


def cached_features(dis, dataset, path, key):
    """φ of all images of a dataset, float32 (N, D), as a memory map of the file `path`.

    It is computed, with a progress bar, where the file is not there or was not written for `key`, a dict of what it
    depends on, kept in a .json beside it.
    """
    path, key = Path(path), {**key, 'format': FORMAT, 'n_images': len(dataset)}
    note = path.with_suffix('.json')
    try:
        if read_json(note) == key:
            feats = np.load(path, mmap_mode='r', allow_pickle=False)
            if feats.ndim == 2 and len(feats) == len(dataset) and feats.dtype == np.float32:
                return feats
    except Exception:  # of a damaged header NumPy raises all kinds
        pass
    make_folder(path.parent)
    note.unlink(missing_ok=True)
    labels = dataset.labels if dis.n_classes else None
    with atomic_write(path) as file, progress_bar(len(dataset), 'features of real images') as bar:
        for i, ims in _batches(dataset, BATCHSIZE):
            feats = features_of(dis, ims, None if labels is None else labels[i:i + len(ims)])
            if i == 0:
                np.lib.format.write_array_header_1_0(
                    file, {'descr': '<f4', 'fortran_order': False, 'shape': (len(dataset), feats.shape[1])})
            file.write(np.ascontiguousarray(feats, '<f4').data)
            bar.update(len(ims))
    with atomic_write(note) as file:
        file.write(json.dumps(key).encode())
    return np.load(path, mmap_mode='r', allow_pickle=False)


def find_neighbors(ims, y, dis, dataset, feats, k=5):
    """Return the Neighbors of samples ims uint8 (Q, C, H, W) with labels y, or None, among a dataset's images.

    `feats` are their φ, float32 (N, D); they and the images are read in blocks of BLOCK_BYTES.
    """
    phi = features_of(dis, ims, y if dis.n_classes else None)
    n_feats, n_ims = (max(1, BLOCK_BYTES // n_bytes) for n_bytes in (4 * feats.shape[1], ims[0].size))
    of_features = (feats[i:i + n_feats] for i in range(0, len(feats), n_feats))
    with progress_bar(len(dataset), 'real images compared') as bar:
        def of_pixels():
            for _, block in _batches(dataset, n_ims):
                yield block.reshape(len(block), -1)
                bar.update(len(block))
        by = {'features': nearest_neighbors(phi, of_features, k),
              'pixels': nearest_neighbors(ims.reshape(len(ims), -1), of_pixels(), k)}
    return Neighbors(ims, y, by)


def _batches(dataset, size):
    for i in range(0, len(dataset), size):
        yield i, dataset.load_ims(np.arange(i, min(i + size, len(dataset))))
