import math

from source.metrics.inception_score import inception_score

import numpy as np
import pytest


def slow_score(probs):
    n, k = len(probs), len(probs[0])
    marginal = [sum(row[j] for row in probs) / n for j in range(k)]
    return math.exp(sum(p * math.log(p / q) for row in probs for p, q in zip(row, marginal, strict=True) if p) / n)


def test_closed_forms():
    assert inception_score(np.full((30, 7), 1. / 7.), splits=3) == pytest.approx((1., 0.), abs=1e-12)
    assert inception_score(np.eye(6)[np.arange(60) % 6], splits=10) == pytest.approx((6., 0.), abs=1e-12)
    # Two classes, told apart with certainty p: the log of the score is log 2 minus the entropy of p.
    p = .9
    entropy = -p * math.log(p) - (1 - p) * math.log(1 - p)
    assert inception_score(np.tile([[p, 1 - p], [1 - p, p]], (10, 1)), splits=2) == pytest.approx(
        (2. / math.exp(entropy), 0.), abs=1e-12)


@pytest.mark.parametrize('n, splits', [(40, 4), (43, 4), (43, 10), (5, 5), (9, 1)])
def test_agrees_with_plain_loops(n, splits):
    probs = np.random.default_rng(n).dirichlet(np.full(6, .3), n)
    probs[0] = np.eye(6)[2]
    scores = [slow_score(probs[k * n // splits:(k + 1) * n // splits].tolist()) for k in range(splits)]
    mean = sum(scores) / splits
    std = math.sqrt(sum((score - mean) ** 2 for score in scores) / splits)
    found = inception_score(probs, splits)
    assert found[0] == pytest.approx(mean, rel=1e-12, abs=1e-12)
    assert found[1] is None if splits == 1 else found[1] == pytest.approx(std, rel=1e-12, abs=1e-12)


def test_float32_is_summed_in_float64():
    probs = np.random.default_rng(0).dirichlet(np.full(10, .3), 5000).astype(np.float32)
    assert inception_score(probs, 1)[0] == pytest.approx(slow_score(probs.astype(float).tolist()), rel=1e-12)


@pytest.mark.parametrize('probs, splits, message', [
    (np.ones(3), 1, r'expected \(N, K\)'),
    (np.array([[.5, np.nan]]), 1, 'finite'),
    (np.array([[1.5, -.5]]), 1, 'not negative'),
    (np.ones((3, 1)), 4, 'expected 1 to 3, the number of images; got 4'),
    (np.ones((3, 1)), 0, 'got 0')])
def test_refuses(probs, splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(probs, splits)
