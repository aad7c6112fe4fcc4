from source.datasets.batch_checks import BadBatch
from source.datasets.digits import DigitsDataset
from source.datasets.pairs_as_images import as_given, as_images

import chainer
import numpy as np
import pytest

DIGITS = DigitsDataset(size=8)
EVERY_BYTE = np.resize(np.arange(256), (50, 3, 8, 8)).astype(np.uint8)


class Pairs(chainer.dataset.DatasetMixin):
    """Fifty digits, made of bytes by `scale`, and nothing but what Chainer asks of a data set."""

    def __init__(self, scale=lambda im: im / np.float32(127.5) - 1, label=int, ims=DIGITS.ims):
        self.scale, self.label, self.bytes = scale, label, ims

    def __len__(self):
        return 50

    def get_example(self, i):
        return self.scale(self.bytes[i]).astype(np.float32), self.label(DIGITS.labels[i])


def test_what_is_derived():
    rng = np.random.RandomState(0)
    for scale in (lambda im: im / 127.5 - 1, lambda im: im / 128. - 1,
                  lambda im: im / 128. - 1 + rng.uniform(0, 1 / 128 - 1e-6, im.shape)):
        np.testing.assert_array_equal(as_images(Pairs(scale, ims=EVERY_BYTE)).load_ims(range(50)), EVERY_BYTE)
    grey = as_images(Pairs(lambda im: im[:1] / 127.5 - 1, ims=EVERY_BYTE))
    assert grey.channels == 1 and np.array_equal(grey.load_ims(range(50)), EVERY_BYTE[:, :1])
    images = as_images(Pairs(), n_classes=10)
    assert (len(images), images.size, images.channels, images.n_classes, images.files()) == (50, 8, 3, 10, None)
    assert type(as_given(images)) is Pairs and as_given(DIGITS) is DIGITS
    assert images.labels.tolist() == DIGITS.labels[:50].tolist() and images.labels.dtype == np.int32
    assert as_images(DIGITS) is DIGITS
    assert as_images(Pairs()).labels.tolist() == [0] * 50  # of an unconditional run, none is read


def test_labels_of_ones_own_are_taken():
    """Where its pairs have the same; then those that are not looked at count too."""
    pairs, right = Pairs(), DIGITS.labels[:50]
    pairs.n_classes = np.int64(10)
    for pairs.labels in (right.astype(np.uint8), (right + 1) % 10):
        assert as_images(pairs).labels.tolist() == right.tolist()
    looked_at = np.unique(np.linspace(0, 49, 32).astype(int))
    pairs.labels = np.where(np.isin(np.arange(50), looked_at), right, -1)
    with pytest.raises(BadBatch, match='expected as label 0 to 9 .* found -1; the data set has -1 to 9'):
        as_images(pairs).labels  # noqa: B018


@pytest.mark.parametrize('pairs, expected', [
    (Pairs(lambda im: im), 'image 0: expected values from -1 to 1, found 0 to 2'),
    (Pairs(lambda im: im[:2] / 255), r'image 0: expected float32 \(3, 8, 8\), found float32 \(2, 8, 8\)'),
    (Pairs(lambda im: im[:1 if (im == DIGITS.ims[0]).all() else 3] / 255), r'\(1, 8, 8\), found float32 \(3, 8, 8\)'),
    (Pairs(label=float), 'expected as label a signed whole number from 0 to 9'),
    (DIGITS.ims[:3], 'image 0: expected a tuple')])
def test_other_pairs_are_one_line(pairs, expected):
    with pytest.raises(BadBatch, match=rf'^[^\n]*{expected}[^\n]*$'):
        as_images(pairs, n_classes=10).labels  # noqa: B018


def test_images_that_change_are_said_and_one_array_filled_again_for_each(capsys):
    assert as_images(Pairs(lambda im: np.random.uniform(-1, 1, im.shape))).size == 8
    assert capsys.readouterr().err == ('warning: Pairs does not give the same image twice; real images are taken as '
                                       'they come\n')

    class Shared(Pairs):
        buffer = np.empty((3, 8, 8), np.float32)

        def get_example(self, i):
            self.buffer[:], label = super().get_example(i)
            return self.buffer, label
    np.testing.assert_array_equal(as_images(Shared()).load_ims(range(50)), DIGITS.ims[:50])
