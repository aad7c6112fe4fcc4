"""Which metrics so few images allow, known before any of them is computed."""
from source.metrics.precision_recall import NEIGHBORS

NAMES = {'is': 'inception score', 'fid': 'FID', 'kid': 'KID', 'pr': 'precision and recall'}
FEWEST = {'fid': 2, 'kid': 2, 'pr': NEIGHBORS + 1}  # images on either side


def too_few(metric, n_images=None, n_real=None, splits=1):
    """Return why there are too few images for a metric, a text, or None; a count of None is enough."""
    if metric == 'is':
        if n_images is not None and n_images < splits:
            return f'expected at least as many images as splits ({splits}), found {n_images}'
        return None
    for n, kind in ((n_images, 'images'), (n_real, 'real images')):
        if n is not None and n < FEWEST[metric]:
            return f'expected at least {FEWEST[metric]} {kind}, found {n}'
    return None
