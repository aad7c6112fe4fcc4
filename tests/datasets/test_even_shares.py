"""What is wanted of the shares is counted; that there are such is a theorem."""
from source.datasets.even_shares import even_shares

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st


def check(labels, n, first):
    labels, ranks = np.asarray(labels), even_shares(labels, n, first)
    assert (ranks.dtype, ranks.shape) == (np.int32, labels.shape)
    positions = first + np.arange(len(labels))
    for group in np.unique(positions // n):
        of_group = positions // n == group
        found = sorted(ranks[of_group].tolist())
        if len(found) == n:
            assert found == list(range(n))
        else:  # shared with another epoch, which has the other processes
            assert found == (positions[of_group] % n).tolist()
    for label in np.unique(labels):
        counts = np.bincount(ranks[labels == label], minlength=n)
        assert counts.max() - counts.min() <= 1, (label, counts)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.lists(st.integers(-1, 6), max_size=60), st.integers(1, 7), st.data())
def test_groups_and_classes_are_shared_evenly(labels, n, data):
    check(labels, n, data.draw(st.integers(0, n - 1)))


def test_shared_groups_where_neither_end_may_have_any_process():
    """Both ends of an epoch are in groups that it shares: many orders of few images, whose colours must change."""
    rng = np.random.RandomState(0)
    for _ in range(1000):
        n = rng.randint(3, 6)
        first = rng.randint(1, n)
        length = n * rng.randint(1, 4) + rng.randint(n)
        check(rng.randint(0, 1 + length // 2, length), n, first)
