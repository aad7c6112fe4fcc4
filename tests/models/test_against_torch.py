"""Outputs and gradients of every network against PyTorch in float64. `pytest -rP` prints the differences."""
import numpy as np
import pytest

from . import definitions
from .cases import ALL_CASES, arrays_of, run

torch = pytest.importorskip('torch')


def expected(case, train=True):
    from . import torch_operations
    p = arrays_of(case.model)
    vectors = {name: [torch.tensor(vector) for vector in pair]
               for name, pair in definitions.singular_vectors(p).items()}
    p = {name: torch.tensor(array, dtype=torch.float64, requires_grad='avg_' not in name) for name, array in p.items()}
    p['x'] = torch.tensor(case.x, dtype=torch.float64, requires_grad=True)
    condition = None if case.condition is None else torch.tensor(case.condition)
    if hasattr(case.model, 'dim_z'):
        output = definitions.generator(torch_operations, case.table, p, p['x'], condition, train)
    else:
        output, _ = definitions.discriminator(torch_operations, case.table, p, vectors, p['x'], condition, case.concat)
    (output * torch.tensor(case.R)).sum().backward()
    return output.detach().numpy(), {name: tensor.grad.numpy() for name, tensor in p.items() if tensor.grad is not None}


def relative_differences(case, train=True):
    """Of the output, and the largest one of all gradients; relative to the largest number in the array compared."""
    y_expected, grads_expected = expected(case, train)
    y, grads = run(case, train)
    assert y.shape == y_expected.shape
    assert {name for name, grad in grads.items() if grad is not None} == set(grads_expected)
    largest = max(np.abs(grad).max() for grad in grads_expected.values())
    differences = {}
    for name, grad in grads_expected.items():
        assert grads[name].shape == grad.shape
        # A bias followed by batch normalization has no gradient but rounding: measure that against the largest.
        scale = np.abs(grad).max()
        differences[name] = np.abs(grads[name] - grad).max() / (scale if scale > 1e-9 * largest else largest)
    name = max(differences, key=differences.get)
    difference = np.abs(y - y_expected).max() / np.abs(y_expected).max()
    print(f'{case.id} {case.x.dtype}: output {difference:.1e}, gradients {differences[name]:.1e} ({name})')
    return difference, differences[name]


@pytest.mark.parametrize('train', [True, False])
@pytest.mark.parametrize('make, args', [(make, args) for make, *args in ALL_CASES])
def test_float64(make, args, train):
    output, gradients = relative_differences(make(*args, dtype=np.float64), train)
    assert output < 1e-11
    assert gradients < 1e-9


@pytest.mark.parametrize('make, args', [(make, args) for make, *args in ALL_CASES])
def test_float32(make, args):
    output, gradients = relative_differences(make(*args))
    assert output < 1e-4
    assert gradients < 1e-3
