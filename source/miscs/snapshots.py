"""Writing and reading `.npz` snapshots: written aside and renamed, read without pickle, checked before all changes.

The format is Chainer's own, so that the authors' model files load and ours load in Chainer.
"""
from pathlib import Path

from source.miscs.files import atomic_write
from source.miscs.plain_npz import read_plain_npz

import numpy as np
from chainer.serializers import DictionarySerializer, NpzDeserializer

_NONE = np.zeros(0, bool)  # stands for None, which NumPy could only write as a pickle


class SnapshotError(ValueError):
    """A file that is no snapshot, or not one of this model."""


def flattened(obj):
    """Return {name: array} of all that Chainer would write of a link, an updater or a trainer."""
    serializer = DictionarySerializer()
    serializer.save(obj)
    return serializer.target


def save_snapshot(path, obj):
    """Writes a model or a trainer. The file appears under its name only when it is complete."""
    path = Path(path)
    arrays = {k: _NONE if v.dtype == object and v[()] is None else v for k, v in flattened(obj).items()}
    with atomic_write(path) as file:
        np.savez(file, **arrays)


def _check(path, found, expected, what):
    for name, array in sorted(expected.items()):
        if name not in found:
            raise SnapshotError(f'{path}: {what} needs {name} {np.shape(array)}, which the file does not hold: '
                                f'it is a snapshot of another architecture')
        if array.ndim > 0 and array.dtype != object and found[name].shape != array.shape:
            raise SnapshotError(f'{path}: {name} has shape {found[name].shape}, but {what} has {array.shape} there: '
                                f'it is a snapshot of another architecture')
    extra = sorted(set(found) - set(expected))
    if extra:
        raise SnapshotError(f'{path}: holds {extra[0]} {found[extra[0]].shape}, which {what} does not have: '
                            f'it is a snapshot of another architecture')


def _deserialize(arrays, obj):
    arrays = {k: np.asarray(None) if v.dtype == bool and v.shape == (0,) else v for k, v in arrays.items()}
    NpzDeserializer(arrays).load(obj)


def load_model(path, model):
    """Reads a model's parameters and persistent arrays.

    Raises SnapshotError, with the model unchanged, if the file is truncated, holds pickles, or belongs to another
    architecture (the first name that differs and both shapes are told).
    """
    found = read_plain_npz(path, 'snapshot', SnapshotError)
    what = type(model).__name__
    expected = flattened(model)
    if not set(expected) & set(found) and any(name.startswith('updater/') for name in found):
        raise SnapshotError(f'{path}: a snapshot of the whole training, not of {what}; '
                            f'expected a file like {what}_<iteration>.npz')
    _check(path, found, expected, what)
    _deserialize(found, model)


def load_trainer(path, trainer):
    """Reads a `snapshot_iter_<iteration>`, so that training goes on as if it had never stopped.

    Raises SnapshotError as `load_model` does; one written with other extensions may have been read in part by then.
    """
    found = read_plain_npz(path, 'snapshot', SnapshotError)
    if not any(name.startswith('updater/') for name in found):
        raise SnapshotError(f'{path}: not a snapshot of training; expected a file like snapshot_iter_<iteration>')
    expected = {f'updater/{k}': v for k, v in flattened(trainer.updater).items()}
    of_models = ({k: v for k, v in arrays.items() if k.startswith('updater/model:')} for arrays in (found, expected))
    _check(path, *of_models, 'the model')
    try:
        _deserialize(found, trainer)
    except KeyError as error:
        raise SnapshotError(f'{path}: lacks {error}: written with other settings or by another version') from None
