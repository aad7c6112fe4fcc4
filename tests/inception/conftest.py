from tests.inception.random_weights import random_arrays

import pytest


@pytest.fixture(scope='session')
def arrays():
    """Random weights of the whole network, {our name: array}."""
    return random_arrays()
