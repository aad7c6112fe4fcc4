from source.functions.losses import LOSSES

import chainer
import numpy as np
import pytest

REAL = np.array([[3.], [.5], [-2.], [.9]])
FAKE = np.array([[-4.], [-.7], [1.5]])


# Loss and derivative by each output, from eq. 15 (with the non-saturating generator), 16-17 and the dual of W1.
EXPECTED = {
    'dcgan': (np.log(1 + np.exp(-REAL)).mean() + np.log(1 + np.exp(FAKE)).mean(), -1 / (1 + np.exp(REAL)) / 4,
              1 / (1 + np.exp(-FAKE)) / 3, np.log(1 + np.exp(-FAKE)).mean(), -1 / (1 + np.exp(FAKE)) / 3),
    'hinge': ((0 + .5 + 3 + .1) / 4 + (0 + .3 + 2.5) / 3, -np.array([[0], [1], [1], [1]]) / 4,
              np.array([[0], [1], [1]]) / 3, (4 + .7 - 1.5) / 3, -np.ones((3, 1)) / 3),
    'wasserstein': ((-4 - .7 + 1.5) / 3 - (3 + .5 - 2 + .9) / 4, -np.ones((4, 1)) / 4, np.ones((3, 1)) / 3,
                    (4 + .7 - 1.5) / 3, -np.ones((3, 1)) / 3)}


@pytest.mark.parametrize('name', LOSSES)
@pytest.mark.parametrize('dtype, rtol', [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_closed_forms(name, dtype, rtol):
    loss_dis, loss_gen = LOSSES[name]
    real, fake, fake_for_gen = (chainer.Variable(x.astype(dtype)) for x in (REAL, FAKE, FAKE))
    of_dis, of_gen = loss_dis(dis_fake=fake, dis_real=real), loss_gen(dis_fake=fake_for_gen)
    of_dis.backward()
    of_gen.backward()
    actual = of_dis.array, real.grad, fake.grad, of_gen.array, fake_for_gen.grad
    assert set(LOSSES) == set(EXPECTED)
    for array, expected in zip(actual, EXPECTED[name], strict=True):
        assert array.dtype == dtype and array.shape == np.shape(expected)
        np.testing.assert_allclose(array, expected, rtol=rtol)


@pytest.mark.parametrize('name, of_fake, of_real, losses', [
    ('dcgan', [.5, 0], [0, -.5], (500, 250)), ('hinge', [.5, 0], [0, -.5], (501, 0)),
    ('wasserstein', [.5, .5], [-.5, -.5], (0, 0))])
@pytest.mark.parametrize('kernel_set', ['chainer', 'reference'])
def test_large_outputs(name, of_fake, of_real, losses, kernel_set):
    """Losses and gradients are finite, and nothing warns of an overflow on the way."""
    loss_dis, loss_gen = LOSSES[name]
    with chainer.using_config('kernel_set', kernel_set):
        fake, real, fake_for_gen = (chainer.Variable(np.array([[500.], [-500.]], 'f')) for _ in range(3))
        of_dis, of_gen = loss_dis(fake, real), loss_gen(fake_for_gen)
        of_dis.backward()
        of_gen.backward()
    np.testing.assert_allclose([of_dis.array, of_gen.array], losses)
    of_fake_for_gen = [0, -.5] if name == 'dcgan' else [-.5, -.5]
    for variable, gradient in zip((fake, real, fake_for_gen), (of_fake, of_real, of_fake_for_gen), strict=True):
        np.testing.assert_array_equal(variable.grad.ravel(), gradient)
