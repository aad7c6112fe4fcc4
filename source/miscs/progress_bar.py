import sys

from tqdm import tqdm


def progress_bar(total, desc, unit='image'):
    """A bar on standard error, gone when it is full; in a file two lines a minute, and none for what takes no time."""
    return tqdm(total=total, desc=desc, unit=unit, delay=.5, leave=False, dynamic_ncols=True,
                mininterval=.1 if sys.stderr.isatty() else 30.)
