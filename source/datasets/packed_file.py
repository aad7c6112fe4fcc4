"""The packed format: squares of one size in an `.npy`, uint8 (N, size, size, 3), and their labels in another beside it.

Plain NumPy files: any program reads them, and a training process maps them into memory, so that an image costs one
copy, workers share the pages, and the system keeps as much of the file in memory as there is room for. Rows are what
Pillow takes, RGB triples. h5py reads whole images at about half the speed, takes one row a call, under one lock for all
threads, and cannot tell the system which come next (benchmarks/bench_data.py).
"""
import contextlib
import io
import mmap
import os

from source.command_line.commands_to_copy import called
from source.files.atomic import atomic_write

import numpy as np

HEADER_BYTES = 128  # of any N and size, so that rows can be written before N is known


def labels_path(path):
    return f'{os.path.splitext(path)[0]}_labels.npy'


def open_packed(path):
    """Return ims, a read-only memory map (N, size, size, 3) of uint8, and labels, int32 (N,) in memory.

    Raises FileNotFoundError where one of the two files is missing and ValueError, naming the file, where one is not
    what it should be, as when it was cut.
    """
    ims, labels = _mapped(path, 'packed images'), _mapped(labels_path(path), 'labels of packed images')
    if ims.dtype != np.uint8 or ims.ndim != 4 or not len(ims) or ims.shape[1:] != (ims.shape[1], ims.shape[1], 3):
        raise ValueError(f'{path}: expected images, uint8 (N, size, size, 3); found {ims.dtype} {ims.shape}')
    if labels.dtype != np.int32 or labels.shape != ims.shape[:1]:
        raise ValueError(f'{labels_path(path)}: expected {len(ims)} labels, one an image of '
                         f'{os.path.basename(path)}, int32; found {labels.dtype} {labels.shape}')
    if hasattr(ims.base, 'madvise') and hasattr(mmap, 'MADV_RANDOM'):
        ims.base.madvise(mmap.MADV_RANDOM)
    return ims, np.array(labels)


def announce(ims, rows):
    """Tells the system that these rows of a memory map are read next: of each in one piece, and nothing beside them.

    Left to itself it would read ahead around each page, in vain where rows are in random order: 7 ms an image that is
    not in the cache, against .25 ms with this, on a disk of holes.
    """
    mapping = ims.base
    if hasattr(mapping, 'madvise') and hasattr(mmap, 'MADV_WILLNEED'):
        first, row_bytes = ims.offset % mmap.ALLOCATIONGRANULARITY, ims.strides[0]
        for row in rows:
            start = first + int(row) * row_bytes
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            mapping.madvise(mmap.MADV_WILLNEED, page, start + row_bytes - page)


def _mapped(path, what):
    try:
        array = np.load(path, mmap_mode='r', allow_pickle=False)
        expected = array.offset + array.nbytes
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: expected {what}, as {called("source/datasets/prepare_imagenet.py")} '
                                'writes them; found no file') from None
    except Exception as error:  # NumPy raises all kinds for a header that is none
        raise ValueError(f'{path}: expected {what}, an .npy file that can be mapped into memory; found '
                         f'{os.path.getsize(path)} bytes that cannot ({" ".join(str(error).split())[:200]})') from error
    found = os.path.getsize(path)
    if found != expected or array.flags.f_contiguous and array.ndim > 1 and not array.flags.c_contiguous:
        raise ValueError(f'{path}: expected {what}, {expected} bytes in C order, found {found}')
    return array


def header(n, size):
    """The first HEADER_BYTES of a packed file of `n` images."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {'descr': '|u1', 'fortran_order': False, 'shape': (n, size, size, 3)})
    if file.tell() != HEADER_BYTES:
        raise ValueError(f'expected a header of {HEADER_BYTES} bytes for {n} images of {size} px, got {file.tell()}')
    return file.getvalue()


class AppendedFile:
    """A file written from its end on, begun with its first `n_bytes`: what was written after these is cut off.

    Raises ValueError where it is shorter, and OSError, naming it, where it cannot grow.
    """

    def __init__(self, path, n_bytes):
        found = os.path.getsize(path) if os.path.exists(path) else 0
        if found < n_bytes:
            raise ValueError(f'{path}: expected at least {n_bytes} bytes, as the journal beside it says, found '
                             f'{found}; remove {os.path.dirname(path)} to begin anew')
        self.path = path
        self.file = open(path, 'r+b' if os.path.exists(path) else 'w+b')
        self.file.truncate(n_bytes)
        self.file.seek(0, os.SEEK_END)

    def write(self, content):
        with self._named_errors():
            return self.file.write(content)

    def sync(self):
        with self._named_errors():
            self.file.flush()
            os.fsync(self.file.fileno())

    @contextlib.contextmanager
    def _named_errors(self):
        try:
            yield
        except OSError as error:  # as of a full disk
            raise OSError(error.errno, error.strerror, str(self.path)) from None

    def __enter__(self):
        return self

    def __exit__(self, error_class, *_):
        with contextlib.suppress(OSError) if error_class else self._named_errors():  # closing writes what is left
            self.file.close()


class PackedWriter(AppendedFile):
    """Writes the images of a packed file one after another; begun with `n` rows that are there already.

    `finish(n)` gives the file its header. Until then it begins with zeros, so that nothing takes it for whole.
    """

    def __init__(self, path, size, n=0):
        self.size = size
        super().__init__(path, HEADER_BYTES + n * 3 * size ** 2 if n else 0)
        self._set_header(bytes(HEADER_BYTES))

    def write(self, ims):
        """Appends ims, uint8 (B, size, size, 3)."""
        return super().write(np.ascontiguousarray(ims).data)

    def finish(self, n):
        self._set_header(header(n, self.size))
        self.sync()

    def _set_header(self, content):
        self.file.seek(0)
        self.file.write(content)
        self.file.seek(0, os.SEEK_END)


def save_labels(path, labels):
    """Writes the labels of the packed file `path`, whole or not at all."""
    with atomic_write(labels_path(path)) as file:
        np.save(file, np.asarray(labels, np.int32), allow_pickle=False)
