import inspect

from tests.models.cases import CONCAT, NETWORKS, arrays_of, build, class_of
from tests.models.definitions import GENERATORS

import numpy as np
import pytest


@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_widths_are_the_papers_unless_told(name, class_name):
    arguments = inspect.signature(class_of(name, class_name)).parameters
    assert arguments['ch'].default == {'resnet_32': 256, 'snresnet_32': 128, 'gulrajani_32': 128}.get(name, 64)
    assert class_name != CONCAT or arguments['dim_emb'].default == 128


@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_initial_values(name, class_name):
    """GlorotUniform, by sqrt(2) wider for 3x3 within blocks; of the CNNs variance 1 / fan-in, as Chainer reckons it."""
    ch = {'resnet_32': 32, 'snresnet_32': 64, 'gulrajani_32': 64}.get(name, 16)
    kwargs = {'dim_z': 128} if name in GENERATORS else {'dim_emb': 128} if class_name == CONCAT else {}
    for path, array in arrays_of(build(name, class_name, ch=ch, **kwargs)).items():
        assert array.dtype == (int if path.endswith('/N') else np.float32), path
        if path.endswith(('gammas/W', '/gamma')):
            assert np.all(array == 1), path
        elif path.endswith(('betas/W', '/beta', '/b', '/avg_mean', '/N')):
            assert np.all(array == 0), path
        elif path.endswith('/avg_var'):
            assert np.all(array == (0 if 'block' in path else 1)), path
        elif path.endswith('/u'):
            assert array.shape[1] < 16 or .5 < array.std() < 1.5, path
        elif 'cnn' in name:
            std = .02 if 'gan_lib' in name else np.prod(array.shape[1:]) ** -.5
            np.testing.assert_allclose(array.std(), std, rtol=.1 if array.size > 1000 else .2, err_msg=path)
        else:
            wider = 2 ** .5 if path.endswith(('c1/W', 'c2/W')) else 1
            bound = wider * (6 / (sum(array.shape[:2]) * np.prod(array.shape[2:]))) ** .5
            assert .8 * bound < np.abs(array).max() <= bound * (1 + 1e-6), path
