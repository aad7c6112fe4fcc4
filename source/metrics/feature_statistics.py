"""Mean and covariance of features that never need to be in memory together."""
import numpy as np


class FeatureStatistics:
    """Running mean (D,) and unbiased covariance (D, D) in float64; `update` with features, `merge` with another.

    The order and grouping of the features change the result by rounding only.
    Chan, Golub and LeVeque 1983, Algorithms for Computing the Sample Variance, eq. 2.1.
    """

    def __init__(self):
        self.n = 0
        self.mean = None
        self._scatter = None

    def update(self, feats):
        """Add `feats` (N, D); return self. Raises ValueError for another shape or non-finite values."""
        feats = np.asarray(feats, dtype=np.float64)
        if feats.ndim != 2 or not np.isfinite(feats).all():
            raise ValueError(f'feats: expected (N, D), finite; got {feats.shape}')
        if len(feats):
            mean = feats.mean(axis=0)
            centred = feats - mean
            self._add(len(feats), mean, centred.T @ centred)
        return self

    def merge(self, other):
        """Add all that another FeatureStatistics has seen; return self."""
        if other.n:
            self._add(other.n, other.mean, other._scatter)
        return self

    @property
    def cov(self):
        """Unbiased covariance (D, D); raises ValueError below two features."""
        if self.n < 2:
            raise ValueError(f'a covariance needs at least 2 features, there are {self.n}')
        return self._scatter / (self.n - 1)

    def _add(self, n, mean, scatter):
        if not self.n:
            self.n, self.mean, self._scatter = n, mean, scatter
            return
        if mean.shape != self.mean.shape:
            raise ValueError(f'feats: expected {len(self.mean)} dimensions as before, got {len(mean)}')
        total = self.n + n  # below, new arrays: the old ones may be another's, by merge
        shift = mean - self.mean
        self._scatter = self._scatter + scatter + np.outer(shift, shift) * (self.n * n / total)
        self.mean = self.mean + shift * (n / total)
        self.n = total
