"""The Fréchet distance between two normal distributions: FID, once the features are Inception's."""
import warnings

from source.metrics.arrays import float64_of


class SingularCovarianceWarning(UserWarning):
    """A covariance without full rank: of no more samples than dimensions, or with features that do not vary."""


def frechet_distance(mu0, cov0, mu1, cov1):
    """Return |mu0 - mu1|^2 + tr(C0 + C1 - 2 (C0^(1/2) C1 C0^(1/2))^(1/2)), a float >= 0, in float64.

    `mu` is (D,), `cov` (D, D) symmetric and positive semi-definite up to rounding. It may be singular: the distance
    stays finite and real, as the symmetric form has the trace of (C0 C1)^(1/2) and needs no complex square root; but
    a covariance of no more than D samples says too little, and so a SingularCovarianceWarning names its rank.
    Raises ValueError for other shapes, non-finite values and other matrices. Heusel et al. 2017, GANs Trained by a
    Two Time-Scale Update Rule, eq. 6.
    """
    xp, mu0, cov0, mu1, cov1 = float64_of(mu0, cov0, mu1, cov1)
    for mu, cov in ((mu0, cov0), (mu1, cov1)):
        if mu.ndim != 1 or cov.shape != (mu.size, mu.size):
            raise ValueError(f'expected a mean (D,) and a covariance (D, D), got {mu.shape} and {cov.shape}')
        if not xp.isfinite(mu).all() or not xp.isfinite(cov).all():
            raise ValueError('expected a finite mean and covariance')
    if mu0.shape != mu1.shape:
        raise ValueError(f'expected two distributions of one dimension, got {len(mu0)} and {len(mu1)}')
    values0, vectors0 = xp.linalg.eigh(cov0)
    _check_variances(xp, 'first', values0)
    _check_variances(xp, 'second', xp.linalg.eigvalsh(cov1))
    root0 = (vectors0 * xp.sqrt(values0.clip(0., None))) @ vectors0.T
    product = root0 @ cov1 @ root0
    # Rounding makes the product slightly asymmetric and its zero eigenvalues slightly negative.
    cross = xp.sqrt(xp.linalg.eigvalsh((product + product.T) / 2.).clip(0., None)).sum()
    distance = ((mu0 - mu1) ** 2).sum() + xp.trace(cov0) + xp.trace(cov1) - 2. * cross
    return max(float(distance), 0.)


def _check_variances(xp, which, values):
    # LAPACK's own measure: eigenvalues are known to about D eps times the largest.
    if values.min() < -1e-4 * values.max():  # far beyond the rounding of float32 statistics
        raise ValueError(f'the {which} covariance has negative variances: expected a positive semi-definite matrix')
    rank = int((values > len(values) * xp.finfo(xp.float64).eps * values.max()).sum())
    if rank < len(values):
        warnings.warn(f'the {which} covariance has rank {rank} of {len(values)} (too few images for so '
                      'many features, or features that do not vary)', SingularCovarianceWarning, stacklevel=3)
