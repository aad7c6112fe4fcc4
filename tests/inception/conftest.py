from pathlib import Path

from tests.inception import weight_files
from tests.inception.random_weights import inception, random_arrays

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / 'golden.npz'


@pytest.fixture(scope='session')
def models():
    """{mode: Inception} of these weights, which no test may change."""
    return {mode: inception(mode, random_arrays()) for mode in ('tf', 'chainer')}


@pytest.fixture(scope='session')
def pth(tmp_path_factory):
    """These weights as torch-fidelity's file."""
    return weight_files.write(tmp_path_factory.mktemp('weights') / 'random.pth', 'pth', random_arrays())


@pytest.fixture(scope='session')
def golden():
    """What torch-fidelity computes with these weights, and the softmax of its logits."""
    with np.load(GOLDEN) as arrays:
        golden = dict(arrays)
    for mode in ('tf', 'chainer'):
        exponentials = np.exp(golden[f'{mode}_logits'].astype(np.float64))
        golden[f'{mode}_probs'] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return golden


@pytest.fixture
def small_arrays():
    """Of a network of one convolution, which stands for the whole one meanwhile."""
    with weight_files.of_a_small_network() as arrays:
        yield arrays
