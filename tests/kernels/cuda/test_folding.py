from tests.kernels.cuda.both_sets import DTYPES, check_everywhere, draw
from tests.kernels.cuda.sources import BFLOAT16

import numpy as np
import pytest

KINDS = [(1, None), (3, None), (4, None), (3, 'pooled'), (3, 'upsampled')]


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('k, taps', KINDS)
@pytest.mark.parametrize('swap', [False, True])
@pytest.mark.parametrize('n_out, n_in, channels', [(3, 130, (8, 136)), (5, 1, (5, 1)), (130, 3, (136, 4))])
def test_weights(host, k, taps, swap, n_out, n_in, channels, dtype):
    w = draw((n_in, n_out, k, k) if swap else (n_out, n_in, k, k))
    check_everywhere(host, 'folding', 'pack_weights', [w], [taps], [swap], [channels], dtype)
    g = draw((channels[0], *[4 if taps else k] * 2, channels[1]), dtype)
    check_everywhere(host, 'folding', 'unpack_gradients', g, taps, swap, w.shape, draw((2, 5, 3, 6), dtype, 1))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('shape', [(2, 3, 5, 3), (1, 1, 1, 40), (7, 8)])
def test_channels_and_bias(host, shape, dtype):
    x = draw(shape, dtype)
    for channels in (1, shape[-1], shape[-1] + 5):
        check_everywhere(host, 'folding', 'with_channels', x, channels)
    bias = draw(shape[-1:])
    check_everywhere(host, 'folding', 'pack_bias', bias, dtype, shape[-1] + 3)
    check_everywhere(host, 'folding', 'add_bias', x, bias.astype(dtype))


@pytest.mark.parametrize('dtype', DTYPES)
def test_many_weights(host, dtype):
    """Of all kinds and sizes in one launch; and more than a table holds in two."""
    from source.kernels.cuda import folding
    shapes = [(3, 130), (130, 3), (5, 1), (1, 300), (8, 8)]
    ws, taps, swaps, channels = [], [], [], []
    for i, ((k, tap), (n_out, n_in)) in enumerate([(kind, shape) for kind in KINDS for shape in shapes]):
        swaps.append(i % 2 == 1)
        ws.append(draw((n_in, n_out, k, k) if swaps[-1] else (n_out, n_in, k, k), seed=i))
        taps.append(tap)
        channels.append((n_out + i % 3, n_in + i % 4))
    host.launches.clear()
    check_everywhere(host, 'folding', 'pack_weights', ws, taps, swaps, channels, dtype)
    assert host.launches == ['pack_weights'] * 3
    n = folding._TABLE.capacity + 2
    host.launches.clear()
    folding.pack_weights([host.array(draw((1, 1, 1, 1), seed=i)) for i in range(n)], [None] * n, [False] * n,
                         [(1, 1)] * n, dtype)
    assert host.launches == ['pack_weights'] * 2
    check_everywhere(host, 'folding', 'pack_weights', [draw((1 + i % 3, 2, 1, 1), seed=i) for i in range(n)],
                     [None] * n, [False] * n, [(3, 2)] * n, dtype)


def test_weights_must_be_float32(host):
    from source.kernels.cuda import folding
    with pytest.raises(TypeError, match='bfloat16'):
        folding.pack_weights([draw((2, 2, 3, 3), BFLOAT16)], [None], [False], [(2, 2)], np.float32)
    with pytest.raises(ValueError, match='strides'):
        folding.pack_weights([draw((2, 2, 3, 3)).transpose(1, 0, 2, 3)], [None], [False], [(2, 2)], np.float32)
