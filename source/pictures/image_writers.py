"""Many images written as they are generated, so that no more than a batch of them is held in memory."""
import concurrent.futures
import errno
import os
import shutil
import zipfile
from pathlib import Path

from source.datasets import draw_order
from source.files.atomic import atomic_write
from source.files.folders import make_folder

import numpy as np
from PIL import Image


def write_npz(path, batches, n):
    """Writes n images as `ims`, uint8 (n, C, H, W), and their labels, where there are some, as `labels`, int32 (n,).

    `draw_order` numbers them, so that a sorted copy still says in which order they were generated. `batches` yields
    (ims uint8 (B, C, H, W), y int (B,) or None). The file appears when it is complete; it is what the scoring commands
    take as --images. Raises ValueError where the images are not n, OSError where the disk lacks room for them.
    """
    labels, seen = [], 0
    with atomic_write(path) as file, zipfile.ZipFile(file, 'w') as archive:
        entry = None
        try:
            for ims, y in batches:
                if entry is None:
                    _require_room(path, n * ims[0].nbytes)
                    entry = archive.open('ims.npy', 'w', force_zip64=True)
                    np.lib.format.write_array_header_1_0(
                        entry, {'descr': '|u1', 'fortran_order': False, 'shape': (n, *ims.shape[1:])})
                entry.write(np.ascontiguousarray(ims).data)
                labels += [] if y is None else [y]
                seen += len(ims)
        finally:
            if entry is not None:
                entry.close()
        if seen != n:
            raise ValueError(f'expected {n} images, got {seen}')
        more = {'labels': np.concatenate(labels).astype(np.int32)} if labels else {}
        for name, array in {**more, draw_order.KEY: np.arange(n, dtype=np.int32)}.items():
            with archive.open(f'{name}.npy', 'w') as entry:
                np.lib.format.write_array(entry, array)


def _require_room(path, n_bytes):
    """Raises OSError at the first batch rather than hours later, when the disk is full."""
    free = shutil.disk_usage(Path(path).parent).free
    if n_bytes > free:
        raise OSError(errno.ENOSPC, f'expected {n_bytes / 1e9:,.1f} GB of free disk space, found {free / 1e9:,.1f}',
                      str(path))


def folder_names(names):
    """`names` of the classes, where they can all be names of folders, and else None."""
    usable = names and len(set(map(str.casefold, names))) == len(names) and all(
        name and name == name.strip() and name.isprintable() and '/' not in name and name[0] != '.'
        and len(os.fsencode(name)) < 256 for name in names)
    return names if usable else None


def write_files(folder, batches, n, names=None):
    """Writes n images as `<class>/<number>.png`, or `<number>.png` where there are no labels; of one channel in grey.

    A class is called as in `names`, which can be those of folders, or by its number. The images' numbers count from
    0 with as many digits as the last one has. The scoring commands take the folder as --images, in the order of the
    file written beside the images (draw_order.py).
    """
    folder, digits, written = Path(folder), len(str(n - 1)), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow's encoder lets other threads run
        for ims, y in batches:
            classes = None if y is None else [names[c] if names else str(c) for c in y]
            for name in set(classes or ()):
                make_folder(folder / name)
            of_batch = [(f'{classes[i]}/' if classes else '') + f'{len(written) + i:0{digits}d}.png'
                        for i in range(len(ims))]
            list(pool.map(_save, [folder / name for name in of_batch], ims))
            written += of_batch
    draw_order.write_draw_order(folder, written)


def _save(path, im):
    Image.fromarray(im[0] if len(im) == 1 else im.transpose(1, 2, 0)).save(path)
