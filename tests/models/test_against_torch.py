"""Outputs and gradients of every network against PyTorch in float64. `pytest -rP` prints the differences."""
from tests.models import definitions
from tests.models.cases import N_CLASSES, NETWORKS, Case, arrays_of

import numpy as np
import pytest

torch = pytest.importorskip('torch')


def expected(case):
    from tests.models import torch_operations
    p = arrays_of(case.model)
    vectors = {name: [torch.tensor(vector) for vector in pair]
               for name, pair in definitions.singular_vectors(p).items()}
    p = {name: torch.tensor(array, dtype=torch.float64, requires_grad='avg_' not in name) for name, array in p.items()}
    p['x'] = torch.tensor(case.x, dtype=torch.float64, requires_grad=True)
    condition = None if case.condition is None else torch.tensor(case.condition)
    if case.is_generator:
        output = definitions.generator(torch_operations, case.table, p, p['x'], condition, activation=case.activation)
    else:
        output, _ = definitions.discriminator(torch_operations, case.table, p, vectors, p['x'], condition, case.concat,
                                              case.activation)
    (output * torch.tensor(case.R)).sum().backward()
    return output.detach().numpy(), {name: tensor.grad.numpy() for name, tensor in p.items() if tensor.grad is not None}


def differences(case, negligible=0.):
    """Relative differences of the output, of each gradient (the largest), and of all gradients as one vector.

    Each array is measured against its largest number. Gradients below `negligible` times the largest of all are zero
    but for rounding, such as that of a bias before batch normalization; they are measured against the largest.
    """
    y_expected, grads_expected = expected(case)
    y, grads = case.run()
    assert y.shape == y_expected.shape
    assert {name: grad.shape for name, grad in grads.items() if grad is not None} == {
        name: grad.shape for name, grad in grads_expected.items()}
    largest = max(np.abs(grad).max() for grad in grads_expected.values())
    each = {}
    for name, grad in grads_expected.items():
        scale = np.abs(grad).max()
        each[name] = np.abs(grads[name] - grad).max() / (scale if scale > negligible * largest else largest)
    worst = max(each, key=each.get)
    together = np.sqrt(sum(((grads[name] - grad) ** 2).sum() for name, grad in grads_expected.items())
                       / sum((grad ** 2).sum() for grad in grads_expected.values()))
    output = np.abs(y - y_expected).max() / np.abs(y_expected).max()
    print(f'{case.id}: output {output:.1e}, gradients {each[worst]:.1e} ({worst}), together {together:.1e}')
    return output, each[worst], together


@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_float64(name, class_name, n_classes):
    output, gradient, _ = differences(Case(name, class_name, n_classes, np.float64), negligible=1e-9)
    assert output < 1e-12
    assert gradient < 1e-11


@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_float32(name, class_name, n_classes):
    """With softplus, as in single precision a ReLU may fall on the other side of zero, beyond any tolerance."""
    output, gradient, _ = differences(Case(name, class_name, n_classes, activation='softplus'), negligible=1e-3)
    assert output < 1e-3
    assert gradient < 1e-3


@pytest.mark.parametrize('name, class_name', [NETWORKS[0], NETWORKS[6]])
def test_float32_wide(name, class_name):
    """Wide enough for whatever kernels the convolutions have, with the ReLUs they may be joined with."""
    output, _, together = differences(Case(name, class_name, N_CLASSES, ch=32))
    assert output < 1e-3
    assert together < 1e-2
