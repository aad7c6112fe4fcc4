"""golden.npz is what torch-fidelity, an independent implementation, computes from the seeded random weights.

Skipped where it is missing. To run it, in an environment of its own (`make` never installs it):

    pip install -c constraints.txt torch && pip install -c constraints.txt --no-deps torch-fidelity
    python -m pytest tests/inception/test_against_torch_fidelity.py

SNGAN_WRITE_GOLDEN=1 writes the file anew. The network of mode 'chainer' is torch-fidelity's with another resize,
average pools that count their padding and another eps.
"""
import os

from benchmarks.peers import torchvision_stand_in
from source.inception import resize
from tests.inception.conftest import GOLDEN
from tests.inception.photos import photos
from tests.inception.weight_files import torch_arrays

import numpy as np
import pytest

torch = pytest.importorskip('torch')
functional = torch.nn.functional
torchvision_stand_in.install()
extractor = pytest.importorskip('torch_fidelity.feature_extractor_inceptionv3')
interpolate = pytest.importorskip('torch_fidelity.interpolate_compat_tensorflow')
OUTPUTS = ['2048', 'logits_unbiased', 'logits']


class _AllPixelsAverage:
    """torch.nn.functional with average pools that count their padding."""

    def __getattr__(self, name):
        return getattr(functional, name)

    @staticmethod
    def avg_pool2d(x, kernel_size, stride, padding, count_include_pad):
        return functional.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=True)


def make_like_the_authors_code(net, monkeypatch):
    monkeypatch.setattr(extractor, 'F', _AllPixelsAverage())
    monkeypatch.setattr(
        extractor, 'interpolate_bilinear_2d_like_tensorflow1x',
        lambda x, size, align_corners: functional.interpolate(x, size, mode='bilinear', align_corners=True))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 2e-5


def test_golden(arrays, tmp_path, monkeypatch):
    state = {name: torch.tensor(array) for name, array in torch_arrays(arrays).items()}
    torch.save(state, tmp_path / 'random.pth')
    net = extractor.FeatureExtractorInceptionV3(
        'inception', OUTPUTS, feature_extractor_weights_path=str(tmp_path / 'random.pth'))
    found = {'ims': photos(40, 33)}
    for mode, logits in (('tf', 'logits_unbiased'), ('chainer', 'logits')):
        if mode == 'chainer':
            make_like_the_authors_code(net, monkeypatch)
        with torch.no_grad():
            outputs = dict(zip(OUTPUTS, net(torch.tensor(found['ims'])), strict=True))
        found.update({f'{mode}_feats': outputs['2048'].numpy(), f'{mode}_logits': outputs[logits].numpy()})
    if os.environ.get('SNGAN_WRITE_GOLDEN'):
        np.savez_compressed(GOLDEN, **found)
    with np.load(GOLDEN) as golden:
        assert set(golden) == set(found)
        for name, array in found.items():
            assert np.linalg.norm(array - golden[name]) <= 1e-5 * np.linalg.norm(array), name


@pytest.mark.parametrize('size', [(32, 32), (299, 299), (61, 47), (75, 200), (1, 1), (300, 301)])
def test_resize(size):
    """TensorFlow's values to 1e-5 of their range."""
    expected = interpolate.interpolate_bilinear_2d_like_tensorflow1x(
        torch.tensor(photos(*size)).float(), (299, 299), align_corners=False).numpy()
    np.testing.assert_allclose(resize.resize_tf(photos(*size), 299), expected, rtol=0, atol=1e-5 * 255)
