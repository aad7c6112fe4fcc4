"""Progress on standard error: a bar in a terminal, plain lines in a file."""
import os
import sys
import time

from tqdm import tqdm

SECONDS = 30  # between two plain lines


def draws_bars():
    """Return whether standard error is a terminal that can take a line back."""
    return sys.stderr.isatty() and os.environ.get('TERM') != 'dumb'


def progress_bar(total, desc, unit='image', initial=0, **more):
    """Return a tqdm bar, gone when it is full, or where none can be drawn PlainProgress; both are context managers.

    What takes no time shows nothing. `more` goes to tqdm.
    """
    if not draws_bars():
        return PlainProgress(total, desc, initial)
    return tqdm(total=total, desc=desc, unit=unit, initial=initial, delay=.5, leave=False, dynamic_ncols=True, **more)


class PlainProgress:
    """Lines `<desc>: <n> of <total>`, one every SECONDS."""

    def __init__(self, total, desc, initial=0):
        self.total, self.desc, self.n = total, desc, initial
        self._told = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def update(self, n=1):
        self.n += n
        if time.monotonic() - self._told >= SECONDS:
            self._told = time.monotonic()
            print(f'{self.desc}: {self.n:,} of {self.total:,}', file=sys.stderr, flush=True)

    def close(self):
        pass
