"""Which entries of a folder are images: one answer for training, preparation and scoring.

An image is a file, or a link to one, whose name ends as one of `open_image`'s formats does. Links to folders are
followed. Names that begin with a dot (`.ipynb_checkpoints`, `._x.png`) are passed over.
"""
import os
from collections import Counter

from source.datasets.open_image import SUFFIXES

IMAGE, FOLDER = 'image', 'folder'
MOST_REASONS = 5  # in one line


def entries_of(folder):
    """Yield (name, kind) of a folder's entries in order of their names.

    `kind` is IMAGE, FOLDER or, for what is passed over, the reason in words.
    """
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        yield entry.name, _kind(entry)


def _kind(entry):
    if entry.name.startswith('.'):
        return 'its name begins with a dot'
    if entry.is_dir():
        return FOLDER
    if not entry.is_file():  # opening a pipe would wait for ever
        return 'neither a file nor a link to one'
    suffix = os.path.splitext(entry.name)[1]
    if suffix.lower() not in SUFFIXES:
        return f'its name ends in {suffix or "nothing"}, not in .JPEG or another of an image'
    return IMAGE


def find_images(root):
    """Return (names, passed_over): the images below `root`, and (name, reason) of every other entry.

    Names are relative to `root`, with slashes, in order. A link to a folder that it lies in is passed over, so loops
    end.
    """
    names, passed_over = [], []
    _search(str(root), '', (), names, passed_over)
    return names, passed_over


def _search(root, below, above, names, passed_over):
    folder = os.path.join(root, below)
    status = os.stat(folder)
    identity = status.st_dev, status.st_ino
    if identity in above:
        passed_over.append((below.rstrip('/'), 'a link to a folder that it lies in'))
        return
    for name, kind in entries_of(folder):
        if kind == IMAGE:
            names.append(below + name)
        elif kind == FOLDER:
            _search(root, f'{below}{name}/', (*above, identity), names, passed_over)
        else:
            passed_over.append((below + name, kind))


def describe_passed_over(passed_over):
    """One line that counts what was passed over by reason, or None where nothing was."""
    if not passed_over:
        return None
    counts = Counter(reason for _, reason in passed_over).most_common()
    n = len(passed_over)
    return (f'{n} {"entry" if n == 1 else "entries"} passed over: '
            + ', '.join(f'{reason} ({count})' for reason, count in counts[:MOST_REASONS])
            + ', ...' * (len(counts) > MOST_REASONS))
