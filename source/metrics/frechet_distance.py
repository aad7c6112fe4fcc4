"""The Fréchet distance between two normal distributions: FID, once the features are Inception's."""
import numpy as np


def frechet_distance(mu0, cov0, mu1, cov1):
    """Return |mu0 - mu1|^2 + tr(C0 + C1 - 2 (C0^(1/2) C1 C0^(1/2))^(1/2)), a float >= 0, in float64.

    `mu` is (D,), `cov` (D, D) symmetric and positive semi-definite up to rounding; it may be singular. The symmetric
    form has the trace of (C0 C1)^(1/2) and needs no complex square root. Raises ValueError for other shapes and
    non-finite values. Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule, eq. 6.
    """
    mu0, cov0 = _checked(mu0, cov0)
    mu1, cov1 = _checked(mu1, cov1)
    if mu0.shape != mu1.shape:
        raise ValueError(f'expected two distributions of one dimension, got {len(mu0)} and {len(mu1)}')
    root0 = _symmetric_sqrt(cov0)
    cross = np.sqrt(_eigenvalues(root0 @ cov1 @ root0)).sum()
    distance = ((mu0 - mu1) ** 2).sum() + np.trace(cov0) + np.trace(cov1) - 2. * cross
    return max(float(distance), 0.)


def _checked(mu, cov):
    mu, cov = np.asarray(mu, dtype=np.float64), np.asarray(cov, dtype=np.float64)
    if mu.ndim != 1 or cov.shape != (mu.size, mu.size):
        raise ValueError(f'expected a mean (D,) and a covariance (D, D), got {mu.shape} and {cov.shape}')
    if not np.isfinite(mu).all() or not np.isfinite(cov).all():
        raise ValueError('expected a finite mean and covariance')
    return mu, cov


def _symmetric_sqrt(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0., None))) @ vectors.T


def _eigenvalues(matrix):
    # Rounding makes the product slightly asymmetric and its zero eigenvalues slightly negative.
    return np.clip(np.linalg.eigvalsh((matrix + matrix.T) / 2.), 0., None)
