"""Names and lists as a line of text shows them: printable, and no more than a few."""
MOST = 5  # names in a line


def difference(expected, found):
    """In a few words which names were expected and are not found, and which are found and were not expected."""
    parts = [f'{what} {some_of([name for name in one if name not in other])}' for what, one, other in (
        ('without', expected, set(found)), ('with', found, set(expected))) if set(one) - set(other)]
    return ' and '.join(parts) or 'in another order'


def shortened(value):
    """A value of a config as a page or record shows it: of a long list the first items and their number."""
    is_long = isinstance(value, list) and len(value) > MOST
    return f'[{some_of(list(map(str, value)))}] ({len(value)})' if is_long else value


def printable(text):
    """A name as it can be printed and written, on one line, whatever a file system allows."""
    return ''.join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def some_of(texts, most=MOST):
    """Texts in one line, as they can be printed, no more than `most` of them."""
    return ', '.join(map(printable, texts[:most])) + ', ...' * (len(texts) > most)


def duration(seconds):
    """1 h 4 min, 6 min 47 s, 12 s."""
    seconds = round(seconds)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return (f'{hours:,} h {minutes} min' if hours else f'{minutes} min {seconds} s' if minutes else f'{seconds} s')
