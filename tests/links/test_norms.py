"""The links of every normalization: their weights, multipliers, gradients, files; and what stands between them."""
from source.links.norms import NORMS, WITH_GAMMA, Norm

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer import gradient_check, serializers
from chainer.initializers import GlorotUniform

KINDS = ('convolution_2d', 'linear', 'embed_id')
SHAPES = {'convolution_2d': (5, 3, 3, 3), 'linear': (4, 18), 'embed_id': (7, 4)}
CASES = [(name, kind, use_gamma) for name in NORMS for kind in KINDS for use_gamma in (False, True)
         if not use_gamma or name in WITH_GAMMA and kind != 'embed_id']


def make(name, kind, use_gamma=False, dtype=np.float64, seed=0):
    np.random.seed(seed)
    norm = Norm(name, use_gamma)
    with chainer.using_config('dtype', np.dtype(dtype)):
        if kind == 'convolution_2d':
            return norm.convolution_2d(3, 5, 3, 1, 1, initialW=GlorotUniform())
        if kind == 'linear':
            return norm.linear(18, 4, initialW=GlorotUniform())
        return norm.embed_id(7, 4, initialW=GlorotUniform())


def draw_x(kind, dtype=np.float64):
    rng = np.random.RandomState(1)
    if kind == 'embed_id':
        return rng.randint(7, size=5).astype(np.int32)
    return rng.normal(size=(2, 3, 6, 4) if kind == 'convolution_2d' else (3, 18)).astype(dtype)


def matrix(W):
    return W.array.reshape(len(W.array), -1)


def singular_values(W):
    return np.linalg.svd(matrix(W), compute_uv=False)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('name', NORMS)
def test_weights(name, kind):
    """What the normalization's name promises of W_bar; W itself has the usual shape."""
    link = make(name, kind)
    assert link.W.shape == link.W_bar.shape == SHAPES[kind]
    for _ in range(300):
        W_bar = link.W_bar  # steps u of the spectrally normalized ones
    s = singular_values(W_bar)
    if name == 'spectral':
        np.testing.assert_allclose(s[0], 1, rtol=1e-6)
    elif name == 'weight':
        np.testing.assert_allclose((matrix(W_bar) ** 2).sum(1), 1, rtol=1e-12)
    elif name == 'frobenius':
        np.testing.assert_allclose((s ** 2).sum(), 1, rtol=1e-12)
    elif name == 'orthonormal':
        np.testing.assert_allclose(s, 1, rtol=1e-12)
    elif name == 'singular_values':
        np.testing.assert_allclose(s[0], 1, rtol=1e-12)
    else:
        np.testing.assert_array_equal(W_bar.array, link.W.array)
        assert s[0] / s[-1] > 1.2
    if name not in ('orthonormal', 'singular_values'):
        np.testing.assert_array_equal(link.W.array, make('none', kind).W.array)
    drawn = matrix(make('none', kind).W)
    if name != 'orthonormal':
        scale = {'weight': np.linalg.norm(drawn, axis=1, keepdims=True), 'frobenius': np.linalg.norm(drawn),
                 'spectral': np.linalg.norm(drawn, 2), 'singular_values': np.linalg.norm(drawn, 2)}.get(name, 1)
        np.testing.assert_allclose(matrix(W_bar), drawn / scale, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize('name, kind, use_gamma', CASES)
def test_output_is_that_of_W_bar(name, kind, use_gamma):
    link, x = make(name, kind, use_gamma), draw_x(kind)
    with chainer.using_config('train', False):
        W_bar = link.W_bar.array
        y = link(x).array
    if kind == 'convolution_2d':
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        expected = sum(np.einsum('bchw,oc->bohw', padded[:, :, i:i + 6, j:j + 4], W_bar[:, :, i, j])
                       for i in range(3) for j in range(3))
    else:
        expected = x @ W_bar.T if kind == 'linear' else W_bar[x]
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('kind', ['convolution_2d', 'linear'])
@pytest.mark.parametrize('name', WITH_GAMMA)
def test_gamma(name, kind):
    """One a row for weight normalization, one number for the others; it starts so that W_bar is W."""
    link = make(name, kind, use_gamma=True)
    ones = (1,) * (link.W.ndim - 1)
    assert link.gamma.shape == ((len(link.W.array) if name == 'weight' else 1), *ones)
    for _ in range(300):
        W_bar = link.W_bar
    np.testing.assert_allclose(W_bar.array, link.W.array, rtol=1e-5)
    link.gamma.array *= np.arange(2., 2 + link.gamma.size).reshape(link.gamma.shape)
    expected = link.W.array * np.arange(2., 2 + link.gamma.size).reshape(link.gamma.shape)
    np.testing.assert_allclose(link.W_bar.array, expected, rtol=1e-5)


@pytest.mark.parametrize('name, kind, use_gamma', [case for case in CASES if case[0] != 'spectral'])
def test_gradients(name, kind, use_gamma):
    link, x = make(name, kind, use_gamma), draw_x(kind)
    link.W_bar  # noqa: B018  (makes gamma)
    params = [param for param in link.params() if param.array is not None]

    def loss(*x):
        y = link(x[0] if x else draw_x(kind))
        return F.sum(np.random.RandomState(4).normal(size=y.shape) * y ** 2)
    gradient_check.check_backward(loss, () if kind == 'embed_id' else x, None, params, dtype='d', rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('name, kind, use_gamma', CASES)
def test_no_gradient_under_constant_weights(name, kind, use_gamma):
    link = make(name, kind, use_gamma)
    link.cleargrads()
    x = chainer.Variable(draw_x(kind)) if kind != 'embed_id' else draw_x(kind)
    with chainer.using_config('constant_weights', True):
        y = link(x)
    if kind == 'embed_id':
        assert not y.requires_grad
    else:
        F.sum(y ** 2).backward()
        assert x.grad is not None
    weights = [param for path, param in link.namedparams() if path != '/b']
    assert weights and all(param.grad is None for param in weights)


@pytest.mark.parametrize('name, kind, use_gamma', CASES)
def test_files(name, kind, use_gamma, tmp_path):
    saved, loaded = make(name, kind, use_gamma), make(name, kind, use_gamma, seed=1)
    for param in saved.params():
        param.array *= 1.5
    serializers.save_npz(tmp_path / 'link.npz', saved)
    serializers.load_npz(tmp_path / 'link.npz', loaded)
    with chainer.using_config('train', False):
        np.testing.assert_array_equal(saved(draw_x(kind)).array, loaded(draw_x(kind)).array)


def test_names_of_parameters():
    """W in all of them but where it is a product."""
    for name in NORMS:
        names = {path[1:] for path, _ in make(name, 'linear').namedparams()}
        assert names == ({'U', 'S', 'V', 'b'} if name == 'singular_values' else {'W', 'b'}), name


@pytest.mark.parametrize('name', NORMS)
def test_between(name):
    link = Norm(name).between(4)
    if name not in ('layer', 'batch'):
        assert link is None
        return
    assert {path for path, _ in link.namedparams()} == {'/beta'}
    x = np.random.RandomState(0).normal(3, 2, (3, 4, 5, 2)).astype('f')
    link.beta.array[:] = [0, 1, 2, 3]
    y = link(chainer.Variable(x)).array - np.arange(4, dtype='f')[:, None, None]
    axes = (1, 2, 3) if name == 'layer' else (0, 2, 3)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axes), 1, rtol=1e-4)
    if name == 'batch':
        np.testing.assert_allclose(link.avg_mean, .1 * x.mean((0, 2, 3)), rtol=1e-5)
        with chainer.using_config('train', False):
            y = link(chainer.Variable(x)).array
        expected = (x - link.avg_mean[:, None, None]) / np.sqrt(link.avg_var + link.eps)[:, None, None]
        np.testing.assert_allclose(y, expected + np.arange(4)[:, None, None], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('shape', [(3, 8), (8, 3), (5, 3, 3, 3), (64, 3, 3, 3)])
def test_orthonormal_has_gain_one(shape):
    """On the smaller side; Chainer's default initializer has 1.1."""
    norm = Norm('orthonormal')
    link = norm.linear(shape[1], shape[0]) if len(shape) == 2 else norm.convolution_2d(3, shape[0], 3)
    W = matrix(link.W)
    gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-5)


@pytest.mark.parametrize('arguments, message', [
    (('spectra',), "norm must be one of spectral, .*, none, got 'spectra'"),
    (('layer', True), "use_gamma goes with norm spectral, weight, frobenius, got 'layer'"),
])
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Norm(*arguments)
