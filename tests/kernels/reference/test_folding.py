"""Folding and its adjoint; packing, which the GPU's kernels do in one pass, step by step."""
from source.kernels.reference.folding import (
    TAPS,
    add_bias,
    fold,
    pack_bias,
    pack_weight,
    unfold,
    unpack_weight_gradient,
    with_channels,
)
from tests.kernels.convolution_operations import BFLOAT16

import numpy as np
import pytest


@pytest.mark.parametrize('taps', TAPS)
def test_unfold_is_the_adjoint(taps):
    random = np.random.RandomState(0)
    w = random.standard_normal((2, 3, 3, 3))
    gw = random.standard_normal(fold(w, taps).shape)
    np.testing.assert_allclose(np.vdot(fold(w, taps), gw), np.vdot(w, unfold(gw, taps)), rtol=1e-13)


def test_folded_weights_keep_their_sum():
    """Of a constant image: pooling keeps it, and each upsampled pixel is met by as many taps in all."""
    w = np.random.RandomState(0).standard_normal((2, 3, 3, 3))
    np.testing.assert_allclose(fold(w, 'pooled').sum((2, 3)), w.sum((2, 3)))
    np.testing.assert_allclose(fold(w, 'upsampled').sum((2, 3)), 4 * w.sum((2, 3)))


@pytest.mark.parametrize('taps', TAPS)
@pytest.mark.parametrize('swap', [False, True])
def test_unpacking_is_the_adjoint_of_packing(taps, swap):
    random = np.random.RandomState(0)
    w = random.standard_normal((5, 3, 3, 3))
    packed = pack_weight(w, taps, swap, np.float64, (8, 8))
    assert packed.shape == (8, 3 if taps is None else 4, 3 if taps is None else 4, 8)
    g = random.standard_normal(packed.shape)
    np.testing.assert_allclose(
        np.vdot(packed, g), np.vdot(w, unpack_weight_gradient(g, taps, swap, w.shape)), rtol=1e-12)


def test_layout():
    w = np.arange(6.).reshape(2, 3, 1, 1)
    np.testing.assert_array_equal(pack_weight(w, None, False, np.float32, (2, 4))[:, 0, 0], [[0, 1, 2, 0],
                                                                                           [3, 4, 5, 0]])
    np.testing.assert_array_equal(pack_weight(w, None, True, np.float32, (3, 2))[:, 0, 0], [[0, 3], [1, 4], [2, 5]])


def test_channels_and_bias():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(with_channels(x, 4), [[0, 1, 2, 0], [3, 4, 5, 0]])
    np.testing.assert_array_equal(with_channels(with_channels(x, 4), 3), x)
    bias = pack_bias(np.float32([1 + 2 ** -9, 2]), BFLOAT16, 3)
    assert bias.dtype == BFLOAT16 and bias.tolist() == [1, 2, 0]
    add_bias(x, np.float32([1, 2, 3]))
    np.testing.assert_array_equal(x, [[1, 3, 5], [4, 6, 8]])
