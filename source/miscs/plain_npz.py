import zipfile
import zlib

import numpy as np


def read_plain_npz(path, what, error_class=ValueError, names=None):
    """Reads the arrays of an `.npz`, or those among `names`, without pickle: {name: array}.

    Raises error_class, with one line that names the file and `what` was expected, where it is missing, damaged or
    holds pickles.
    """
    try:
        with open(path, 'rb') as file:
            if not zipfile.is_zipfile(file):  # np.load would take it for a pickle
                raise zipfile.BadZipFile('no zip archive, or one cut short')
            file.seek(0)
            with np.load(file, allow_pickle=False) as npz:
                return {name: npz[name] for name in npz.files if names is None or name in names}
    except FileNotFoundError:
        raise error_class(f'{path}: no such {what}') from None
    except OSError as error:
        raise error_class(f'{path}: cannot be read: {error.strerror or error}') from None
    except (ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise error_class(f'{path}: not a complete .npz {what} ({error})') from None
