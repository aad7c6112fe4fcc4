"""Scores: arrays in, numbers out."""
from source.metrics.density_coverage import density_coverage
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.lipschitz_bound import lipschitz_bound, lipschitz_factors
from source.metrics.ms_ssim import ms_ssim
from source.metrics.nearest_neighbors import nearest_neighbors
from source.metrics.precision_recall import precision_recall
from source.metrics.recognized_share import recognized_share

__all__ = [
    'FeatureStatistics', 'SingularCovarianceWarning', 'density_coverage', 'frechet_distance', 'inception_score',
    'kernel_inception_distance', 'lipschitz_bound', 'lipschitz_factors', 'ms_ssim', 'nearest_neighbors',
    'precision_recall', 'recognized_share',
]
