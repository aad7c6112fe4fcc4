"""Reads pickles of plain data without running the code a pickle can carry."""
import pickle

import numpy as np

# Asked of NumPy itself, since the module that holds it changed name between NumPy 1 and 2.
_RECONSTRUCT = np.empty(0).__reduce__()[0]


def _encode_latin1(text, encoding):
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'it encodes to {encoding!r}; bytes come as latin1')
    return text.encode('latin1')


_ALLOWED = {
    ('_codecs', 'encode'): _encode_latin1,  # how Python 3 writes bytes below protocol 3
    ('numpy.core.multiarray', '_reconstruct'): _RECONSTRUCT,
    ('numpy._core.multiarray', '_reconstruct'): _RECONSTRUCT,
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}; only numpy arrays and plain data are read')
        return _ALLOWED[module, name]


def load_plain_pickle(file):
    """Read one pickle of dicts, lists, numbers, strings, bytes and numpy arrays from a binary file; Python 2's too.

    Raises pickle.UnpicklingError where it asks for any other class or function.
    """
    return _PlainUnpickler(file, encoding='latin1').load()
