"""What classes are called: by the data set's class, without its data, or by a file that a user brings."""
import difflib
import re
from pathlib import Path

from source.build import load_class


def class_names_of(config, source):
    """The names of a config's classes in order, a list, or None where its data set's class does not say them.

    A data set offers them as a class method `names_of(args)` (see `ImageDataset`); no data is read.
    """
    spec = config['dataset']
    names_of = getattr(load_class(spec['dataset_fn'], spec['dataset_name'], source, 'dataset'), 'names_of', None)
    names = names_of(spec['args']) if names_of else None
    return None if names is None else list(names)


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
        if not 0 <= c < n_classes:
            raise ValueError(f'--classes {text}: the snapshot knows classes 0 to {n_classes - 1}' if n_classes else
                             f'--classes {text}: the snapshot is of an unconditional generator')
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
    hint = f'did you mean {near[0]!r}?' if near else f'known are {", ".join(names[:10])}{" …" * (len(names) > 10)}'
    raise ValueError(f'--classes {text}: no such class; {hint}')
