from types import SimpleNamespace

from source.extensions.sample_sheet import SampleSheet

import chainer
import numpy as np
import pytest
from PIL import Image


class LabelPainter(chainer.Chain):
    """Images of one colour: red tells the label, green a number drawn for the image."""

    dim_z, distribution = 1, 'uniform'

    def __init__(self, n_classes, size=8):
        super().__init__()
        self.n_classes, self.size = n_classes, size

    def forward(self, batchsize, z, y):
        label = np.zeros(batchsize) if y is None else (2. * y + 1.) / 255. - 1.
        x = np.stack([label, z[:, 0], np.zeros(batchsize)], axis=1)[:, :, None, None]
        return chainer.Variable(np.broadcast_to(x, (batchsize, 3, self.size, self.size)).astype(np.float32))


def sheet(folder, gen, iteration=7, **kwargs):
    """The sheet's images as (rows, columns, 3) colours; images below 64 px are enlarged."""
    SampleSheet(gen, **kwargs)(SimpleNamespace(out=str(folder), updater=SimpleNamespace(iteration=iteration)))
    with Image.open(folder / 'preview' / f'{iteration:08d}.png') as image:
        pixels = np.asarray(image)
    side, gap = max(gen.size, 64 // gen.size * gen.size), max(1, 64 // gen.size)
    assert (pixels.shape[0] + gap) % (side + gap) == (pixels.shape[1] + gap) % (side + gap) == 0
    return pixels[::side + gap, ::side + gap]


@pytest.mark.parametrize('n_classes, size, expected', [
    (3, 48, [0, 1, 2]), (0, 8, [127] * 4), (10, 8, list(range(10))), (1, 64, [0]),
    (100, 100, [0, 11, 22, 33, 44, 55, 66, 77, 88, 99])])
def test_one_column_per_class(tmp_path, n_classes, size, expected):
    """Or without classes a square."""
    colours = sheet(tmp_path, LabelPainter(n_classes, size), rows=4)
    assert colours.shape == (4, len(expected), 3)
    assert colours[:, :, 0].tolist() == [expected] * 4
    assert len(np.unique(colours[:, :, 1])) > colours[:, :, 1].size * .7


def test_same_latents_every_time_from_the_seed_alone(tmp_path):
    first = sheet(tmp_path, LabelPainter(3), 1, rows=2, seed=(5, 4))
    np.random.seed(99)
    before = np.random.get_state()[1].tobytes()
    np.testing.assert_array_equal(first, sheet(tmp_path, LabelPainter(3), 2, rows=2, seed=(5, 4)))
    assert np.random.get_state()[1].tobytes() == before
    assert (first != sheet(tmp_path, LabelPainter(3), 3, rows=2, seed=(6, 4))).any()
