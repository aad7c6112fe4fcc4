"""Which metrics so few images allow, known before any of them is computed."""
from source.metrics.density_coverage import NEIGHBORS as OF_DENSITY_COVERAGE
from source.metrics.precision_recall import NEIGHBORS as OF_PRECISION_RECALL

NAMES = {'is': 'inception score', 'fid': 'FID', 'kid': 'KID', 'pr': 'precision and recall',
         'dc': 'density and coverage'}
# {metric: (images, real images)}
FEWEST = {'fid': (2, 2), 'kid': (2, 2), 'pr': (OF_PRECISION_RECALL + 1,) * 2,
          'dc': (1, OF_DENSITY_COVERAGE + 1)}


def too_few(metric, n_images=None, n_real=None, splits=1):
    """Return why there are too few images for a metric, a text, or None; a count of None is enough."""
    if metric == 'is':
        if n_images is not None and n_images < splits:
            return f'expected at least as many images as splits ({splits}), found {n_images}'
        return None
    for n, fewest, kind in zip((n_images, n_real), FEWEST[metric], ('images', 'real images'), strict=True):
        if n is not None and n < fewest:
            return f'expected at least {fewest} {kind}, found {n}'
    return None
