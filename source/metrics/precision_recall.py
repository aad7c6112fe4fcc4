"""Precision and recall of generated features: how real they are, and how much of the real ones they cover."""
from source.metrics.arrays import checked_feats

from chainer import backend

NEIGHBORS = 3  # the paper's k
BLOCK_ENTRIES = 2 ** 22  # of a block of distances: 32 MiB in float64
ROUNDING = 1e-12  # of squared norms: below it a squared distance is float64's rounding, and two features are equal


def precision_recall(feats_real, feats_fake, k=NEIGHBORS):
    """Return (precision, recall), floats in [0, 1].

    Precision is the share of fake features no farther from some real one than that one's k-th nearest real
    neighbour; recall the share of real features in such balls around the fake ones. `feats` are (N, D), each with
    more than k rows. Distances are of float64, a block of rows at a time: memory grows with N, not N². Raises
    ValueError for other shapes. Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing
    Generative Models, eq. 1 and 2.
    """
    xp = backend.get_array_module(feats_real, feats_fake)
    real, fake = xp.asarray(feats_real), xp.asarray(feats_fake)
    if k < 1:
        raise ValueError(f'k: expected at least 1, got {k}')
    checked_feats(real, fake, smallest=k + 1)
    real, fake = real.astype(xp.float64), fake.astype(xp.float64)
    centre = real.mean(axis=0)  # distances stay, and lose less to rounding
    real -= centre
    fake -= centre
    return _covered_share(xp, fake, real, k), _covered_share(xp, real, fake, k)


def _covered_share(xp, points, centres, k):
    # Each centre is its own nearest neighbour: the k-th of the others is entry k. A view would keep its whole block.
    radii = xp.concatenate([xp.partition(d, k, axis=1)[:, k].copy() for d in _squared_distances(xp, centres, centres)])
    n_covered = sum(int((d <= radii).any(axis=1).sum()) for d in _squared_distances(xp, points, centres))
    return n_covered / len(points)


def _squared_distances(xp, rows, columns):
    """Yield the squared distances of rows (N, D) to columns (M, D), a block (B, M) at a time."""
    of_rows, of_columns = ((feats ** 2).sum(axis=1) for feats in (rows, columns))
    n_block = max(1, BLOCK_ENTRIES // len(columns))
    for start in range(0, len(rows), n_block):
        norms = of_rows[start:start + n_block, None] + of_columns
        distances = norms - 2. * (rows[start:start + n_block] @ columns.T)
        yield xp.where(distances < ROUNDING * norms, 0., distances)
