"""Code that a config names and a user wrote: which it is, and what its exceptions say, in one line with the place."""
import os
import sysconfig
import traceback
from pathlib import Path

OURS = 'source', 'gen_models', 'dis_models'
_NOT_THEIRS = (*(str(Path(__file__).resolve().parents[2] / name) + os.sep for name in OURS), *(
    os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ('stdlib', 'purelib', 'platlib')))


def describe_error(error):
    """Return 'my/data.py:12: KeyError: ...' of an exception; the place is the innermost in a file of the user's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f'{_as_typed(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}'
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if os.path.isfile(f.filename) and not os.path.realpath(f.filename).startswith(_NOT_THEIRS)]
    place = f'{_as_typed(frames[-1].filename)}:{frames[-1].lineno}: ' if frames else ''
    image = f' (image {error.at_image})' if hasattr(error, 'at_image') else ''
    said = ' '.join(str(error).split())
    return f'{place}{type(error).__name__}{": " * bool(said)}{said[:200]}{image}'


def is_users(cls):
    """Return whether a class is not one of this project's."""
    return cls.__module__.partition('.')[0] not in OURS


def _as_typed(path):
    path = Path(path)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
