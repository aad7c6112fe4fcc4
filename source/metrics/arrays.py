"""What the metrics share: NumPy or CuPy by their arguments, float64 throughout."""
from chainer import backend


def float64_of(*arrays):
    """Return the module, NumPy or CuPy, of the first array and all of them there as float64; lists become NumPy's."""
    xp = backend.get_array_module(*arrays)
    return xp, *(xp.asarray(array, dtype=xp.float64) for array in arrays)


def checked_feats(feats0, feats1, smallest):
    """Raise ValueError unless both are (N, D) of one D, each with at least `smallest` rows, all finite."""
    shapes = feats0.shape, feats1.shape
    if feats0.ndim != 2 or feats1.ndim != 2 or shapes[0][1] != shapes[1][1] or not shapes[0][1]:
        raise ValueError(f'expected features (N, D) of one D, got {shapes[0]} and {shapes[1]}')
    if min(len(feats0), len(feats1)) < smallest:
        raise ValueError(f'expected at least {smallest} features on either side, got {len(feats0)} and {len(feats1)}')
    for feats in (feats0, feats1):
        if not backend.get_array_module(feats).isfinite(feats).all():
            raise ValueError('expected finite features')
