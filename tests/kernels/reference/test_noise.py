from source.kernels.reference.noise import dequantize, new_state, philox, uniform
from tests.kernels.convolution_operations import BFLOAT16

import numpy as np
import pytest


# The known answers that come with Random123, for philox4x32 with 10 rounds.
@pytest.mark.parametrize('counter, key, expected', [
    ([0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
    ([0xffffffff] * 4, [0xffffffff] * 2, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
    ([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0],
     [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])])
def test_known_answers(counter, key, expected):
    np.testing.assert_array_equal(philox(np.array([counter], np.uint32), key), [expected])


def test_uniform():
    """Draws go on where the last ones ended, and do not meet others' of another seed."""
    one, two = new_state(5), new_state(5)
    together = uniform(one, 24)
    np.testing.assert_array_equal(np.concatenate([uniform(two, 8), uniform(two, 16)]), together)
    assert not np.isin(uniform(new_state(6), 24), together).any()
    uniform(two, 5)
    assert one.tolist() == [5, 6] and two.tolist() == [5, 8]
    x = uniform(new_state(1), 200_000).astype(np.float64)
    assert 0 <= x.min() < 1e-4 and 1 - 1e-4 < x.max() < 1 and abs(x.var() - 1 / 12) < 1e-3
    assert abs(x.mean() - .5) < 4 * np.sqrt(1 / 12 / x.size) and abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < .01


def test_dequantize():
    """Each value's noise lies within 1/128 above it, evenly; layouts hold the same images."""
    ims = np.random.RandomState(0).randint(0, 256, (16, 3, 32, 32)).astype(np.uint8)
    x = dequantize(ims, new_state(3))
    offset = (x.transpose(0, 3, 1, 2).astype(np.float64) - (ims / 128. - 1)) * 128
    assert offset.min() > -1e-4 and offset.max() < 1 + 1e-4
    assert abs(offset.mean() - .5) < 4 * np.sqrt(1 / 12 / offset.size)
    channels_last = np.ascontiguousarray(ims.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(dequantize(channels_last, new_state(3), channels_last=True), x)
    np.testing.assert_array_equal(dequantize(ims, new_state(3), BFLOAT16), x.astype(BFLOAT16))
