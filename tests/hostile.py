"""Hostile files: random bytes, changed valid files, other values; and what a reader may do with them."""
import os
import signal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

N_EXAMPLES = int(os.environ.get('SNGAN_EXAMPLES', 150))
SECONDS = 10


class _TooLong(BaseException):
    pass


def _alarm(*_):
    raise _TooLong


def try_to_read(folder, reader, content):
    """Whether the file was read; fails for anything but that or an error that names the file."""
    name, read, _ = reader
    path = folder / name
    path.write_bytes(content)
    there = sorted(os.listdir(folder))
    before = signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(SECONDS)
    try:
        read(path)
        was_read = True
    except (ValueError, OSError) as error:
        message = str(error)
        assert str(path) in message or str(folder) in message, message
        assert '\n' not in message and len(message) < 1000 + 2 * len(str(path))
        was_read = False
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert sorted(os.listdir(folder)) == there
    assert path.read_bytes() == content
    return was_read


TROUBLE = [b'\0' * 8, b'\xff' * 8, b'\xff\xff\xff\x7f', b'PK\x05\x06', b'[' * 2000, b'&a [*a]', b'\n? ', b'!!', b'{',
           b'/..']
CHANGES = st.lists(st.tuples(
    st.sampled_from(['flip', 'overwrite', 'insert', 'remove', 'cut', 'repeat']), st.floats(0, 1, exclude_max=True),
    st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(TROUBLE))), min_size=1, max_size=4)


def changed(content, changes):
    content = bytearray(content)
    for kind, where, data in changes:
        at = int(where * (len(content) + 1))
        if kind == 'flip' and at < len(content):
            content[at] ^= data[0] or 1
        elif kind == 'overwrite':
            content[at:at + len(data)] = data
        elif kind == 'insert':
            content[at:at] = data
        elif kind == 'remove':
            del content[at:at + len(data)]
        elif kind == 'cut':
            del content[at:]
        elif kind == 'repeat':
            content[at:at] = content[max(0, at - 64 * len(data)):at]
    return bytes(content)


of_a_reader = settings(max_examples=N_EXAMPLES, deadline=None, database=None, derandomize=N_EXAMPLES == 150,
                       suppress_health_check=list(HealthCheck))

KEYS = st.one_of(st.text(max_size=4), st.integers())
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(),
              st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=6)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6)
