"""The example in README.md runs as it stands, and docs/api.md lists what is public."""
import importlib
import re

from source.links import SNConvolution2D, SNLinear
from tests import children
from tests.children import ROOT
from tests.links.sn_links import converge

import chainer
import chainer.functions as F
import numpy as np
import pytest

API = (ROOT / 'docs' / 'api.md').read_text(encoding='utf-8')
EXAMPLE, = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(encoding='utf-8'), re.DOTALL)
SECTIONS = re.findall(r'^## `(source[.\w]*)`$(.*?)(?=^## |\Z)', API, re.MULTILINE | re.DOTALL)
PUBLIC = {module: re.findall(r'`(\w+)`', ''.join(re.findall(r'^\| (`.*?) \|', text, re.MULTILINE)))
          for module, text in SECTIONS}
PACKAGES = 'generators', 'scoring', 'links', 'functions', 'metrics', 'feature_networks', 'optimizers'


def test_example(tmp_path):
    """Of twenty lines, in an empty folder; what is printed is what the comments say, numbers to a tenth."""
    assert EXAMPLE.startswith('import source  # first') and len([line for line in EXAMPLE.splitlines() if line]) <= 20
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'example.py').write_text(EXAMPLE, encoding='utf-8')
    status, printed, errors = children.python('-W', 'error', tmp_path / 'example.py', cwd=tmp_path / 'empty')
    assert status == 0, errors
    assert list((tmp_path / 'empty').iterdir()) == []
    said = re.findall(r'# prints ([^;\n]*)', EXAMPLE)
    assert len(said) == len(printed.splitlines()) > 0
    for expected, found in zip(said, printed.splitlines()):
        expected, found = (re.split(r'([\d.]+)', line) for line in (expected, found))
        assert found[::2] == expected[::2]
        assert [float(n) for n in found[1::2]] == pytest.approx([float(n) for n in expected[1::2]], rel=.1)


def test_sections_are_the_public_packages():
    assert list(PUBLIC) == [f'source.{name}' for name in PACKAGES]


@pytest.mark.parametrize('module', PUBLIC)
def test_public_names_are_listed_and_there(module):
    """All that a package exports is listed; all that is listed can be imported, and says what it is."""
    names, imported = PUBLIC[module], importlib.import_module(module)
    assert names and len(set(names)) == len(names)
    assert all(getattr(getattr(imported, name), '__doc__', None) for name in names)
    assert sorted(imported.__all__) == sorted(names)


@pytest.mark.parametrize('kernels', [True, False])
def test_gradients_of_an_own_loss(kernels):
    """Through spectrally normalized links, with the kernels and without; by differences in float64, σ by SVD."""
    rng = np.random.RandomState(0)
    x = rng.normal(size=(8, 4, 8, 8)).astype('f')
    conv, dense = SNConvolution2D(4, 8, 4, 2, 1, initial_bias=.1), SNLinear(8 * 16, 1)
    for link in (conv, dense):
        converge(link)
        link.cleargrads()
    with chainer.using_config('cpu_kernels', kernels):
        own_loss(dense(F.leaky_relu(conv(x)))).backward()
    parameters = [parameter for link in (conv, dense) for parameter in (link.W, link.b)]
    for k, parameter in enumerate(parameters):
        direction, losses = rng.normal(size=parameter.shape), []
        for step in (1e-5, -1e-5):
            values = [p.array.astype('d') for p in parameters]
            values[k] += step * direction
            W, b, W_dense, b_dense = values
            h = F.leaky_relu(F.convolution_2d(x.astype('d'), W / norm(W), b, 2, 1))
            losses.append(own_loss(F.linear(h, W_dense / norm(W_dense), b_dense)).array)
        assert (parameter.grad * direction).sum() == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-3)


def own_loss(y):
    return F.mean((y - 1) ** 4)


def norm(W):
    return np.linalg.norm(W.reshape(len(W), -1), 2)
