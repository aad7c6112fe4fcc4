"""Singular values of a discriminator's weights, and what they bound."""
from source.links.weights import layer_name, singular_values, weights_of
from source.metrics.lipschitz_bound import lipschitz_bound, lipschitz_factors

import numpy as np
from chainer.backends import cuda


def spectra_of(dis):
    """What `singular_values.py` and the report show of a discriminator, as a dict to be written as JSON.

    'layers': for each, its singular values, descending, of the weights it computes with ('values'), and the spectral
    norm of its weights before any normalization ('raw'); 'factors' and 'bound': those of eq. 7, and 'raw_bound' that
    without normalization. Numbers that are not finite are None.
    """
    values = singular_values(dis)
    raw = {layer_name(path): _norm(W.array) for path, W in weights_of(dis)}
    projection = hasattr(dis, 'l_y') and getattr(dis, 'concat_before', None) is None
    sigmas = {name: float(v[0]) for name, v in values.items()}
    return {
        'discriminator': type(dis).__name__,
        'normalization': getattr(getattr(dis, 'norm', None), 'name', None),
        'layers': {name: {'values': [_finite(x) for x in v], 'raw': _finite(raw[name])} for name, v in values.items()},
        'factors': {name: _finite(f) for name, f in lipschitz_factors(sigmas, projection).items()},
        'bound': _finite(lipschitz_bound(sigmas, projection)),
        'raw_bound': _finite(lipschitz_bound(raw, projection)),
    }


def _norm(W):
    W = cuda.to_cpu(W).reshape(len(W), -1)
    return float(np.linalg.norm(W, 2)) if np.isfinite(W).all() else float('nan')


def _finite(x):
    return float(f'{x:.6g}') if np.isfinite(x) else None
