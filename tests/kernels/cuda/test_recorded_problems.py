"""What cuDNN is asked for in an iteration of the paper's networks."""
from tests.kernels.cuda.recorded_problems import problems, products

import ml_dtypes
import numpy as np
import pytest


def billions_of_products(network, batchsize, n_gen_samples, n_dis):
    """Of all the convolutions of an iteration, forward and backward."""
    def of(part, size, *passes):
        found = problems(network, part, size, np.float32, 'float32')
        return sum(products(problem) for kind in passes for problem in found[kind]) / 1e9
    gen = of('gen', n_gen_samples, 'forward', 'data_gradient', 'weight_gradient')
    gen_through_dis = of('dis', n_gen_samples, 'forward', 'data_gradient')
    fakes = of('gen', batchsize, 'forward')
    dis = 2 * of('dis', batchsize, 'forward', 'data_gradient', 'weight_gradient')
    return gen + gen_through_dis + n_dis * (fakes + dis)


@pytest.mark.parametrize('network, expected', [('cifar10', 1182), ('imagenet', 7796)])
def test_folding_saves_a_third_of_the_products(network, expected):
    """Against a count by hand (without the dense layers, and with the gradient to the images that nobody wants)."""
    actual = billions_of_products(network, 64, 128, 5)
    assert expected * .99 < actual < expected * 1.03, actual


@pytest.mark.parametrize('dtype, precision, multiple', [
    (np.float32, 'float32', 1), (np.float32, 'tf32', 4), (ml_dtypes.bfloat16, 'tf32', 8)])
def test_channels_fill_reads_of_tensor_cores(dtype, precision, multiple):
    for part in ('gen', 'dis'):
        for found in problems('cifar10', part, 2, dtype, precision).values():
            channels = {c for problem in found for c in (problem.image[3], problem.result[3])}
            assert all(c % multiple == 0 for c in channels)
            assert (3 in channels) == (multiple == 1)
            assert {problem.tf32 for problem in found} == {multiple == 4}
