"""Ways between latents and between classes."""
import numpy as np


def slerp(z0, z1, t):
    """The point at t (in [0, 1]) of the way from z0 to z1 along the sphere (Shoemake, 1985; White, 2016).

    z0, z1: float (…, dim); t: a number, or an array (T,) that gives (T, …, dim). Latents of a normal distribution lie
    near a sphere of radius √dim, which the straight line between two of them leaves. The length goes linearly from
    the one's to the other's. Opposite latents, which no one great circle joins, raise ValueError.
    """
    z0, z1, t = np.asarray(z0, float), np.asarray(z1, float), np.asarray(t, float)
    t = t.reshape(t.shape + (1,) * z0.ndim)
    length0, length1 = (np.maximum(np.linalg.norm(z, axis=-1, keepdims=True), 1e-12) for z in (z0, z1))
    unit0, unit1 = z0 / length0, z1 / length1
    # The angle by the half-angle formula: the arc cosine loses half the digits where it is small.
    angle = 2 * np.arctan2(np.linalg.norm(unit1 - unit0, axis=-1, keepdims=True),
                           np.linalg.norm(unit1 + unit0, axis=-1, keepdims=True))
    if (np.pi - angle < 1e-6).any():
        raise ValueError('latents opposite to each other: no one way along the sphere joins them')
    near = angle < 1e-6
    sine = np.where(near, 1., np.sin(angle))
    share0 = np.where(near, 1 - t, np.sin((1 - t) * angle) / sine)
    share1 = np.where(near, t, np.sin(t * angle) / sine)
    return (share0 * unit0 + share1 * unit1) * ((1 - t) * length0 + t * length1)


def lerp(z0, z1, t):
    """The point at t of the straight line; shapes as in `slerp`."""
    z0, z1, t = np.asarray(z0, float), np.asarray(z1, float), np.asarray(t, float)
    t = t.reshape(t.shape + (1,) * z0.ndim)
    return (1 - t) * z0 + t * z1


def way_between(distribution):
    """`slerp` for normal latents, `lerp` for uniform ones, whose cube the sphere would leave."""
    return slerp if distribution == 'normal' else lerp


def blend_weights(n):
    """Weights of two classes along n steps from the first to the second, float32 (n, 2), rows of sum 1."""
    t = np.linspace(0, 1, n, dtype=np.float32)
    return np.stack([1 - t, t], axis=1)


def corner_weights(rows, columns):
    """Weights of four corners over a grid, float32 (rows·columns, 4), row by row, rows of sum 1.

    Corners are in reading order: top left, top right, bottom left, bottom right.
    """
    down, across = blend_weights(rows), blend_weights(columns)
    return np.einsum('ri,cj->rcij', down, across).reshape(rows * columns, 4)


def corner_latents(corners, rows, columns, between=slerp):
    """Latents over a grid, (rows·columns, dim), of four in reading order (4, dim): down both sides, then across."""
    t, s = np.linspace(0, 1, rows), np.linspace(0, 1, columns)
    left, right = between(corners[0], corners[2], t), between(corners[1], corners[3], t)
    return between(left, right, s).transpose(1, 0, 2).reshape(rows * columns, -1)


def round_trip(stations, n):
    """Steps of a way through `stations` and back to the first: (from, to, weight of the latter in [0, 1)), n each."""
    return [(a, b, k / n) for a, b in zip(stations, [*stations[1:], stations[0]]) for k in range(n)]
