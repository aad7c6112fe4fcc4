import math
import zipfile

import numpy as np


def read_plain_npz(path, what, error_class=ValueError, names=None):
    """Reads the arrays of an `.npz`, or those among `names`, without pickle: {name: array}.

    Raises error_class, with one line that names the file and `what` was expected, where it is missing, damaged,
    encrypted or holds pickles, or where an array claims another size than it has there.
    """
    try:
        with open(path, 'rb') as file:
            if not zipfile.is_zipfile(file):  # np.load would take it for a pickle
                raise zipfile.BadZipFile('no zip archive, or one cut short')
            file.seek(0)
            with np.load(file, allow_pickle=False) as npz:
                names = [name for name in npz.files if names is None or name in names]
                for name in names:
                    _check_size(npz.zip, name)
                return {name: npz[name] for name in names}
    except FileNotFoundError:
        raise error_class(f'{path}: no such {what}') from None
    except OSError as error:
        raise error_class(f'{path}: cannot be read: {error.strerror or error}') from None
    except Exception as error:  # zipfile, its decompressors and NumPy raise all kinds, MemoryError too
        message = ' '.join(str(error).split())[:200] or type(error).__name__
        raise error_class(f'{path}: not a complete .npz {what} ({message})') from None


def _check_size(archive, name):
    """Raises ValueError where an array's header claims another size than its entry has: NumPy would take the memory."""
    entry = archive.getinfo(f'{name}.npy')
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f'{name}: an array in version {version} of the format')
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        n_bytes = file.tell() + math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and n_bytes != entry.file_size:
        raise ValueError(f'{name}: expected {n_bytes} bytes, found {entry.file_size}')
