"""Multi-scale structural similarity of pairs of images; between samples of a class it measures how little they vary."""
from chainer import backend

WEIGHTS = .0448, .2856, .3001, .2363, .1333
WINDOW, SIGMA = 11, 1.5
C1, C2 = (.01 * 255) ** 2, (.03 * 255) ** 2
SMALLEST = 2 ** (len(WEIGHTS) - 1)  # px: below, nothing is left at the coarsest scale
FULL_SIZE = WINDOW * SMALLEST  # 176 px: below, the coarsest scales are smaller than the window


def ms_ssim(ims0, ims1):
    """Return the similarity of each pair, float64 (N,), in [0, 1]; 1 for equal images.

    `ims` are (N, C, H, W), 0 to 255, uint8 or float, computed with in float64; five scales. Below FULL_SIZE px the
    window and its sigma shrink with the coarse scales, as in the TensorFlow code of Odena et al. 2017 (AC-GAN): say so
    beside such a score. A negative mean contrast, whose power is undefined, counts as 0. Raises ValueError for other
    shapes or values and for sides under 16 px, which leave nothing at the fifth scale.
    Wang, Simoncelli and Bovik 2003, Multi-scale structural similarity, eq. 7.
    """
    xp = backend.get_array_module(ims0, ims1)
    x, y = (xp.asarray(ims).astype(xp.float64) for ims in (ims0, ims1))
    if x.ndim != 4 or x.shape != y.shape or min(x.shape[2:]) < SMALLEST:
        raise ValueError(f'expected two arrays (N, C, H, W) of one shape, sides of at least {SMALLEST} px; '
                         f'got {x.shape} and {y.shape}')
    if not all(((0. <= ims) & (ims <= 255.)).all() for ims in (x, y)):
        raise ValueError('expected values from 0 to 255')
    score = xp.ones(len(x))
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            x, y = _halved(xp, x), _halved(xp, y)
        similarity, contrast = _means(xp, x, y)
        factor = similarity if scale == len(WEIGHTS) - 1 else contrast
        score *= factor.clip(0., None) ** weight
    return score


def _means(xp, x, y):
    """The mean structural similarity, and its contrast part, of each pair: (N,) each."""
    size = min(WINDOW, *x.shape[2:])
    rows, columns = (_gaussian_rows(xp, extent, size) for extent in x.shape[2:])

    def local_mean(ims):
        return rows @ ims @ columns.T
    mean_x, mean_y = local_mean(x), local_mean(y)
    variances = local_mean(x * x) + local_mean(y * y) - mean_x ** 2 - mean_y ** 2
    covariance = local_mean(x * y) - mean_x * mean_y
    contrast = (2. * covariance + C2) / (variances + C2)
    similarity = (2. * mean_x * mean_y + C1) / (mean_x ** 2 + mean_y ** 2 + C1) * contrast
    return similarity.mean(axis=(1, 2, 3)), contrast.mean(axis=(1, 2, 3))


def _gaussian_rows(xp, extent, size):
    # (extent - size + 1, extent): one row a place of the window, which lies wholly inside the image.
    sigma = SIGMA * size / WINDOW
    offsets = xp.arange(extent)[None] - xp.arange(extent - size + 1)[:, None]
    weights = xp.exp(-.5 * ((offsets - (size - 1) / 2.) / sigma) ** 2) * ((0 <= offsets) & (offsets < size))
    return weights / weights.sum(axis=1, keepdims=True)


def _halved(xp, ims):
    # Means over 2×2 pixels; an odd last row or column is its own neighbour.
    height, width = ims.shape[2:]
    ims = xp.pad(ims, ((0, 0), (0, 0), (0, height % 2), (0, width % 2)), mode='edge')
    return (ims[:, :, ::2, ::2] + ims[:, :, 1::2, ::2] + ims[:, :, ::2, 1::2] + ims[:, :, 1::2, 1::2]) / 4.
