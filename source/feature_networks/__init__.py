"""Networks that judge images: each turns them into features, for distances, and class probabilities, for scores."""
from source.feature_networks import digits, efficientnet_lite0, inception

__all__ = ['NETWORKS', 'load_feature_network']

# The contract: ims uint8 (N, C, H, W), or a list of (C, H, W) -> feats (N, D), probs (N, K), both float32 NumPy arrays.
NETWORKS = {
    'digits': digits.load,
    'mnist': digits.load_mnist,
    'inception': inception.load_tf,
    'inception_chainer': inception.load_chainer,
    'efficientnet_lite0': efficientnet_lite0.load,
}


def load_feature_network(name, device=-1, weights=None):
    """Return the named FeatureNetwork with its weights on `device`: -1 for the CPU, else a GPU's number.

    `weights` is the path of its weights file, None for each network's own. Raises ValueError for an unknown name,
    naming the known ones, and for weights that are missing or another network's.
    """
    if name not in NETWORKS:
        raise ValueError(f'feature network: expected one of {", ".join(sorted(NETWORKS))}, got {name!r}')
    return NETWORKS[name](device) if weights is None else NETWORKS[name](device, weights)
