"""Initial values: GlorotUniform, by sqrt(2) wider for the 3x3 convolutions inside blocks."""
from tests.models.cases import N_CLASSES, arrays_of, build

import numpy as np
import pytest

WIDE = ('c1/W', 'c2/W')


def glorot(shape):
    pixels = np.prod(shape[2:], dtype=int)
    return np.sqrt(6 / ((shape[0] + shape[1]) * pixels))


@pytest.mark.parametrize('name, class_name, ch', [
    ('resnet_32', 'ResNetGenerator', 32), ('resnet_48', 'ResNetGenerator', 16), ('resnet_64', 'ResNetGenerator', 16),
    ('resnet', 'ResNetGenerator', 16), ('resnet_small', 'ResNetGenerator', 16), ('resnet_256', 'ResNetGenerator', 16),
    ('snresnet_32', 'SNResNetProjectionDiscriminator', 64), ('snresnet_48', 'SNResNetProjectionDiscriminator', 16),
    ('snresnet_64', 'SNResNetProjectionDiscriminator', 16), ('snresnet', 'SNResNetProjectionDiscriminator', 16),
    ('snresnet', 'SNResNetConcatDiscriminator', 16), ('snresnet_small', 'SNResNetProjectionDiscriminator', 16),
    ('snresnet_256', 'SNResNetProjectionDiscriminator', 16),
])
def test_initial_values(name, class_name, ch):
    np.random.seed(0)
    for path, array in arrays_of(build(name, class_name, N_CLASSES, ch=ch)).items():
        assert array.dtype == (int if path.endswith('/N') else np.float32), path
        if path.endswith(('gammas/W', '/gamma')):
            assert np.all(array == 1), path
        elif path.endswith(('betas/W', '/beta', '/b', '/avg_mean', '/N')):
            assert np.all(array == 0), path
        elif path.endswith('/avg_var'):
            assert np.all(array == (0 if 'block' in path else 1)), path
        elif path.endswith('/u'):
            assert array.shape[1] < 16 or .5 < array.std() < 1.5, path
        else:
            bound = (np.sqrt(2) if path.endswith(WIDE) else 1) * glorot(array.shape)
            assert .8 * bound < np.abs(array).max() <= bound * (1 + 1e-6), path
