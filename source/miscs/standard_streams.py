"""Standard output and standard error as all commands write to them."""
import contextlib
import sys


@contextlib.contextmanager
def standard_streams():
    """Prepare both streams for a command: a character that one cannot encode is written as its escape, not an error.

    A handler that a user chose by PYTHONIOENCODING, as `replace`, stays.
    """
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, 'errors', None) in ('strict', 'surrogateescape'):
            stream.reconfigure(errors='backslashreplace')
    yield
