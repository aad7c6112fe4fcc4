import math
import os

import numpy as np


def read_plain_npy(path, what):
    """Return the array of an `.npy`, read without pickle.

    Raises ValueError, with one line that names the file and `what` was expected, where it is missing, damaged or holds
    pickles, or where its header claims another size than it has: NumPy would take the memory.
    """
    try:
        with open(path, 'rb') as file:
            version = np.lib.format.read_magic(file)
            read_header = {(1, 0): np.lib.format.read_array_header_1_0,
                           (2, 0): np.lib.format.read_array_header_2_0}.get(version)
            if read_header is None:
                raise ValueError(f'an array in version {version} of the format')
            shape, _, dtype = read_header(file)
            n_bytes, found = file.tell() + math.prod(shape) * dtype.itemsize, os.fstat(file.fileno()).st_size
            if not dtype.hasobject and n_bytes != found:
                raise ValueError(f'expected {n_bytes} bytes, found {found}')
            file.seek(0)
            return np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise ValueError(f'{path}: no such {what}') from None
    except OSError as error:
        raise ValueError(f'{path}: cannot be read: {error.strerror or error}') from None
    except Exception as error:  # NumPy raises all kinds of a header, MemoryError too
        message = ' '.join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f'{path}: not a complete .npy {what} ({message})') from None
