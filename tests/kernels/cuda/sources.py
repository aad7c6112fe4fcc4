"""Every variant of every CUDA source that a launcher may ask for."""
import pathlib

from source.kernels import cuda
from source.kernels.cuda import adam, folding, spectral_normalization
from tests.kernels.convolution_operations import BFLOAT16

import numpy as np

PARTS = {'common', 'columns', 'jobs'}  # which go before the others
FILES = sorted(path.stem for path in pathlib.Path(cuda.__file__).parent.glob('*.cu') if path.stem not in PARTS)
TABLES = {'adam': adam._TABLE, 'folding': folding._TABLE, 'power_iteration': spectral_normalization._ROUNDS,
          'spectral_normalization': spectral_normalization._PASSES}
_READS = {  # the types of activations, and how many are read at once
    **dict.fromkeys(['adam', 'power_iteration'], [(np.float32, 4)]),
    **dict.fromkeys(['losses', 'embedding', 'waiting'], [(np.float32, 1)]),
    **dict.fromkeys(['linear', 'matrix_convolution', 'noise'], [(np.float32, 1), (BFLOAT16, 1)]),
    'few_channels': [(np.float32, 4), (BFLOAT16, 8)],
    'spectral_normalization': [(np.float32, 4), (BFLOAT16, 8)]}
_ALL = [(np.float32, 1), (np.float32, 4), (BFLOAT16, 1), (BFLOAT16, 8)]


def variants(file):
    """cuda_source's arguments."""
    capacity = TABLES[file].capacity if file in TABLES else None
    return [(file, *read, capacity) for read in _READS.get(file, _ALL)]
