"""Scores of generated images under a feature network; shared by the trainer's extension and the command line.

It joins `metrics`, which knows arrays only, to `feature_networks`, and so belongs to neither.
"""
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.recognized_share import recognized_share

import numpy as np

BATCHSIZE = 500


def reference_statistics(images, network):
    """Return the FeatureStatistics, under `network`, of real images: an ImageDataset or uint8 (N, 3, H, W).

    A dataset is read whole, batch by batch, without noise or augmentation.
    """
    statistics = FeatureStatistics()
    for start in range(0, len(images), BATCHSIZE):
        stop = min(start + BATCHSIZE, len(images))
        batch = images.load_ims(np.arange(start, stop)) if hasattr(images, 'load_ims') else images[start:stop]
        statistics.update(network(batch)[0])
    return statistics


def score_samples(ims, y, network, reference, splits=10):
    """Return {'is_mean', 'is_std', 'fid', 'recognized'}, floats, of ims, uint8 (N, 3, H, W), under `network`.

    `reference` is a FeatureStatistics of real images under the same network. 'recognized' is the share, in [0, 1],
    seen as its label `y` (N,); it is left out where y is None or where the network's classes are not those labels.
    `splits` is the inception score's. The scores depend on N and splits: print both beside them.
    """
    feats, probs = network(ims)
    statistics = FeatureStatistics().update(feats)
    is_mean, is_std = inception_score(probs, splits)
    fid = frechet_distance(statistics.mean, statistics.cov, reference.mean, reference.cov)
    scores = {'is_mean': is_mean, 'is_std': is_std, 'fid': fid}
    if y is not None and np.max(y) < network.n_classes:
        scores['recognized'] = recognized_share(probs, y)
    return scores
