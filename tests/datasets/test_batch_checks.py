"""What is wrong with a batch, in one line: expected, found, and which image."""
import re
from types import SimpleNamespace

from source.datasets.batch_checks import BadBatch, BatchCheck, warning_of

import chainer
import numpy as np
import pytest

GOOD = np.random.RandomState(0).uniform(-1, 1, (4, 3, 8, 8)).astype(np.float32)
SHAPE, N_CLASSES, JOIN = (3, 8, 8), 10, chainer.dataset.concat_examples


def batch(image=lambda x: x, label=np.int32, pair=lambda x, y: (x, y)):
    """Good examples, of which the third is changed."""
    return [pair(image(x), label(k)) if k == 2 else (x, np.int32(k)) for k, x in enumerate(GOOD)]


def message_of(examples, n_classes=N_CLASSES):
    with pytest.raises(BadBatch) as caught:
        BatchCheck(n_classes, SHAPE, 'a.yml').check(examples, [5, 0, 17, 3])
    return str(caught.value)


def with_value(value):
    def changed(x):
        x = x.copy()
        x[1, 2, 3] = value
        return x
    return changed


FLOAT32 = 'expected float32 (3, 8, 8), found '
NUMBER = 'expected as label a signed whole number from 0 to 9 (n_classes is 10), found '
IN_RANGE = 'expected as label 0 to 9 (n_classes is 10), found '
GREY = '; of grey images: channels 1 of both networks, or np.repeat(x.reshape(1, H, W), 3, axis=0)'


@pytest.mark.parametrize('image, expected', [
    (lambda x: x[:, :4], f'{FLOAT32}float32 (3, 4, 8)'),
    (lambda x: x.T, f'{FLOAT32}float32 (8, 8, 3); channels come first: (3, 8, 8); x.transpose(2, 0, 1)'),
    (lambda x: x[:1], f'{FLOAT32}float32 (1, 8, 8){GREY}'), (lambda x: x[0], f'{FLOAT32}float32 (8, 8){GREY}'),
    (lambda x: x.astype(np.float64), f'{FLOAT32}float64 (3, 8, 8); x.astype(np.float32)'),
    (lambda x: np.full_like(x, 9, np.uint8), f'{FLOAT32}uint8 (3, 8, 8); of uint8: x.astype(np.float32) / 128 - 1'),
    (lambda x: x.astype(object), f'{FLOAT32}object (3, 8, 8)'),
    (lambda x: np.ma.masked_greater(x, .5), f'{FLOAT32}masked float32 (3, 8, 8)'),
    (lambda x: x.tolist(), f'{FLOAT32}a list of 3'), (lambda x: 'a.png', f'{FLOAT32}a.png (str)'),
    (lambda x: None, f'{FLOAT32}None'), (with_value(np.nan), 'expected finite values, found NaN'),
    (with_value(-np.inf), 'expected finite values, found inf'),
    (with_value(1.00002), f'expected values from -1 to 1, found {GOOD[2].min():.7g} to 1.00002'),
    (with_value(-1.5), f'expected values from -1 to 1, found -1.5 to {GOOD[2].max():.7g}'),
    (lambda x: with_value(255)(100 * (abs(x) - abs(x).min())),
     'expected values from -1 to 1, found 0 to 255; of values from 0 to 255: x / 128 - 1')])
def test_images(image, expected):
    for n_classes in (N_CLASSES, None):
        assert message_of(batch(image), n_classes) == f'a.yml: image 17: {expected}'
    with pytest.raises(BadBatch):
        BatchCheck(N_CLASSES, SHAPE).convert(batch(image), JOIN)


@pytest.mark.parametrize('x, found', [
    (GOOD[0], '(3, 8, 8); of RGB images: channels 3 of both networks'), (GOOD[0, 0], '(8, 8); x.reshape(1, H, W)'),
    (GOOD[0, :1].T, '(8, 8, 1); channels come first: (1, 8, 8); x.transpose(2, 0, 1)')])
def test_images_where_grey_ones_are_expected(x, found):
    BatchCheck(None, (1, 8, 8)).check([(GOOD[0, :1], 0)])
    with pytest.raises(BadBatch, match=re.escape(f'expected float32 (1, 8, 8), found float32 {found}') + '$'):
        BatchCheck(None, (1, 8, 8)).check([(x, 0)])


@pytest.mark.parametrize('label, expected', [
    (lambda k: None, f'{NUMBER}None'), (lambda k: 'cat', f'{NUMBER}cat (str)'), (lambda k: 2., f'{NUMBER}2.0 (float)'),
    (np.float32, f'{NUMBER}2.0 (float32)'),
    (np.eye(10).__getitem__, f'{NUMBER}float64 (10,); of a one-hot label: np.int32(np.argmax(label))'),
    (lambda k: np.array([k]), f'{NUMBER}int64 (1,)'), (np.uint8, f'{NUMBER}2 (uint8); np.int32(label) makes one'),
    (bool, f'{NUMBER}True (bool); np.int32(label) makes one'),
    (lambda k: -1, f'{IN_RANGE}-1; the batch has -1 to 3'), (lambda k: 10, f'{IN_RANGE}10; the batch has 0 to 10')])
def test_labels(label, expected):
    assert message_of(batch(label=label)) == f'a.yml: image 17: {expected}'
    with pytest.raises(BadBatch):  # of which all may be wrong in the same way
        BatchCheck(N_CLASSES, SHAPE).convert([(x, label(2)) for x in GOOD], JOIN)


def test_labels_from_1_and_those_that_cannot_be_joined():
    assert message_of([(x, np.int32(k + 7)) for k, x in enumerate(GOOD)]) == (
        f'a.yml: image 3: {IN_RANGE}10; the batch has 7 to 10; do they begin at 1?')
    for label, found in ((None, 'None'), ('cat', 'cat (str)'), ([1], 'a list of 1')):
        assert message_of(batch(label=lambda k, label=label: label), None) == (
            f'a.yml: image 17: expected as label any number (an unconditional run does not use it), found {found}')


@pytest.mark.parametrize('pair, expected', [
    (lambda x, y: (x, y, 0), 'a tuple of 3'), (lambda x, y: x, 'float32 (3, 8, 8)'), (lambda x, y: None, 'None'),
    (lambda x, y: [x, y], 'a list of 2'), (lambda x, y: {'x': x, 'y': y}, "a dict of 'x', 'y'")])
def test_pairs(pair, expected):
    every = [pair(x, np.int32(1)) for x in GOOD]
    for k, examples in ((17, batch(pair=pair)), (5, every)):
        assert message_of(examples, None) == f'a.yml: image {k}: expected a tuple (image, label), found {expected}'
    with pytest.raises(BadBatch, match=r'training batch: image 0 of the batch: expected a tuple \(image, label\)'):
        BatchCheck(N_CLASSES, SHAPE).convert(every, JOIN)


@pytest.mark.parametrize('image, label', [
    (lambda x: x, int), (lambda x: x.astype('>f4'), np.int32), (np.asfortranarray, np.int64),
    (with_value(1.000005), np.array), (with_value(-1), np.int32)])
def test_good_ones_are_what_chainer_makes_of_them(image, label):
    check, examples = BatchCheck(N_CLASSES, SHAPE), batch(image, label)
    check.check(examples)
    for found, expected in zip(check.convert(examples, JOIN), JOIN(examples), strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)
    for unused in (float, np.uint8, bool, lambda k: 11, lambda k: -1):  # by an unconditional run
        BatchCheck(None, SHAPE).check(batch(image, unused))
        BatchCheck(None, SHAPE).convert([(x, unused(k)) for k, x in enumerate(GOOD)], JOIN)


@pytest.mark.parametrize('examples', [batch(with_value(np.nan)), batch(label=lambda k: -1), batch(label=lambda k: 10)])
def test_without_a_shape_finiteness_and_labels_are_checked(examples):
    """As where `Updater` is used from Python: images may have any range and size there."""
    with pytest.raises(BadBatch, match=r'^training batch: image 2 of the batch: expected '):
        BatchCheck(N_CLASSES).convert(examples, JOIN)
    BatchCheck(N_CLASSES).convert([(100 * x.astype(np.float64), k) for k, x in enumerate(GOOD)], JOIN)
    with pytest.raises(ValueError, match='must match exactly'):  # as ever
        BatchCheck(N_CLASSES).convert(batch(lambda x: x[:, :4]), JOIN)


def test_uint8_images_of_load_ims_and_the_warning_of_none_below_0():
    def draw(*arrays):
        return BatchCheck(N_CLASSES, SHAPE).draw_ims(SimpleNamespace(dataset=None, next_ims=lambda: arrays))
    ims, labels = np.zeros((2, 3, 8, 8), np.uint8), np.arange(2)
    assert draw(ims, labels)[0] is ims
    for bad in (ims.astype(np.float32), labels), (ims[..., 1:], labels), (ims, labels + 9), (ims, labels - 1):
        with pytest.raises(BadBatch, match=r'expected uint8 \(3, 8, 8\) of load_ims, labels 0 to 9; found '):
            draw(*bad)
    assert warning_of(GOOD) is None
    assert warning_of((GOOD + 1) / 2).startswith('no value below 0 in a batch of 4 images, ')
