"""Networks that judge images: each turns them into features, for distances, and class probabilities, for scores."""
from source.feature_networks import digits

# The contract: ims uint8 (N, 3, H, W) -> feats (N, D), probs (N, K), both float32 NumPy arrays.
NETWORKS = {'digits': digits.load}


def load_feature_network(name, device=-1, weights=None):
    """Return the named FeatureNetwork with its weights on `device`: -1 for the CPU, else a GPU's number.

    `weights` names a file to take instead of the default.
    Raises ValueError for an unknown name, naming the known ones.
    """
    if name not in NETWORKS:
        raise ValueError(f'feature network: expected one of {", ".join(sorted(NETWORKS))}, got {name!r}')
    return NETWORKS[name](device) if weights is None else NETWORKS[name](device, weights)
