"""Code that a config names and a user wrote: which it is, and what its exceptions say, in one line with the place."""
import os
import sys
import sysconfig
import traceback
from pathlib import Path

from source.command_line.commands_to_copy import ROOT, from_here

_NOT_THEIRS = (str(ROOT / 'source') + os.sep, *(  # networks beside ours may be a user's
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ('stdlib', 'purelib', 'platlib')))


def describe_error(error):
    """Return 'my/data.py:12: KeyError: ...' of an exception; the place is the innermost in a file of the user's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f'{from_here(Path(error.filename))}:{error.lineno}: {type(error).__name__}: {error.msg}'
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_theirs(f.filename)]
    place = f'{from_here(Path(frames[-1].filename))}:{frames[-1].lineno}: ' if frames else ''
    image = f' (image {error.at_image})' if hasattr(error, 'at_image') else ''
    said = ' '.join(str(error).split())
    return f'{place}{type(error).__name__}{": " * bool(said)}{said[:200]}{image}'


def is_users(cls):
    """Return whether a class stands in a file that is neither this project's nor an installed package's."""
    file = getattr(sys.modules.get(cls.__module__), '__file__', None)
    return file is not None and _is_theirs(file)


def _is_theirs(file):
    return os.path.isfile(file) and not os.path.realpath(file).startswith(_NOT_THEIRS)
