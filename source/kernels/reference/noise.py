"""Random numbers that are a function of (seed, counter): Philox4x32-10 (Salmon et al., 2011), and dequantization.

A state is uint64 (2,): the seed, which is the generator's key, and the number of blocks used so far, each of four words
of 32 bits. It lives where the images are and is advanced there.
"""
from source.kernels.reference.precision import narrowed

import numpy as np

_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
_KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], np.uint32)
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def new_state(seed, counter=0):
    """A state, NumPy uint64 (2,)."""
    return np.array([seed, counter], np.uint64)


def philox(counters, key):
    """Philox4x32-10 of counters uint32 (n, 4) under key uint32 (2,): words uint32 (n, 4)."""
    x = [counters[:, i].astype(np.uint32) for i in range(4)]
    key = np.array(key, np.uint32)
    for _ in range(_ROUNDS):
        products = [m * x[i].astype(np.uint64) for m, i in zip(_MULTIPLIERS, (0, 2))]
        (high0, low0), (high1, low1) = (((p >> _32).astype(np.uint32), (p & _LOW).astype(np.uint32)) for p in products)
        x = [high1 ^ x[1] ^ key[0], low1, high0 ^ x[3] ^ key[1], low0]
        key = key + _KEY_STEPS  # modulo 2³²
    return np.stack(x, 1)


def uniform(state, n):
    """n float32 in [0, 1), multiples of 2⁻²⁴; the state is advanced in place by ⌈n / 4⌉ blocks."""
    seed, first = state
    n_blocks = -(-n // 4)
    blocks = first + np.arange(n_blocks, dtype=np.uint64)
    zeros = np.zeros(n_blocks, np.uint32)
    counters = np.stack([(blocks & _LOW).astype(np.uint32), (blocks >> _32).astype(np.uint32), zeros, zeros], 1)
    words = philox(counters, [int(seed) & 0xFFFFFFFF, int(seed) >> 32])
    state[1] += np.uint64(n_blocks)
    return ((words.reshape(-1)[:n] >> np.uint32(8)).astype(np.float32)) * np.float32(2 ** -24)


def dequantize(ims, state, dtype=np.float32, channels_last=False):
    """ims / 128 − 1 + U(0, 1/128): uint8 (B, C, H, W), or (B, H, W, C) with `channels_last`, → (B, H, W, C) in `dtype`.

    The noise of an element goes by its place in the result. The state is advanced in place.
    """
    ims = ims if channels_last else ims.transpose(0, 2, 3, 1)
    noise = uniform(state, ims.size).reshape(ims.shape)
    x = (ims.astype(np.float32) * np.float32(1 / 128) - np.float32(1)) + noise * np.float32(1 / 128)
    return narrowed(x, dtype)
