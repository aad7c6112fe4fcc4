"""Scores of images under a feature network, from one pass; shared by the trainer's extension and the command lines.

It joins `metrics`, which knows arrays only, to `feature_networks`, and so belongs to neither.
"""
from dataclasses import dataclass, field

from source.command_line.progress_bar import progress_bar
from source.datasets.image_sizes import describe_sizes
from source.metrics.density_coverage import density_coverage
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from source.metrics.recognized_share import recognized_share
from source.scoring.statistics_files import ReferenceStatistics

import numpy as np

BATCHSIZE = 500
BATCH_BYTES = 2 ** 29  # of images read at once, where they may be of any size
METRICS = 'is', 'fid', 'kid', 'pr', 'dc'
NEED_FEATS = {'kid', 'pr', 'dc'}
N_KEPT = 50000  # real features, at most, that KID, precision and recall, density and coverage are of


@dataclass
class Judged:
    """What a feature network made of images: `statistics` of features, and what else was asked to be kept."""

    statistics: FeatureStatistics
    probs: np.ndarray | None = None  # float32 (N, K)
    y: np.ndarray | None = None  # int (N,)
    feats: np.ndarray | None = None  # float32 (M, D)
    sizes: set = field(default_factory=set)  # (width, height) of the images


def judge(batches, network, n, n_compared=None, keep_probs=True, keep_feats=None, desc='images'):
    """Pass n images through `network` once, holding in memory no more of them than a batch; return Judged.

    `batches` yields (ims, y), ims as FeatureNetwork takes them, y None where there are no labels. Statistics are of the
    first `n_compared` images (default: all). `keep_feats` is a bool array (n_compared,), which features to keep, or
    None. Raises ValueError where the images are not n.
    """
    n_compared = n if n_compared is None else n_compared
    judged, labels, seen, n_feats = Judged(FeatureStatistics()), [], 0, 0
    with progress_bar(n, desc) as bar:
        for ims, y in batches:
            feats, probs = network(ims)
            compared = feats[:max(0, n_compared - seen)]
            judged.statistics.update(compared)
            if keep_feats is not None and len(compared):
                kept = compared[keep_feats[seen:seen + len(compared)]]
                judged.feats = _filled(judged.feats, kept, n_feats, int(keep_feats.sum()))
                n_feats += len(kept)
            if keep_probs:
                judged.probs = _filled(judged.probs, probs, seen, n)
            if y is not None:
                labels.append(y)
            judged.sizes.update(im.shape[:0:-1] for im in (ims if isinstance(ims, list) else ims[:1]))
            seen += len(ims)
            bar.update(len(ims))
    if seen != n:
        raise ValueError(f'expected {n} images, got {seen}')
    judged.y = np.concatenate(labels) if labels else None
    return judged


def _filled(array, rows, start, n):
    # Made at once for all n: joining the parts at the end would need the memory twice.
    if array is None:
        array = np.empty((n, rows.shape[1]), rows.dtype)
    array[start:start + len(rows)] = rows
    return array


def stored_batches(images, indices=None, labels=None):
    """Yield (ims, y) of real images, an ImageDataset or uint8 (N, C, H, W), without noise or augmentation.

    `indices` says which, and in which order; y is of `labels`, int (N,), or None without them. Images of several sizes
    come as a list of (C, H, W).
    """
    indices, start = np.arange(len(images)) if indices is None else indices, 0
    while start < len(indices):
        batch = indices[start:start + BATCHSIZE]
        if hasattr(images, 'load_some'):
            ims = images.load_some(batch, BATCH_BYTES)
            batch = batch[:len(ims)]
        else:
            ims = images.load_ims(batch) if hasattr(images, 'load_ims') else images[batch]
        yield ims, None if labels is None else labels[batch]
        start += len(batch)


def judge_real(images, network, indices=None, keep_feats=False):
    """Return Judged of real images, or those at `indices`; of their features N_KEPT, chosen at random, are kept.

    The choice is the same every time.
    """
    n = len(images) if indices is None else len(indices)
    keep = None
    if keep_feats:
        keep = np.zeros(n, bool)
        keep[np.random.RandomState(0).permutation(n)[:N_KEPT]] = True
    return judge(stored_batches(images, indices), network, n, keep_probs=False, keep_feats=keep, desc='real images')


def reference_statistics(images, network, indices=None):
    """Return the ReferenceStatistics, under `network`, of real images or of those at `indices`, read batch by batch.

    Raises ValueError for fewer than two images.
    """
    judged = judge_real(images, network, indices)
    found = judged.statistics
    return ReferenceStatistics(found.mean, found.cov, found.n, sizes=describe_sizes(judged.sizes))


def scores_of(judged, network, metrics=('is', 'fid'), reference=None, real_feats=None, splits=10, n_subsets=100,
              subset_size=1000):
    """Return {name: float} of the `metrics` among METRICS, of images that `judge` kept what is needed of.

    'is' gives 'is_mean', 'is_std'; 'fid' gives 'fid', against `reference`, which has `mean` and `cov` under the same
    network; 'kid' gives 'kid_mean', 'kid_std', 'pr' gives 'precision', 'recall', and 'dc' gives 'density', 'coverage',
    against `real_feats` (M, D). 'recognized', the share seen as their label, comes with 'is' where labels are the
    network's classes. A std that one value alone would have, of a single split or subset, is left out. The scores
    depend on the numbers of images and on splits: print them beside.
    """
    scores = {}
    if 'is' in metrics:
        scores['is_mean'], scores['is_std'] = inception_score(judged.probs, splits)
    if 'fid' in metrics:
        statistics = judged.statistics
        scores['fid'] = frechet_distance(reference.mean, reference.cov, statistics.mean, statistics.cov)
    if 'kid' in metrics:
        scores['kid_mean'], scores['kid_std'] = kernel_inception_distance(
            real_feats, judged.feats, n_subsets, subset_size, np.random.RandomState(0))
    if 'pr' in metrics:
        scores['precision'], scores['recall'] = precision_recall(real_feats, judged.feats)
    if 'dc' in metrics:
        scores['density'], scores['coverage'] = density_coverage(real_feats, judged.feats)
    if 'is' in metrics and judged.y is not None and np.max(judged.y) < network.n_classes:
        scores['recognized'] = recognized_share(judged.probs, judged.y)
    return {name: score for name, score in scores.items() if score is not None}
