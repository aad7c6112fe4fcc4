"""Standard output and standard error as all commands write to them."""
import contextlib
import errno
import io
import os
import select
import signal
import sys
import warnings
from pathlib import Path

from tqdm import tqdm

OF_WRITING = errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO
CLOSED = 128 + signal.SIGPIPE  # the status of a command whose reader went, as of one that the signal ended


@contextlib.contextmanager
def standard_streams(closed=''):
    """Prepare both streams for a command, and end it in order where nothing more can be written to them.

    A character that a stream cannot encode is written as its escape; a handler that a user chose by PYTHONIOENCODING,
    as `replace`, stays. Where a reader went early, as that of `| head`, the command ends with status 141, silently or
    with the line `closed` on standard error; where an output is full, with one line and status 2. Warnings are told as
    `told_warnings` does.
    """
    for name in ('stdout', 'stderr'):
        if getattr(sys, name) is None:  # closed before the command began
            setattr(sys, name, open(os.devnull, 'w'))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ('strict', 'surrogateescape'):
            stream.reconfigure(errors='backslashreplace')
    try:
        try:
            with told_warnings():
                yield
        except SystemExit as stop:
            if not stop.code:
                _flush()
            raise
        _flush()  # later it would fail with a traceback
    except OSError as error:
        reason = of_output(error)
        is_closed = error.errno == errno.EPIPE
        if reason is None and (is_closed or error.filename is not None or error.errno not in OF_WRITING):
            raise
        line = closed if is_closed else f'{Path(sys.argv[0]).name}: error: {reason or error.strerror}'
        with contextlib.suppress(OSError):
            print(line, end='\n' if line else '', file=sys.stderr)
        sys.exit(CLOSED if is_closed else 2)
    finally:
        _drop_what_cannot_be_written()


@contextlib.contextmanager
def told_warnings(kept=None):
    """Tell each warning raised within the block once, as one line on standard error.

    Those of the category `kept` are not told, whatever the filters say, but their texts are in the list that is given.
    """
    told, texts = [], []

    def tell_warning(message, category, *_):
        text, is_kept = ' '.join(str(message).split()), kept is not None and issubclass(category, kept)
        if text not in told + texts:
            (texts if is_kept else told).append(text)
            if not is_kept:
                tell(f'warning: {text}')
    with warnings.catch_warnings():
        if kept is not None:
            warnings.simplefilter('always', kept)
        warnings.showwarning = tell_warning
        yield texts


def tell(line):
    """Write a line to standard error, above a progress bar where there is one."""
    tqdm.write(line, file=sys.stderr)


def of_output(error):
    """Return what happened to standard output or error, as text, if this OSError is theirs, else None."""
    if isinstance(error, OSError) and error.filename is None and error.errno in OF_WRITING:
        for name, stream in (('output', sys.stdout), ('error', sys.stderr)):
            if _fails(stream):
                return f'standard {name}' + (' was closed' if error.errno == errno.EPIPE else f': {error.strerror}')
    return None


def _flush():
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _fails(stream):
    """Whether what waits to be written cannot be, or nobody reads it."""
    if stream is None:
        return False
    try:
        stream.flush()
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # errors are always told
        return bool(poll.poll(0))
    except (ValueError, AttributeError):  # no file, as in a test or a notebook
        return False
    except OSError:
        return True


def _drop_what_cannot_be_written():
    # Python writes what waits when it ends, and would say that it could not.
    for stream in (sys.stdout, sys.stderr):
        if _fails(stream):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
