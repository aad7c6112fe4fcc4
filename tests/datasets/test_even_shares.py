"""What is wanted of the shares is counted; that there are such is a theorem."""
from source.datasets.even_shares import even_shares

import numpy as np


def test_groups_and_classes_are_shared_evenly():
    """Of many orders, most of them of few images: then both ends of an epoch are in groups that it shares."""
    rng = np.random.RandomState(0)
    for k in range(1500):
        n = rng.randint(1, 8)
        first, length = rng.randint(n), rng.randint(60) if k < 300 else n * rng.randint(4) + rng.randint(n)
        labels = rng.randint(-1, 1 + length // rng.randint(1, 9), length)
        ranks = even_shares(labels.tolist(), n, first)
        assert (ranks.dtype, ranks.shape) == (np.int32, labels.shape)
        positions = first + np.arange(length)
        for group in np.unique(positions // n):
            of_group = positions // n == group
            # A group that is shared with another epoch, which has the other processes, may be smaller.
            assert sorted(ranks[of_group]) == (positions[of_group] % n).tolist()
        for label in np.unique(labels):
            counts = np.bincount(ranks[labels == label], minlength=n)
            assert np.ptp(counts) <= 1, (label, counts)
