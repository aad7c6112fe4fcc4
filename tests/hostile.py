"""Hostile files: random bytes, changed valid files, other values; and what a reader may do with them.

A tenth of the examples are tried by `make test`, all 150 a test by `make test-long`; `SNGAN_EXAMPLES=5000` for more.
"""
import copy
import json
import operator
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.narrow import files_in

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ALL = int(os.environ.get('SNGAN_EXAMPLES', 150))
SECONDS = 20  # a file may take
few_and_all = pytest.mark.parametrize('n_examples', [
    pytest.param(15, id='few'), pytest.param(ALL, id='all', marks=pytest.mark.long)])
BYTES = st.binary(max_size=200)
TROUBLE = [b'\0' * 8, b'\xff' * 8, b'\xff\xff\xff\x7f', b'PK\x05\x06', b'[' * 2000, b'&a [*a]', b'\n? ', b'!!', b'{',
           b'/..']
# (what, where, with what): half of the places are among the first bytes, where files say what they are.
CHANGES = st.lists(st.tuples(
    st.sampled_from(['flip', 'overwrite', 'insert', 'remove', 'cut', 'repeat', 'copy']),
    st.one_of(st.floats(0, 1, exclude_max=True), st.integers(0, 200)),
    st.one_of(st.binary(min_size=1, max_size=12), st.sampled_from(TROUBLE))), min_size=1, max_size=6)
KEYS = st.one_of(st.text(max_size=4), st.integers())
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
VALUES = st.recursive(
    st.one_of(PLAIN, st.dates(), st.binary(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=6)
JSON = st.recursive(
    PLAIN, lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)), max_leaves=6)


class Reader(NamedTuple):
    """`read(path)` reads a file that holds `content`; an error names the file, or, where there is one, `blamed`."""
    path: Path
    read: Callable
    content: bytes
    blamed: Path | None = None
    may_write: bool = False


def try_examples(n_examples, attempt, *strategies):
    """Call `attempt` with so many draws of the strategies, the same ones every time unless SNGAN_EXAMPLES is set."""
    settings(max_examples=n_examples, deadline=None, database=None, derandomize=ALL == 150,
             suppress_health_check=list(HealthCheck))(given(*strategies)(attempt))()


def check(reader, n_examples):
    """It reads the whole file, and it answers whatever else the file holds."""
    assert try_to_read(reader, reader.content)
    start = reader.content[:8]

    def attempt(made):
        try_to_read(reader, made if isinstance(made, bytes) else changed(reader.content, made))
    try_examples(2 * n_examples, attempt, st.one_of(BYTES, BYTES.map(lambda more: start + more), CHANGES, CHANGES))


def check_values(reader, n_examples, values=JSON, load=json.loads, dump=json.dumps, more_places=()):
    """As `check`, of a file of JSON or the like: with an entry less, or any of the values in place of one of it."""
    valid = load(reader.content)
    for place in [place for place in _places(valid) if place and isinstance(place[-1], str)][:n_examples]:
        try_to_read(reader, dump(_edited(valid, place, operator.delitem)).encode())

    def attempt(place, value):
        try_to_read(reader, dump(_edited(valid, place, operator.setitem, value)).encode())
    try_examples(n_examples, attempt, st.sampled_from([*_places(valid), *more_places]), values)


def _places(value, path=()):
    """The paths of all values within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


def _edited(value, path, edit, *new):
    """A copy of a value in which what stands at the path is set or deleted."""
    inner = whole = [copy.deepcopy(value)]
    *parents, last = 0, *path
    for key in parents:
        inner = inner[key]
    edit(inner, last, *new)
    return whole[0]


def try_to_read(reader, content):
    """Whether the file was read; fails for anything but that or an error that names the file.

    In the end the file holds again what it should.
    """
    folder = reader.blamed if reader.blamed and reader.blamed.is_dir() else reader.path.parent
    reader.path.write_bytes(content)
    before = files_in(folder)
    previous = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        reader.read(reader.path)
        refusal = None
    except (ValueError, OSError) as error:
        refusal, blamed = str(error), str(reader.blamed or reader.path)
        assert blamed in refusal and '\n' not in refusal and len(refusal) < 1000 + 2 * len(blamed), refusal
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    after = files_in(folder)
    assert set(after) == set(before) and (after == before or reader.may_write)
    reader.path.write_bytes(reader.content)
    return refusal is None


def _stop(*_):
    pytest.fail(f'it took more than {SECONDS} s')


def changed(content, changes):
    """A valid file's content after a list of CHANGES."""
    content = bytearray(content)
    for kind, where, data in changes:
        at = where if isinstance(where, int) else int(where * (len(content) + 1))
        n_bytes, new = {
            'flip': (1, bytes(byte ^ (data[0] or 1) for byte in content[at:at + 1])),
            'overwrite': (len(data), data), 'insert': (0, data), 'remove': (len(data), b''), 'cut': (len(content), b''),
            'repeat': (0, content[max(0, at - 64 * len(data)):at]),
            'copy': (4 * len(data), content[data[0] * len(content) // 256:][:4 * len(data)])}[kind]
        content[at:at + n_bytes] = new
    return bytes(content)
