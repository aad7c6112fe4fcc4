"""NumPy's files, read without pickle; whatever is wrong with one is one line."""
import contextlib
import math
import os
import zipfile

import numpy as np


def read_plain_npz(path, what, error_class=ValueError, names=None):
    """Reads the arrays of an `.npz`, or those among `names`, without pickle: {name: array}.

    Raises error_class, with one line that names the file and `what` was expected, where it is missing, damaged,
    encrypted or holds pickles, or where an array claims another size than it has there.
    """
    with _one_line(path, f'.npz {what}', what, error_class), open(path, 'rb') as file:
        if not zipfile.is_zipfile(file):  # np.load would take it for a pickle
            raise zipfile.BadZipFile('no zip archive, or one cut short')
        file.seek(0)
        with np.load(file, allow_pickle=False) as npz:
            names = [name for name in npz.files if names is None or name in names]
            for name in names:
                entry = npz.zip.getinfo(f'{name}.npy')
                with npz.zip.open(entry) as array:
                    _check_size(array, entry.file_size, f'{name}: ')
            return {name: npz[name] for name in names}


def read_plain_npy(path, what):
    """Returns the array of an `.npy`, read without pickle. Raises ValueError as `read_plain_npz` does."""
    with _one_line(path, f'.npy {what}', what, ValueError), open(path, 'rb') as file:
        _check_size(file, os.fstat(file.fileno()).st_size)
        file.seek(0)
        return np.load(file, allow_pickle=False)


@contextlib.contextmanager
def _one_line(path, kind, what, error_class):
    try:
        yield
    except FileNotFoundError:
        raise error_class(f'{path}: no such {what}') from None
    except OSError as error:
        raise error_class(f'{path}: cannot be read: {error.strerror or error}') from None
    except Exception as error:  # zipfile, its decompressors and NumPy raise all kinds, MemoryError too
        message = ' '.join(str(error).split())[:200] or type(error).__name__
        raise error_class(f'{path}: not a complete {kind} ({message})') from None


def _check_size(file, n_bytes, where=''):
    """Raises ValueError where an `.npy` of n_bytes claims another size: NumPy would take the memory for it.

    `where` begins the message.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f'{where}an array in version {version} of the format')
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    expected = file.tell() + math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and expected != n_bytes:
        raise ValueError(f'{where}expected {expected} bytes, found {n_bytes}')
