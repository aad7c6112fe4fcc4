"""Every network on a GPU computes what it computes on the CPU, and takes one step of training there."""
from source.iteration.constraints import constrain, make_constraints
from source.iteration.penalties import PENALTIES, make_penalties
from source.links.norms import NORMS
from tests.models.cases import NETWORKS, PROJECTION_32, Case, arrays_of, build

import chainer
import numpy as np
import pytest
from chainer.backends.cuda import to_cpu

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_against_cpu(name, class_name):
    case = Case(name, class_name)
    y_expected, grads_expected = case.run()
    arrays_expected = arrays_of(case.model)
    case = Case(name, class_name)
    case.model.to_device('@cupy:0')
    case.x, case.R = map(case.model.device.send, (case.x, case.R))
    case.y = None if case.y is None else case.model.device.send(case.y)
    y, grads = case.run()
    np.testing.assert_allclose(to_cpu(y), y_expected, rtol=1e-9, atol=1e-11)
    largest = max(np.abs(grad).max() for grad in grads_expected.values())
    for path, expected in grads_expected.items():
        np.testing.assert_allclose(to_cpu(grads[path]), expected, rtol=1e-6, atol=1e-9 * largest, err_msg=path)
    case.model.to_device('@numpy')
    for path, array in arrays_of(case.model).items():
        np.testing.assert_allclose(array, arrays_expected[path], rtol=1e-6, atol=1e-6, err_msg=path)


@pytest.mark.parametrize('norm', NORMS)
def test_normalizations_with_all_penalties(norm):
    """Losses and weights of one discriminator update with every penalty and constraint."""
    results = []
    for device in ('@numpy', '@cupy:0'):
        dis = build(*PROJECTION_32, norm=norm)
        dis.to_device(device)
        x = [np.random.RandomState(k).uniform(-1, 1, (3, 3, 32, 32)).astype('f') for k in (1, 2)]
        inputs, losses = dis.device.send([*x, np.array([0, 2, 1], 'i')]), []
        for penalty in make_penalties({name: {} for name in PENALTIES}, 0, dis).values():
            losses.append(penalty(dis, *inputs))
        dis.cleargrads()
        sum(losses).backward()
        chainer.optimizers.SGD(1e-3).setup(dis).update()
        constrain(dis, make_constraints({'singular_value_clipping': {}, 'clipping': {'c': .2}}), 1)
        losses = [float(to_cpu(loss.array)) for loss in losses]
        dis.to_device('@numpy')
        results.append((losses, arrays_of(dis)))
    (losses_expected, arrays_expected), (losses, arrays) = results
    np.testing.assert_allclose(losses, losses_expected, rtol=1e-3)
    for path, array in arrays.items():
        if not path.endswith(('/U', '/V')):  # singular vectors of equal values may turn
            np.testing.assert_allclose(array, arrays_expected[path], rtol=1e-2, atol=1e-3, err_msg=path)
