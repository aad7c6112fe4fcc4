from source.functions.losses import LOSSES
from tests.kernels.cuda.both_sets import check_everywhere, draw, twin

import chainer
import numpy as np
import pytest

KINDS = ['dcgan', 'hinge', 'wasserstein']


def outputs(n_fake, n_real, dtype=np.float32):
    return draw((n_fake, 1), dtype) * 3, draw((n_real, 1), dtype, 1) * 3


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('sizes', [(1, 1), (5, 3), (64, 64), (300, 257)])
def test_on_host(host, kind, sizes):
    fake, real = outputs(*sizes)
    gloss = np.array(.7, np.float32)
    check_everywhere(host, 'losses', 'discriminator_loss', kind, fake, real)
    check_everywhere(host, 'losses', 'discriminator_gradient', kind, gloss, fake, real)
    check_everywhere(host, 'losses', 'generator_loss', kind, fake)
    check_everywhere(host, 'losses', 'generator_gradient', kind, gloss, fake)
    assert len(host.launches) == 4 * 3


@pytest.mark.parametrize('kind', KINDS)
def test_on_host_of_large_outputs(host, kind):
    """Softplus neither overflows nor loses small values; the hinge's corner has the derivative 0."""
    z = np.array([[-200.], [-40.], [-1.], [0.], [1.], [40.], [200.]], np.float32)
    for name in ('discriminator_loss', 'discriminator_gradient'):
        gloss = [] if name.endswith('loss') else [np.array(1., np.float32)]
        check_everywhere(host, 'losses', name, kind, *gloss, z, z, atol=1e-30 if gloss else None)


@pytest.mark.parametrize('kind', KINDS)
def test_twin_against_functions(kind):
    fake, real = (chainer.Variable(z) for z in outputs(6, 4, np.float64))
    dis, gen = LOSSES[kind]
    loss = dis(fake, real)
    (.7 * loss).backward()
    actual = twin('losses', 'discriminator_loss')(kind, fake.array, real.array)
    np.testing.assert_allclose(actual, loss.array, rtol=1e-12)
    gradients = twin('losses', 'discriminator_gradient')(kind, np.array(.7), fake.array, real.array)
    for actual, z in zip(gradients, (fake, real), strict=True):
        np.testing.assert_allclose(actual, z.grad, rtol=1e-12, atol=1e-15)
    fake.cleargrad()
    loss = gen(fake)
    (.7 * loss).backward()
    np.testing.assert_allclose(twin('losses', 'generator_loss')(kind, fake.array), loss.array, rtol=1e-12)
    actual = twin('losses', 'generator_gradient')(kind, np.array(.7), fake.array)
    np.testing.assert_allclose(actual, fake.grad, rtol=1e-12)
