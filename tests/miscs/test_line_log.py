import json
import os
import resource

from source.miscs.journal import Journal
from source.miscs.line_log import LineLog, LineLogError

import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'log.jsonl'


def entry(iteration, **values):
    return {'loss_gen': .1 * iteration, 'iteration': iteration, **values}


def written(path, *entries):
    log = LineLog(path)
    for each in entries:
        log.append(each)
    return path.read_bytes()


def test_every_cut_is_repaired_and_nothing_before_it_lost(path):
    """Whatever byte the machine stopped at, whole lines stay, and what is written next stands on a line of its own."""
    content = written(path, entry(1), entry(2))
    for n in range(len(content) + 1):
        path.write_bytes(content[:n])
        log = LineLog(path)
        assert log.entries == [entry(1), entry(2)][:content[:n].count(b'\n')]
        log.append(entry(3))
        assert LineLog(path).entries == [*log.entries]
        assert all(json.loads(line) for line in path.read_text().splitlines())


def test_resuming_takes_back_later_entries_and_removes_no_byte(path):
    before = written(path, entry(1), entry(2), entry(3))
    after = written(path, {'resumed_at': 1}, entry(2, other=1))
    assert after.startswith(before)
    assert LineLog(path).entries == [entry(1), entry(2, other=1)]


@pytest.mark.parametrize('line', ['hello', '3', '[]', '{}', '{"iteration": "x"}', '{"resumed_at": null}', '\xff'])
def test_other_files_are_refused_and_left(path, line):
    path.write_bytes(b'{"iteration": 1}\n' + line.encode('latin-1') + b'\n{"iter')
    before = path.read_bytes()
    with pytest.raises(LineLogError, match='log.jsonl, line 2: expected an entry of a training log'):
        LineLog(path)
    assert path.read_bytes() == before


def test_a_file_that_cannot_grow_keeps_what_it_has(path):
    """The part of a line that still had room is taken back."""
    before = written(path, entry(1))
    log = LineLog(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 7, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            log.append(entry(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert log.entries == [entry(1)]


@pytest.mark.parametrize('add', [
    lambda path, entry: LineLog(path).append(entry), lambda path, entry: Journal(path, 'iteration', {}).add(entry)])
def test_an_entry_is_on_the_disk_before_the_next(path, monkeypatch, add):
    """Of a journal too."""
    synced, sizes, fsync = [], [], os.fsync
    monkeypatch.setattr(os, 'fsync', lambda d: (synced.append(os.fstat(d).st_size), fsync(d)))
    for iteration in (1, 2):
        add(path, entry(iteration))
        sizes.append(path.stat().st_size)
    assert synced == sizes and sizes[0] < sizes[1]
