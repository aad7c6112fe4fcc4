"""What launchers refuse, as kernels would read it wrongly."""
from source.kernels.adam_state import adam_state
from source.kernels.reference.noise import new_state
from tests.kernels.convolution_operations import BFLOAT16
from tests.kernels.cuda.both_sets import function_of

import numpy as np
import pytest


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


RUNNING = ones(4), ones(4)
REFUSALS = [
    ('elementwise.add', [ones(2, 3), ones(3, 2)], ValueError, 'one shape'),
    ('elementwise.add', [ones(2, 3), ones(2, 3, dtype=BFLOAT16)], TypeError, 'bfloat16'),
    ('elementwise.tanh', [ones(2, 3).T], ValueError, 'contiguous'),
    ('elementwise.tanh', [ones(2, 3, dtype=np.float64)], TypeError, 'float64'),
    ('elementwise.cast', [ones(3), np.float64], TypeError, 'float64'),
    ('elementwise.cast', [ones(3, dtype=BFLOAT16), np.float16], TypeError, 'no kernel casts bfloat16 to float16'),
    ('embedding.lookup', [ones(3, 4), ones(2, dtype=np.int64)], TypeError, 'int64'),
    ('folding.pack_weights', [[ones(2, 2, 3, 3, dtype=BFLOAT16)], [None], [False], [(2, 2)], np.float32], TypeError,
     'bfloat16'),
    ('folding.pack_weights', [[ones(2, 1, 3, 3).transpose(2, 3, 0, 1)], [None], [False], [(2, 2)], np.float32],
     ValueError, 'strides'),
    ('linear.linear', [ones(2, 5), ones(3, 4)], ValueError, r'\(3, 4\).*\(2, 5\)'),
    ('linear.linear', [ones(5, 2).T, ones(3, 5)], ValueError, 'strides'),
    ('noise.dequantize', [ones(1, 3, 2, 2), new_state(0)], ValueError, 'uint8 .* float32'),
    ('noise.uniform', [ones(2, dtype=np.uint32), 3], ValueError, 'uint64'),
    ('normalization.batch_normalize', [ones(2, 3, 3, 4), ones(3, 4), ones(3, 4), *RUNNING, 1e-5, .9, 0.], ValueError,
     r'\(4,\) or \(2, 4\).*got float32 \(3, 4\)'),
    ('normalization.fixed_batch_normalize_categorical',
     [ones(2, 3, 3, 4), ones(3, 4), ones(3, 4), ones(2, dtype=np.int64), *RUNNING, 1e-5, 0.], ValueError,
     'labels must be int32 .*int64'),
    ('normalization.batch_normalize', [ones(2, 4, 3, 3).transpose(0, 2, 3, 1), *RUNNING, *RUNNING, 1e-5, .9, 0.],
     ValueError, 'contiguous'),
    ('resampling.repeat_2x2', [ones(1, 2, 3, 1), 1., (4, 4)], ValueError, r'\(2, 3\) pixels .* \(4, 4\)'),
    ('spectral_normalization.power_iterations', [[ones(3, 4)], [ones(1, 4)]], ValueError,
     r'\(1, d_out\), got \(3, 4\) and \(1, 4\)'),
    ('spectral_normalization.power_iterations', [[ones(4, 3).T], [ones(1, 3)]], ValueError, 'contiguous'),
    ('spectral_normalization.normalized', [[ones(4, 3, dtype=np.float64)], ones(1), [1.]], TypeError, 'float64'),
    ('spectral_normalization.gradients', [[ones(3, 4)], [ones(3, 4)], [ones(1, 3)], [ones(1, 5)], ones(1), [1.]],
     ValueError, 'do not belong together'),
    ('adam.update', [[ones(3, 4)], [ones(2, 2)], [ones(3, 4)], [ones(3, 4)], adam_state(1e-3, 0., .9, 1e-8)],
     ValueError, r'float32 \(3, 4\), float32 \(2, 2\)'),
]


@pytest.mark.parametrize('call, arguments, error, message', REFUSALS, ids=[refusal[0] for refusal in REFUSALS])
def test_refusals(host, call, arguments, error, message):
    with pytest.raises(error, match=message):
        function_of('cuda', call)(*arguments)
    if call.startswith('resampling'):
        with pytest.raises(error, match=message):
            function_of('reference', call)(*arguments)
