"""Writing and reading `.npz` snapshots: written aside and renamed, read without pickle, checked before all changes.

The format is Chainer's own, so that the authors' model files load and ours load in Chainer. What it lacks stands in the
archive's comment, which other readers pass over: the version of this format and a digest of all arrays. Files without
it, the authors' and our earlier ones, load all the same.
"""
import hashlib
import json
import zipfile
from pathlib import Path

from source.files.atomic import atomic_write
from source.files.plain_npz import read_plain_npz
from source.results_folder.results_dir import snapshots_in

import numpy as np
from chainer.serializers import DictionarySerializer, NpzDeserializer

VERSION = 1  # of the format; a reader refuses later ones
_COMMENT_KEY = 'sngan_snapshot'
_NONE = np.zeros(0, bool)  # stands for None, which NumPy could only write as a pickle


class SnapshotError(ValueError):
    """A file that is no snapshot, or not one of this model."""


class DamagedError(SnapshotError):
    """A file that is missing, cannot be read or is not as it was written."""


def flattened(obj):
    """Return {name: array} of all that Chainer would write of a link, an updater or a trainer."""
    serializer = DictionarySerializer()
    serializer.save(obj)
    return serializer.target


def save_snapshot(path, obj):
    """Writes a model or a trainer. The file appears under its name only when it is complete."""
    path = Path(path)
    arrays = {k: _NONE if v.dtype == object and v[()] is None else v for k, v in flattened(obj).items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f'{name}: expected numbers or text, found {array[()]!r}, which takes a pickle to write')
    with atomic_write(path) as file:
        np.savez(file, **arrays)
        with zipfile.ZipFile(file, 'a') as archive:
            archive.comment = json.dumps({_COMMENT_KEY: VERSION, 'sha256': _digest(arrays)}).encode()


def _digest(arrays):
    """SHA-256 over names, types, shapes and contents, whatever the order; hexadecimal digits."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b'')
    return digest.hexdigest()


def _read(path):
    """{name: array} of a file whose digest, where it has one, is right; raises DamagedError."""
    arrays = read_plain_npz(path, 'snapshot', DamagedError)
    try:
        with zipfile.ZipFile(path) as archive:
            comment = archive.comment
        if _COMMENT_KEY.encode() not in comment:
            return arrays
        said = json.loads(comment)
        version, sha256 = said[_COMMENT_KEY], said['sha256']
    except (OSError, ValueError, TypeError, LookupError, RecursionError, zipfile.BadZipFile):
        raise DamagedError(f'{path}: not a complete .npz snapshot (its version and digest cannot be read)') from None
    if version != VERSION:
        raise SnapshotError(f'{path}: expected a snapshot of version {VERSION}, found {version!r}')
    if sha256 != _digest(arrays):
        raise DamagedError(f'{path}: damaged: expected the SHA-256 {str(sha256)[:16]}..., found another')
    return arrays


def _check(path, found, expected, what):
    for name, array in sorted(expected.items()):
        if name not in found:
            raise SnapshotError(f'{path}: {what} needs {name} {np.shape(array)}, which the file does not hold: '
                                f'it is a snapshot of another architecture')
        if array.ndim > 0 and array.dtype != object and found[name].shape != array.shape:
            raise SnapshotError(f'{path}: {name} has shape {found[name].shape}, but {what} has {array.shape} there: '
                                f'it is a snapshot of another architecture')
        if array.dtype != object and not np.can_cast(found[name].dtype, array.dtype, 'same_kind'):
            raise SnapshotError(f'{path}: {name} is of type {found[name].dtype}, but {what} has {array.dtype} there')
    extra = sorted(set(found) - set(expected))
    if extra:
        raise SnapshotError(f'{path}: holds {extra[0]} {found[extra[0]].shape}, which {what} does not have: '
                            f'it is a snapshot of another architecture')


def _deserialize(path, arrays, obj):
    arrays = {k: np.asarray(None) if v.dtype == bool and v.shape == (0,) else v for k, v in arrays.items()}
    try:
        NpzDeserializer(arrays).load(obj)
    except KeyError as error:
        raise SnapshotError(f'{path}: lacks {error}: written with other settings or by another version') from None
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise SnapshotError(f'{path}: holds what no snapshot does: {" ".join(str(error).split())[:200]}') from None


def load_model(path, model):
    """Reads a model's parameters and persistent arrays.

    Raises SnapshotError, with the model unchanged, if the file is truncated, holds pickles, or belongs to another
    architecture (the first name that differs and both shapes are told).
    """
    found = _read(path)
    what = type(model).__name__
    expected = flattened(model)
    if not set(expected) & set(found) and any(name.startswith('updater/') for name in found):
        raise SnapshotError(f'{path}: a snapshot of the whole training, not of {what}; '
                            f'expected a file like {what}_<iteration>.npz')
    _check(path, found, expected, what)
    _deserialize(path, found, model)


def load_trainer(path, trainer):
    """Reads a `snapshot_iter_<iteration>`, so that training goes on as if it had never stopped.

    Raises SnapshotError as `load_model` does; one written with other extensions may have been read in part by then.
    """
    found = _read(path)
    if not any(name.startswith('updater/') for name in found):
        raise SnapshotError(f'{path}: not a snapshot of training; expected a file like snapshot_iter_<iteration>')
    expected = {f'updater/{k}': v for k, v in flattened(trainer.updater).items()}
    of_models = ({k: v for k, v in arrays.items() if k.startswith('updater/model:')} for arrays in (found, expected))
    _check(path, *of_models, 'the model')
    _deserialize(path, found, trainer)
    for optimizer_name, optimizer in trainer.updater.get_all_optimizers().items():
        for name, parameter in optimizer.target.namedparams():
            for key, value in (parameter.update_rule.state or {}).items():
                if value.shape != parameter.shape or value.dtype != parameter.dtype:
                    raise SnapshotError(f'{path}: optimizer:{optimizer_name}{name}/{key} is {value.dtype} '
                                        f'{value.shape}, but the parameter is {parameter.dtype} {parameter.shape}')


def load_newest(folder, trainer, say=print):
    """`load_trainer` of the newest snapshot in a folder that verifies; returns its path, or None where there is none.

    Of each that is damaged `say` is told in one line. Raises SnapshotError where all of them are, or where the newest
    that verifies is one of other settings.
    """
    snapshots = snapshots_in(folder)
    for path in snapshots:
        try:
            load_trainer(path, trainer)
        except DamagedError as error:
            say(f'{error}; passed over')
        else:
            return path
    if snapshots:
        raise SnapshotError(f'{folder}: none of its {len(snapshots)} snapshots can be read; to start anew, '
                            'leave out --resume or move the folder away')
    return None


def newest_good(folder):
    """The newest snapshot in a folder that verifies, or None."""
    for path in snapshots_in(folder):
        try:
            _read(path)
        except SnapshotError:
            continue
        return path
    return None
