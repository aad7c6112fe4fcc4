"""What every reader here does with names and messages from a file that nobody vouches for."""
from source.weight_files import WeightFileError

_MOST_CHARACTERS = 200


def one_line(text):
    """Return text, or an error's, on one line of bounded length, to be told."""
    text = ' '.join(str(text)[:10 * _MOST_CHARACTERS].split())
    return text if len(text) <= _MOST_CHARACTERS else f'{text[:_MOST_CHARACTERS]}...'


def check_names(path, found, expected):
    """Raises WeightFileError naming what `found` lacks of `expected` or has beyond it."""
    for kind, names in (('lacks', sorted(set(expected) - set(found))),
                        ('holds, unexpectedly,', sorted(set(found) - set(expected)))):
        if names:
            more = f' and {len(names) - 3} more' if len(names) > 3 else ''
            raise WeightFileError(f'{path}: {kind} {", ".join(map(one_line, names[:3]))}{more}')
