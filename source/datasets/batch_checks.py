"""What a training batch has to be, and one line on what it is instead."""
import numbers

from source.command_line.user_code import describe_error, is_users
from source.datasets.open_image import DamagedImage

import chainer
import numpy as np

ROUNDING = 1e-5  # of float32 images at the ends of [-1, 1]


class BadBatch(ValueError):
    """A batch that cannot be trained on; the message says in one line what was expected and what was found."""


class BatchCheck:
    """Reads batches of (image, label) pairs and checks them. Raises BadBatch.

    Args:
        n_classes: labels are whole numbers from 0 to n_classes - 1; None: they are not looked at.
        shape: images are float32 of this shape (C, H, W) with values in [-1, 1]; None: they need only be finite, and
            `read` lets exceptions pass.
        where: begins every message.
    """

    def __init__(self, n_classes=None, shape=None, where='training batch'):
        self.n_classes, self.shape, self.where = n_classes, shape, where

    def read(self, dataset, get, *args):
        """Return get(*args), which reads images of a dataset. Raises BadBatch for what somebody's dataset raises.

        An exception that names an image's file stays as it is.
        """
        try:
            return get(*args)
        except Exception as error:
            names_file = isinstance(error, DamagedImage) or isinstance(error, OSError) and error.filename
            if self.shape is None or names_file or not is_users(type(dataset)):
                raise
            raise BadBatch(f'{self.where}: {describe_error(error)}') from error

    def draw(self, iterator, converter):
        """Return the iterator's next batch as a tuple of arrays."""
        examples = self.read(getattr(iterator, 'dataset', None), iterator.next)
        return self.convert(examples, converter, lambda: getattr(iterator, 'last_indices', None))

    def draw_ims(self, iterator):
        """Return the iterator's next batch as ims, uint8 (B, C, H, W), and labels."""
        ims, y = self.read(iterator.dataset, iterator.next_ims)
        of_shape = self.shape is None or ims.dtype == np.uint8 and ims.shape[1:] == self.shape
        if not of_shape or self.n_classes is not None and not self._labels_right(y):
            labels = '' if self.n_classes is None else f', labels 0 to {self.n_classes - 1}'
            raise BadBatch(f'{self.where}: expected uint8 {self.shape} of load_ims{labels}; found {_kind(ims)}, '
                           f'labels {_kind(y)}{f" {y.min()} to {y.max()}" if y.dtype.kind in "iu" else ""}')
        return ims, y

    def convert(self, examples, converter, indices=lambda: None):
        """Return the arrays that `converter` makes of a batch; indices() are its images', for messages.

        Looks at the arrays as a whole, and at each example only where something is wrong.
        """
        try:
            arrays = tuple(converter(examples, None))
            if self.passes(*arrays):
                return arrays
        except Exception as error:
            self.check(examples, indices())
            if self.shape is None:
                raise
            raise BadBatch(f'{self.where}: expected (image, label) pairs of one kind, which can be joined to a batch, '
                           f'found {type(error).__name__}: {" ".join(str(error).split())[:200]}') from error
        self.check(examples, indices())
        raise BadBatch(f'{self.where}: expected {self._expected("a batch of images")}, found '
                       f'{", ".join(_kind(a) for a in arrays)}')

    def passes(self, x, y):
        """Return whether the arrays of a batch are right; those on another device than the CPU are taken to be."""
        if self.shape is not None and not isinstance(x, chainer.get_array_types()):
            return False
        labels_right = self.n_classes is None or not isinstance(y, np.ndarray) or self._labels_right(y)
        return labels_right and (not isinstance(x, np.ndarray) or self._images_right(x))

    def _images_right(self, x):
        if self.shape is not None and (x.dtype != np.float32 or x.shape[1:] != self.shape or _is_masked(x)):
            return False
        if x.dtype.kind != 'f' or not x.size:
            return True
        with np.errstate(invalid='ignore'):
            lowest, highest = x.min(), x.max()  # of which a NaN makes both NaN
        if self.shape is None:
            return np.isfinite(lowest) and np.isfinite(highest)
        return -1 - ROUNDING <= lowest and highest <= 1 + ROUNDING

    def _labels_right(self, y):
        return y.dtype.kind == 'i' and y.ndim == 1 and y.min() >= 0 and y.max() < self.n_classes

    def check(self, examples, indices=None):
        """Raise BadBatch for the first example of a batch that is not what training takes."""
        names = [f'image {k} of the batch' for k in range(len(examples))] if indices is None else [
            f'image {i}' for i in indices]
        for name, example in zip(names, examples, strict=True):
            self._check_image(f'{self.where}: {name}', example)
            if self.shape is not None and self.n_classes is None and not _is_numeric(example[1]):
                raise BadBatch(f'{self.where}: {name}: expected as label any number (an unconditional run does not use '
                               f'it), found {_found(example[1])}')
        if self.n_classes is not None:
            self._check_labels([f'{self.where}: {name}' for name in names], [label for _, label in examples])

    def _check_image(self, name, example):
        if not isinstance(example, tuple) or len(example) != 2:
            raise BadBatch(f'{name}: expected a tuple (image, label), found {_found(example)}')
        x = example[0]
        if self.shape is None:
            if isinstance(x, np.ndarray) and x.dtype.kind == 'f' and not np.isfinite(x).all():
                raise BadBatch(f'{name}: expected finite values, found {_not_finite(x)}')
            return
        is_array = isinstance(x, chainer.get_array_types())
        is_float32 = is_array and x.dtype.kind == 'f' and x.dtype.itemsize == 4
        if not is_float32 or x.shape != self.shape or _is_masked(x):
            raise BadBatch(f'{name}: expected {self._expected("an image")}, found {_found(x)}'
                           f'{self._hint(x) if is_array else ""}')
        x = chainer.backends.cuda.to_cpu(x)
        if not np.isfinite(x).all():
            raise BadBatch(f'{name}: expected finite values, found {_not_finite(x)}')
        lowest, highest = x.min(), x.max()
        if lowest < -1 - ROUNDING or highest > 1 + ROUNDING:
            hint = '; of values from 0 to 255: x / 128 - 1' if lowest >= 0 and 2 < highest <= 255 else ''
            raise BadBatch(f'{name}: expected values from -1 to 1, found {_number(lowest)} to {_number(highest)}{hint}')

    def _check_labels(self, names, labels):
        for name, label in zip(names, labels, strict=True):
            if not _is_whole(label):
                hint = '; of a one-hot label: np.int32(np.argmax(label))' if np.shape(label) == (self.n_classes,) else (
                    '; np.int32(label) makes one' if isinstance(label, (bool, np.bool_, np.unsignedinteger)) else '')
                raise BadBatch(f'{name}: expected as label a signed whole number from 0 to {self.n_classes - 1} '
                               f'(n_classes is {self.n_classes}), found {_found(label)}{hint}')
        wrong = next((k for k, label in enumerate(labels) if not 0 <= label < self.n_classes), None)
        if wrong is not None:
            raise self._out_of_range(names[wrong], int(labels[wrong]), 'batch', int(min(labels)), int(max(labels)))

    def check_all_labels(self, labels):
        """Raise BadBatch where one of a data set's labels, whole numbers (N,), is out of range."""
        wrong = np.flatnonzero((labels < 0) | (labels >= self.n_classes))
        if len(wrong):
            raise self._out_of_range(f'{self.where}: image {wrong[0]}', labels[wrong[0]], 'data set', labels.min(),
                                     labels.max())

    def _out_of_range(self, name, label, of, lowest, highest):
        hint = '; do they begin at 1?' if 1 <= lowest < highest == self.n_classes else ''
        return BadBatch(f'{name}: expected as label 0 to {self.n_classes - 1} (n_classes is {self.n_classes}), found '
                        f'{label}; the {of} has {lowest} to {highest}{hint}')

    def _expected(self, what):
        return what if self.shape is None else f'float32 {self.shape}'

    def _hint(self, x):
        hints = []
        if x.shape != self.shape:
            channels = self.shape[0]
            if channels == 1 and len(x.shape) == 2:
                hints.append('x.reshape(1, H, W)')
            elif channels == 1 and x.shape == (3, *self.shape[1:]):
                hints.append('of RGB images: channels 3 of both networks')
            elif len(x.shape) == 2 or len(x.shape) == 3 and x.shape[0] == 1 != channels:
                hints.append('of grey images: channels 1 of both networks, or '
                             f'np.repeat(x.reshape(1, H, W), {channels}, axis=0)')
            elif len(x.shape) == 3 and x.shape[2] == channels != x.shape[0]:
                hints.append(f'channels come first: {self.shape}; x.transpose(2, 0, 1)')
        if x.dtype == np.uint8:
            hints.append('of uint8: x.astype(np.float32) / 128 - 1')
        elif x.dtype.kind == 'f' and x.dtype.itemsize != 4:
            hints.append('x.astype(np.float32)')
        return ''.join(f'; {hint}' for hint in hints)


def warning_of(x):
    """Return a line on images, float (B, C, H, W), of which none has a value below 0, or None."""
    x = chainer.backends.cuda.to_cpu(x)
    if x.min() < 0:
        return None
    return (f'no value below 0 in a batch of {len(x)} images, {_number(x.min())} to {_number(x.max())}: '
            'expected -1 to 1; of values from 0 to 1: x * 2 - 1')


def whole_labels(dataset):
    """Return a data set's `labels` as an array if they are whole numbers, one an image; else None."""
    try:
        labels = np.asarray(getattr(dataset, 'labels', None))
    except Exception:  # a property of the user's, or lists of different lengths
        return None
    return labels if labels.shape == (len(dataset),) and labels.dtype.kind in 'iu' else None


def _is_whole(label):
    if isinstance(label, chainer.get_array_types()):
        return label.ndim == 0 and label.dtype.kind == 'i'
    return isinstance(label, (numbers.Integral, np.signedinteger)) and not isinstance(
        label, (bool, np.bool_, np.unsignedinteger))


def _is_numeric(label):
    if isinstance(label, chainer.get_array_types()):
        return label.dtype.kind in 'biuf'
    return isinstance(label, (numbers.Real, np.number, np.bool_))


def _is_masked(x):
    return isinstance(x, np.ma.MaskedArray)


def _not_finite(x):
    return 'NaN' if np.isnan(x).any() else 'inf'


def _number(value):
    return f'{value:.7g}'


def _kind(x):
    masked = 'masked ' if _is_masked(x) else ''
    return f'{masked}{x.dtype} {x.shape}' if hasattr(x, 'dtype') and hasattr(x, 'shape') else type(x).__name__


def _found(value):
    """A value of any type in a few words."""
    if value is None:
        return 'None'
    if isinstance(value, dict):
        return f'a dict of {", ".join(map(repr, value))}'[:100]
    if isinstance(value, (tuple, list)):
        return f'a {type(value).__name__} of {len(value)}'
    if isinstance(value, chainer.get_array_types()):
        return _kind(value) if value.ndim else f'{value} ({value.dtype})'
    if isinstance(value, (str, numbers.Number, np.generic)):
        return f'{" ".join(str(value).split())[:40]} ({type(value).__name__})'
    return f'{type(value).__module__}.{type(value).__qualname__}'
