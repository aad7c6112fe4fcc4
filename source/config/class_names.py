"""What classes are called: in a file that a user brings, on a command line, as folders of images."""
import difflib
import re
from pathlib import Path

from source.command_line.standard_streams import tell


def read_class_names(path, n_classes):
    """The names in a text file, one a line in the order of the classes; raises ValueError where it has not so many.

    A line may begin with an ImageNet identifier and hold several names: `n02123045 tabby, tabby cat`.
    """
    try:
        lines = Path(path).read_text(encoding='utf-8-sig').splitlines()
        if any('\0' in line for line in lines):  # UTF-16 of plain letters is UTF-8 with these
            raise UnicodeError('expected text in UTF-8, found null characters')
    except (OSError, UnicodeError) as error:
        raise ValueError(f'{path}: cannot be read as class names: {getattr(error, "strerror", error)}') from None
    names = [line.strip() for line in lines if line.strip()]
    if len(names) != n_classes:
        raise ValueError(f'{path}: expected {n_classes} class names, one a line; found {len(names)}')
    return names


def _spellings(name):
    """All that one may type for a name, in lower case."""
    name = name.strip().lower()
    identifier, _, rest = name.partition(' ')
    texts = [name, *name.split(',')]
    if re.fullmatch(r'n\d{8}', identifier):
        texts += [identifier, rest, *rest.split(',')]
    return {text.strip() for text in texts if text.strip()}


def find_class(text, names, n_classes):
    """The number of the class that `text`, a number or a name, means; case does not matter.

    Raises ValueError, which says what is known, for another number, an unknown name, and one of several classes.
    """
    if re.fullmatch(r'[+-]?\d+', text):
        c = int(text)
        named = names.index(text) if text in (names or [])[:n_classes] else c
        if not 0 <= c < n_classes and named != c:
            tell(f'--classes {text}: taken as the name of class {named}, as there is no class {text}')
            return named
        if not 0 <= c < n_classes:
            raise ValueError(f'--classes {text}: the snapshot knows classes 0 to {n_classes - 1}' if n_classes else
                             f'--classes {text}: the snapshot is of an unconditional generator')
        if named != c:
            tell(f'--classes {text}: taken as the number, not as the name of class {named}')
        return c
    if not n_classes:
        raise ValueError(f'--classes {text}: the snapshot is of an unconditional generator')
    if names is None:
        raise ValueError(f'--classes {text}: the data set does not name its classes; expected numbers from 0 to '
                         f'{n_classes - 1}, or their names in --class_names FILE')
    spellings = [_spellings(name) for name in names[:n_classes]]
    wanted = text.strip().lower()
    found = [c for c, known in enumerate(spellings) if wanted in known]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f'--classes {text}: several classes are called so: {", ".join(map(str, found))}; '
                         'give a number')
    near = difflib.get_close_matches(wanted, [s for known in spellings for s in known], 1)
    hint = f'did you mean {near[0]!r}?' if near else f'known are {", ".join(names[:10])}{" ..." * (len(names) > 10)}'
    raise ValueError(f'--classes {text}: no such class; {hint}')


def match_classes(folders, names, n_classes):
    """Return the class of each folder: by `names`, of the data set's classes in order or None, or else by number.

    All folders are read in the same way. Where both ways fit and differ, as of classes called 1 to 10, names are taken
    and that is said on standard error. Raises ValueError, naming the first folder that is no class, or no other one's.
    """
    of_spelling = {}
    for c, name in enumerate(names or []):
        for text in _spellings(name):
            of_spelling.setdefault(text, []).append(c)
    called = [of_spelling.get(folder.strip().lower(), []) for folder in folders]
    by_name = [classes[0] if len(classes) == 1 else None for classes in called]
    by_number = [int(folder) if folder.isdecimal() and int(folder) < n_classes else None for folder in folders]
    found = by_number if None in by_name else by_name
    if None in found:
        neither = [k for k, ways in enumerate(zip(by_name, by_number, strict=True)) if ways == (None, None)]
        known = '' if not names else f', or names: {", ".join(names[:10])}{" ..." * (len(names) > 10)}'
        mixed = [folders[ways.index(None)] for ways in (by_number, by_name)]
        what = (f"folder {folders[neither[0]]!r} is none of the data set's classes" if neither else
                f'folder {mixed[0]!r} is a name, {mixed[1]!r} a number')
        raise ValueError(f'{what}; expected their numbers, 0 to {n_classes - 1}{known}')
    twice = next((k for k, c in enumerate(found) if c in found[:k]), None)
    if twice is not None:
        raise ValueError(f'folders {folders[found.index(found[twice])]!r} and {folders[twice]!r} are both class '
                         f'{found[twice]}')
    if found is by_name and None not in by_number and by_number != by_name:
        tell(f'folders are taken by name: {folders[0]!r} is class {found[0]}')
    return found
