"""golden.npz is what torch-fidelity computes from the seeded random weights. To run this, in its own environment:

    pip install -c constraints.txt torch && pip install -c constraints.txt --no-deps torch-fidelity
    python -m pytest tests/inception/test_against_torch_fidelity.py

SNGAN_WRITE_GOLDEN=1 writes the file anew. The network of mode 'chainer' is torch-fidelity's with another resize,
average pools that count their padding and another eps.
"""
import os

from benchmarks.peers import torchvision_stand_in
from tests.inception.conftest import GOLDEN
from tests.inception.photos import photos
from tests.inception.random_weights import random_arrays
from tests.inception.weight_files import torch_arrays

import numpy as np
import pytest

torch = pytest.importorskip('torch')
functional = torch.nn.functional
average = functional.avg_pool2d  # which by default counts the padding
torchvision_stand_in.install()
extractor = pytest.importorskip('torch_fidelity.feature_extractor_inceptionv3')
OUTPUTS = ['2048', 'logits_unbiased', 'logits']


def test_golden(tmp_path, monkeypatch):
    path = str(tmp_path / 'random.pth')
    torch.save({name: torch.tensor(array) for name, array in torch_arrays(random_arrays()).items()}, path)
    net = extractor.FeatureExtractorInceptionV3('inception', OUTPUTS, feature_extractor_weights_path=path)
    found = {'ims': photos(40, 33)}
    for mode, logits in (('tf', 'logits_unbiased'), ('chainer', 'logits')):
        if mode == 'chainer':
            monkeypatch.setattr(functional, 'avg_pool2d', lambda x, count_include_pad, **kwargs: average(x, **kwargs))
            monkeypatch.setattr(
                extractor, 'interpolate_bilinear_2d_like_tensorflow1x',
                lambda x, size, align_corners: functional.interpolate(x, size, mode='bilinear', align_corners=True))
            for module in net.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.eps = 2e-5
        with torch.no_grad():
            outputs = dict(zip(OUTPUTS, net(torch.tensor(found['ims'])), strict=True))
        found.update({f'{mode}_feats': outputs['2048'].numpy(), f'{mode}_logits': outputs[logits].numpy()})
    if os.environ.get('SNGAN_WRITE_GOLDEN'):
        np.savez_compressed(GOLDEN, **found)
    with np.load(GOLDEN) as golden:
        assert set(golden) == set(found)
        for name, array in found.items():
            assert np.linalg.norm(array - golden[name]) <= 1e-5 * np.linalg.norm(array), name
