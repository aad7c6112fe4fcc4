"""torch-fidelity without torchvision, which it imports for data sets and extractors that no test here uses."""
import warnings

from benchmarks.peers import torchvision_stand_in

import pytest


def torch_fidelity_module(name):
    """Returns `torch_fidelity.<name>`; skips the test where PyTorch or torch-fidelity is absent."""
    pytest.importorskip('torch')
    torchvision_stand_in.install()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # its own, at import
        return pytest.importorskip(f'torch_fidelity.{name}', reason='needs pip install --no-deps torch-fidelity')
