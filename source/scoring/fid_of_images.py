"""The FID of images by images in one call, for code of one's own: what evaluations/calc_fid.py --against computes.

It lives here, not in metrics/, as it opens files and loads the network that judges.
"""
import os

from source.command_line.devices import get_device, gpu_index
from source.datasets.image_files import open_images
from source.feature_networks import load_feature_network
from source.scoring.image_sources import StoredImages
from source.scoring.judging import judge, scores_of
from source.scoring.possible_metrics import too_few
from source.scoring.reference import GivenImages

import numpy as np

ORDER_SEED = 1234  # the commands' own: another order changes the last bits


def fid(images_a, images_b, network='inception', weights=None, device=-1):
    """Return the Frechet distance, a float >= 0, between the features of images_a and those of images_b, the real ones.

    Each side is an array, uint8 (N, 3, H, W), (N, H, W, 3) or, grey, with 1 for the 3 or (N, H, W), or the path of a
    folder of images or of an `.npz` or `.npy`. Images may be of any sizes; each is resized by itself. `network` is one
    of source.feature_networks.NETWORKS, `weights` the path of its file if not its own; the shipped `mnist` and `digits`
    judge handwritten digits alone. `device`: -1 for the CPU, a GPU's index, or None for a GPU if there is one.

    The number is that of `evaluations/calc_fid.py --images A --against B`, and as there the statistics of images_b are
    kept in $SNGAN_CACHE. Warns (SingularCovarianceWarning) where there are no more images than features. Raises
    ValueError for other arrays, for fewer than 2 images on a side and for files that are none. Heusel et al.
    2017, GANs Trained by a Two Time-Scale Update Rule, eq. 6.
    """
    a, b = _opened(images_a, 'images_a'), _opened(images_b, 'images_b')
    for said, why in (('images_a', too_few('fid', n_images=len(a))), ('images_b', too_few('fid', n_real=len(b)))):
        if why:
            raise ValueError(f'{said}: {why}')
    judging = load_feature_network(network, gpu_index(get_device(device, 'device')), weights)
    judged = judge(StoredImages(a, ORDER_SEED).batches(len(a)), judging, len(a), keep_probs=False, desc='images')
    reference = GivenImages(b, 'an array' if isinstance(images_b, np.ndarray) else images_b)
    return scores_of(judged, judging, ('fid',), reference.statistics(judging))['fid']


def _opened(images, said):
    if not isinstance(images, (str, os.PathLike, np.ndarray)):
        raise ValueError(f'{said}: expected a NumPy array or a path, got {type(images).__name__}')
    return open_images(images, said=said, said_key='--key of evaluations/calc_fid.py')
