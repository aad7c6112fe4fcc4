"""Mean and covariance of features that never need to be in memory together."""
from chainer import backend

BLOCK = 1024  # features summed at once


class FeatureStatistics:
    """Running mean (D,) and unbiased covariance (D, D) in float64; `update` with features, `merge` with another.

    Both are NumPy's or CuPy's as the features are. Features are gathered into blocks of BLOCK, whatever parts they
    come in, so the size of the parts changes no bit; their order changes the result by rounding only, and memory
    does not grow with their number. Chan, Golub and LeVeque 1983, Algorithms for Computing the Sample Variance,
    eq. 2.1.
    """

    def __init__(self):
        self._n, self._mean, self._scatter = 0, None, None
        self._block, self._n_waiting = None, 0

    def update(self, feats):
        """Add `feats` (N, D); return self. Raises ValueError for another shape or non-finite values."""
        xp = backend.get_array_module(feats)
        feats = xp.asarray(feats)
        if feats.ndim != 2 or not xp.isfinite(feats).all():
            raise ValueError(f'feats: expected (N, D), finite; got {feats.shape}')
        while len(feats):
            if self._block is None:
                self._check_width(feats.shape[1])
                self._block = xp.empty((BLOCK, feats.shape[1]), xp.float64)
            self._check_width(feats.shape[1], self._block.shape[1])
            taken = feats[:BLOCK - self._n_waiting]
            self._block[self._n_waiting:self._n_waiting + len(taken)] = taken
            self._n_waiting += len(taken)
            feats = feats[len(taken):]
            if self._n_waiting == BLOCK:
                self._sum_block()
        return self

    def merge(self, other):
        """Add all that another FeatureStatistics has seen; return self."""
        self._sum_block()
        other._sum_block()
        if other._n:
            self._check_width(len(other._mean))
            self._add(other._n, other._mean, other._scatter)
        return self

    @property
    def n(self):
        return self._n + self._n_waiting

    @property
    def mean(self):
        self._sum_block()
        return self._mean

    @property
    def cov(self):
        """Unbiased covariance (D, D); raises ValueError below two features."""
        if self.n < 2:
            raise ValueError(f'a covariance needs at least 2 features, there are {self.n}')
        self._sum_block()
        return self._scatter / (self._n - 1)

    def _check_width(self, width, expected=None):
        expected = expected or (None if self._mean is None else len(self._mean))
        if expected not in (None, width):
            raise ValueError(f'feats: expected {expected} dimensions as before, got {width}')

    def _sum_block(self):
        if self._n_waiting:
            feats = self._block[:self._n_waiting]
            mean = feats.mean(axis=0)
            centred = feats - mean
            self._add(len(feats), mean, centred.T @ centred)
            self._n_waiting = 0

    def _add(self, n, mean, scatter):
        if not self._n:
            self._n, self._mean, self._scatter = n, mean, scatter
            return
        total = self._n + n  # below, new arrays: the old ones may be another's, by merge
        shift = mean - self._mean
        self._scatter = self._scatter + scatter + shift[:, None] * (shift * (self._n * n / total))
        self._mean = self._mean + shift * (n / total)
        self._n = total
