from source.inception.inception_score import inception_score

import chainer
import numpy as np
import pytest


class OnADevice:
    """Stands for an Inception whose device has to be the current one wherever arrays are made."""

    def __init__(self):
        self.device, self.logit, self.mode, self.entered = self, self, self, 0
        self.W, self.classes, self.xp = None, slice(None), self

    def asarray(self, ims):
        assert self.entered == 1
        return np.asarray(ims)

    def resize(self, ims):
        return ims

    def __call__(self, x):
        assert self.entered == 1
        return chainer.Variable(np.full((len(x), 4), .25, 'f4'))


def test_arrays_are_made_on_the_models_device(monkeypatch):
    """With several GPUs the current one may be another."""
    model = OnADevice()

    class Using:
        def __init__(self, device):
            assert device is model

        def __enter__(self):
            model.entered += 1

        def __exit__(self, *_):
            model.entered -= 1
    monkeypatch.setattr(chainer, 'using_device', Using)
    monkeypatch.setattr('source.inception.inception_score.cpu_kernels_serve', lambda W: False)
    mean, std = inception_score(model, np.zeros((6, 3, 4, 4), np.uint8), batch_size=2, splits=2)
    assert mean == pytest.approx(1) and std == pytest.approx(0)
