"""How the folders that images lie in become classes: one answer for training, preparation and scoring."""
from source.command_line.short_texts import printable

import numpy as np


def class_folders(names):
    """Return (classes, labels) of images called `names`, paths relative to their folder, with slashes.

    Where every image lies in a subfolder of the first level, these are the classes, a list of names in which what
    cannot be printed is escaped: in order of their numbers where all are numbers, else of their names. `labels`,
    int32 (N,), count them. Otherwise there are no classes, and all labels are 0. Raises ValueError where two names
    look the same.
    """
    if not names or without_class(names) is not None:
        return [], np.zeros(len(names), np.int32)
    folders = [name.partition('/')[0] for name in names]
    are_numbers = all(folder.isdecimal() for folder in folders)
    classes = sorted(set(folders), key=lambda folder: (int(folder) if are_numbers else 0, folder))
    label_of = {folder: label for label, folder in enumerate(classes)}
    shown = list(map(printable, classes))
    twice = next((name for k, name in enumerate(shown) if name in shown[:k]), None) if shown != classes else None
    if twice is not None:
        raise ValueError(f'expected folders that can be told apart, found two that are shown as {twice}')
    return shown, np.array([label_of[folder] for folder in folders], np.int32)


def without_class(names):
    """The first of `names` that lies in no subfolder of the first level, or deeper; None where all lie in one."""
    return next((name for name in names if name.count('/') != 1), None)


def n_of(classes):
    """'1 class' or '3 classes'."""
    return f'{len(classes)} class{"es" * (len(classes) != 1)}'
