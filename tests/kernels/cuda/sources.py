"""Every variant of every CUDA source that a launcher may ask for."""
import pathlib

from source.kernels import cuda
from source.kernels.cuda import adam, folding, spectral_normalization
from source.kernels.cuda.launching import cuda_source

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
PARTS = {'common', 'columns', 'jobs'}  # which go before the others
FILES = sorted(path.stem for path in pathlib.Path(cuda.__file__).parent.glob('*.cu') if path.stem not in PARTS)
_ALL = [(np.float32, 1), (np.float32, 4), (BFLOAT16, 1), (BFLOAT16, 8)]
_ONE_TABLE = {'adam': adam._TABLE, 'folding': folding._TABLE, 'power_iteration': spectral_normalization._ROUNDS,
              'spectral_normalization': spectral_normalization._PASSES}


def variants(file):
    """cuda_source's arguments."""
    if file in ('adam', 'power_iteration'):
        pairs = [(np.float32, 4)]
    elif file in ('losses', 'embedding'):
        pairs = [(np.float32, 1)]
    elif file in ('linear', 'matrix_convolution', 'noise'):
        pairs = [(np.float32, 1), (BFLOAT16, 1)]
    elif file == 'spectral_normalization':
        pairs = [(np.float32, 4), (BFLOAT16, 8)]
    else:
        pairs = _ALL
    table = _ONE_TABLE.get(file)
    return [(file, dtype, vec, table and table.capacity) for dtype, vec in pairs]


def source(variant):
    return cuda_source(*variant)
