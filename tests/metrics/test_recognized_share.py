from source.metrics.recognized_share import recognized_share

import numpy as np
import pytest


def test_counts_the_largest():
    probs = np.array([[.5, .3, .2], [.1, .2, .7], [.3, .4, .3], [.2, .2, .6]])
    assert recognized_share(probs, np.array([0, 2, 1, 2])) == 1.
    assert recognized_share(probs, np.array([0, 2, 2, 1])) == .5
    assert recognized_share(probs, [1, 0, 0, 0]) == 0.


@pytest.mark.parametrize('probs, y, message', [
    (np.ones((2, 3)), [0], r'got \(2, 3\) and \(1,\)'),
    (np.ones((0, 3)), [], 'N > 0'),
    (np.ones((2, 3)), [0, 3], 'labels 0 to 2, got 0 to 3'),
    (np.ones((2, 3)), [-1, 0], 'labels 0 to 2, got -1 to 0'),
])
def test_refuses(probs, y, message):
    with pytest.raises(ValueError, match=message):
        recognized_share(probs, y)
