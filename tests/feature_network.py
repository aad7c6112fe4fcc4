from source.feature_networks.feature_network import FeatureNetwork

import numpy as np


class FakeFeatureNetwork:
    """In place of a trained network: features are means over rows, the class is that of the brightest row."""

    name, n_classes, digest = 'digits', 10, 'none'
    be_foreign = FeatureNetwork.be_foreign

    def __call__(self, ims):
        feats = ims.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
        logits = np.resize(feats.T, (10, len(ims))).T / 32.
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        return feats, probs / probs.sum(axis=1, keepdims=True)
