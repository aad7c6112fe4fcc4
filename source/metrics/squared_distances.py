"""Squared distances of features, a block of rows at a time: memory grows with their number, not with its square."""
BLOCK_ENTRIES = 2 ** 22  # of a block of distances: 32 MiB in float64
ROUNDING = 1e-12  # of squared norms: below it a squared distance is float64's rounding, and two features are equal


def centred(xp, feats0, feats1):
    """Return both as float64 less the mean of the first: distances stay, and lose less to rounding."""
    feats0, feats1 = feats0.astype(xp.float64), feats1.astype(xp.float64)
    centre = feats0.mean(axis=0)
    return feats0 - centre, feats1 - centre


def squared_distances(xp, rows, columns):
    """Yield (distances, rounding), both (B, M): a block of rows (N, D) to all columns (M, D), and what ROUNDING is."""
    of_rows, of_columns = ((feats ** 2).sum(axis=1) for feats in (rows, columns))
    n_block = max(1, BLOCK_ENTRIES // len(columns))
    for start in range(0, len(rows), n_block):
        norms = of_rows[start:start + n_block, None] + of_columns
        distances = norms - 2. * (rows[start:start + n_block] @ columns.T)
        rounding = ROUNDING * norms
        yield xp.where(distances < rounding, 0., distances), rounding


def squared_radii(xp, feats, k):
    """Return the squared distance of each of feats (N, D) to the k-th nearest of the others, (N,)."""
    # Each is its own nearest neighbour: the k-th of the others is entry k. A view would keep its whole block.
    return xp.concatenate([xp.partition(d, k, axis=1)[:, k].copy() for d, _ in squared_distances(xp, feats, feats)])
