import json
import os
import resource

from source.miscs.line_log import LineLog, LineLogError

import pytest


def entry(iteration, **values):
    return {'loss_gen': .1 * iteration, 'iteration': iteration, **values}


def written(path, *entries):
    log = LineLog(path)
    for each in entries:
        log.append(each)
    return path.read_bytes()


def test_entries_come_back(tmp_path):
    written(tmp_path / 'log.jsonl', entry(1), entry(2))
    assert LineLog(tmp_path / 'log.jsonl').entries == [entry(1), entry(2)]


def test_every_cut_is_repaired_and_nothing_before_it_lost(tmp_path):
    """Whatever byte the machine stopped at, whole lines stay, and what is written next stands on a line of its own."""
    path = tmp_path / 'log.jsonl'
    content = written(path, entry(1), entry(2))
    for n in range(len(content) + 1):
        path.write_bytes(content[:n])
        log = LineLog(path)
        assert log.entries == [entry(1), entry(2)][:content[:n].count(b'\n')]
        log.append(entry(3))
        assert LineLog(path).entries == [*log.entries]
        assert all(json.loads(line) for line in path.read_text().splitlines())


def test_resuming_takes_back_later_entries_and_removes_no_byte(tmp_path):
    path = tmp_path / 'log.jsonl'
    before = written(path, entry(1), entry(2), entry(3))
    after = written(path, {'resumed_at': 1}, entry(2, other=1))
    assert after.startswith(before)
    assert LineLog(path).entries == [entry(1), entry(2, other=1)]


@pytest.mark.parametrize('line', ['hello', '3', '[]', '{}', '{"iteration": "x"}', '{"resumed_at": null}', '\xff'])
def test_other_files_are_refused_and_left(tmp_path, line):
    path = tmp_path / 'log.jsonl'
    path.write_bytes(b'{"iteration": 1}\n' + line.encode('latin-1') + b'\n{"iter')
    before = path.read_bytes()
    with pytest.raises(LineLogError, match='log.jsonl, line 2: expected an entry of a training log'):
        LineLog(path)
    assert path.read_bytes() == before


def test_a_file_that_cannot_grow_keeps_what_it_has(tmp_path):
    """The part of a line that still had room is taken back."""
    path = tmp_path / 'log.jsonl'
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


def test_an_entry_is_on_the_disk_before_the_next(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, 'fsync', lambda d: (synced.append(os.fstat(d).st_size), fsync(d)))
    sizes = [len(written(tmp_path / 'log.jsonl', entry(k))) for k in (1, 2)]
    assert synced == sizes and sizes[0] < sizes[1]
