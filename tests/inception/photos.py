"""Real photos of every size."""
import numpy as np
from sklearn.datasets import load_sample_images


def photos(height, width):
    """Both of scikit-learn's photos, uint8 (2, 3, height, width): crops with at most two pixels to one."""
    ims = []
    for photo in load_sample_images().images:
        step = 2 if 2 * max(height, width) <= min(photo.shape[:2]) else 1
        ims.append(photo[100:100 + height * step:step, 180:180 + width * step:step].transpose(2, 0, 1))
    return np.ascontiguousarray(np.stack(ims))
