"""Gradients gathered apart are those that would have been added, for every link of a network."""
from source.config.build import build_models
from source.config.yaml_utils import load_config
from source.links.further_gradients import FurtherGradients
from source.links.joint_normalization import normalized_together
from tests.gpu_road import configured
from tests.narrow import write_config

import chainer
import chainer.functions as F
import numpy as np
import pytest

NORMS = ['spectral', 'weight', 'frobenius', 'layer', 'batch', 'none']


def inputs(seed):
    random = np.random.RandomState(seed)
    return random.normal(size=(2, 3, 8, 8)).astype(np.float32), random.randint(10, size=2).astype(np.int32)


def gradients(dis, apart):
    """{name: (grad, further)} of two calls; u of spectral normalization moves twice, so there is one order of both."""
    dis.cleargrads()
    further = FurtherGradients()
    losses = []
    for seed in (1, 2):
        with configured(further_gradients=further if apart and seed == 2 else None), normalized_together(dis):
            losses.append(F.sum(dis(*inputs(seed)) ** 2))
    sum(losses[1:], start=losses[0]).backward()
    return {name: (param.grad, further.of(param)) for name, param in dis.namedparams()}


@pytest.mark.parametrize('kernel_set', ['reference', 'chainer'])
@pytest.mark.parametrize('norm', NORMS)
def test_sums_are_those_of_one_pass(tmp_path, norm, kernel_set):
    changes = {'models.discriminator.args.norm': norm,
               'models.discriminator.args.use_gamma': norm not in ('layer', 'batch', 'none')}
    results = []
    for apart in (False, True):
        np.random.seed(0)
        _, dis = build_models(load_config(write_config(tmp_path, changes)), 'test')
        with configured(kernel_set=kernel_set, cpu_kernels=False):
            results.append(gradients(dis, apart))
    n_apart = 0
    for name, (whole, nothing) in results[0].items():
        grad, further = results[1][name]
        assert nothing is None
        n_apart += further is not None
        total = grad if further is None else grad + further
        if norm in ('weight', 'frobenius'):  # whose calls have two gradients each to add up, in another order
            np.testing.assert_allclose(total, whole, rtol=1e-5, atol=1e-6 * np.abs(whole).max(), err_msg=name)
        else:
            np.testing.assert_array_equal(total, whole, err_msg=name)
    in_their_own_way = {'batch': 8}.get(norm, 0)  # batch normalization's read their parameters themselves
    assert n_apart >= len(results[0]) - in_their_own_way


def test_what_is_no_parameter():
    further = FurtherGradients()
    for weight in (chainer.Variable(np.ones(2, 'f')), chainer.Parameter()):  # another one, and one to come
        assert further.stand_in(weight) is weight and further.of(weight) is None
    parameter = chainer.Parameter(np.ones(2, 'f'))
    assert further.stand_in(parameter) is further.stand_in(parameter) is not parameter
    assert further.stand_in(parameter).array is parameter.array and further.of(parameter) is None
