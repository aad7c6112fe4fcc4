"""What launchers refuse, as kernels would read it wrongly."""
from source.kernels.adam_state import adam_state
from source.kernels.reference.noise import new_state
from tests.kernels.convolution_operations import BFLOAT16
from tests.kernels.cuda.both_sets import function_of

import numpy as np
import pytest


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


RUNNING, NOT_FOLDED = (ones(4), ones(4)), ([None], [False], [(2, 2)], np.float32)
REFUSALS = {TypeError: [
    ('elementwise.add', [ones(2, 3), ones(2, 3, dtype=BFLOAT16)], 'bfloat16'),
    ('elementwise.tanh', [ones(2, 3, dtype=np.float64)], 'float64'),
    ('elementwise.cast', [ones(3), np.float64], 'float64'),
    ('elementwise.cast', [ones(3, dtype=BFLOAT16), np.float16], 'no kernel casts bfloat16 to float16'),
    ('embedding.lookup', [ones(3, 4), ones(2, dtype=np.int64)], 'int64'),
    ('folding.pack_weights', [[ones(2, 2, 3, 3, dtype=BFLOAT16)], *NOT_FOLDED], 'bfloat16'),
    ('spectral_normalization.normalized', [[ones(4, 3, dtype=np.float64)], ones(1), [1.]], 'float64'),
], ValueError: [
    ('elementwise.add', [ones(2, 3), ones(3, 2)], 'one shape'),
    ('elementwise.tanh', [ones(2, 3).T], 'contiguous'),
    ('folding.pack_weights', [[ones(2, 1, 3, 3).transpose(2, 3, 0, 1)], *NOT_FOLDED], 'strides'),
    ('linear.linear', [ones(2, 5), ones(3, 4)], r'\(3, 4\).*\(2, 5\)'),
    ('linear.linear', [ones(5, 2).T, ones(3, 5)], 'strides'),
    ('noise.dequantize', [ones(1, 3, 2, 2), new_state(0)], 'uint8 .* float32'),
    ('noise.uniform', [ones(2, dtype=np.uint32), 3], 'uint64'),
    ('normalization.batch_normalize', [ones(2, 3, 3, 4), ones(3, 4), ones(3, 4), *RUNNING, 1e-5, .9, 0.],
     r'\(4,\) or \(2, 4\).*got float32 \(3, 4\)'),
    ('normalization.fixed_batch_normalize_categorical',
     [ones(2, 3, 3, 4), ones(3, 4), ones(3, 4), ones(2, dtype=np.int64), *RUNNING, 1e-5, 0.],
     'labels must be int32 .*int64'),
    ('normalization.batch_normalize', [ones(2, 4, 3, 3).transpose(0, 2, 3, 1), *RUNNING, *RUNNING, 1e-5, .9, 0.],
     'contiguous'),
    ('resampling.repeat_2x2', [ones(1, 2, 3, 1), 1., (4, 4)], r'\(2, 3\) pixels .* \(4, 4\)'),
    ('spectral_normalization.power_iterations', [[ones(3, 4)], [ones(1, 4)]],
     r'\(1, d_out\), got \(3, 4\) and \(1, 4\)'),
    ('spectral_normalization.power_iterations', [[ones(4, 3).T], [ones(1, 3)]], 'contiguous'),
    ('spectral_normalization.gradients', [[ones(3, 4)], [ones(3, 4)], [ones(1, 3)], [ones(1, 5)], ones(1), [1.]],
     'do not belong together'),
    ('adam.update', [[ones(3, 4)], [ones(2, 2)], [ones(3, 4)], [ones(3, 4)], adam_state(1e-3, 0., .9, 1e-8)],
     r'float32 \(3, 4\), float32 \(2, 2\)'),
]}


@pytest.mark.parametrize('error, call, arguments, message', [(e, *row) for e, rows in REFUSALS.items() for row in rows])
def test_refusals(host, error, call, arguments, message):
    for kernel_set in ('cuda', 'reference') if call.startswith('resampling') else ('cuda',):
        with pytest.raises(error, match=message):
            function_of(kernel_set, call)(*arguments)
