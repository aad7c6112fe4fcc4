"""Files of a JSON object a line, which outlive what stops their writer: logs of training and journals of long runs."""
import json
import os
import resource

from source.files.journal import Journal
from source.files.line_log import LineLog, LineLogError

import pytest

SETTINGS = {'seed': 3, 'digest': 'abc'}
ENTRIES = {c: {'class': c, 'fid': c / 3} for c in range(3)}


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
        assert LineLog(path).entries == log.entries
        assert all(json.loads(line) for line in path.read_text().splitlines())


def test_resuming_takes_back_later_entries_and_removes_no_byte(path):
    before = written(path, entry(1), entry(2), entry(3))
    after = written(path, {'resumed_at': 1}, entry(2, other=1))
    assert after.startswith(before)
    assert LineLog(path).entries == [entry(1), entry(2, other=1)]


@pytest.mark.parametrize('line', ['hello', '3', '[]', '{}', '{"iteration": "x"}', '{"resumed_at": null}', '\xff'])
def test_other_files_are_refused_and_left(path, line):
    path.write_bytes(before := b'{"iteration": 1}\n' + line.encode('latin-1') + b'\n{"iter')
    with pytest.raises(LineLogError, match='log.jsonl, line 2: expected an entry of a training log'):
        LineLog(path)
    assert path.read_bytes() == before


def test_a_file_that_cannot_grow_keeps_what_it_has(path):
    before = written(path, entry(1))
    log, limits = LineLog(path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 7, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            log.append(entry(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (caught.value.filename, path.read_bytes(), log.entries) == (str(path), before, [entry(1)])


@pytest.mark.parametrize('add', [
    lambda path, entry: LineLog(path).append(entry), lambda path, entry: Journal(path, 'iteration', {}).add(entry)])
def test_an_entry_is_on_the_disk_before_the_next(path, monkeypatch, add):
    synced, sizes, fsync = [], [], os.fsync
    monkeypatch.setattr(os, 'fsync', lambda d: (synced.append(os.fstat(d).st_size), fsync(d)))
    for iteration in (1, 2):
        add(path, entry(iteration))
        sizes.append(path.stat().st_size)
    assert synced == sizes and sizes[0] < sizes[1]


def filled(path):
    journal = Journal(path, 'class', SETTINGS)
    for entry in ENTRIES.values():
        journal.add(entry)
    assert journal.entries == ENTRIES
    return path


def test_a_journal_goes_on_but_drops_a_line_cut_short(tmp_path):
    path = filled(tmp_path / 'new' / 'a.jsonl')
    assert json.loads(path.read_text().splitlines()[0]) == SETTINGS
    path.write_text('{"seed"')
    assert Journal(filled(path), 'class', SETTINGS).entries == ENTRIES
    for n_bytes in (1, 5):
        path.write_bytes(path.read_bytes()[:-n_bytes])
        again = Journal(path, 'class', SETTINGS)
        assert again.entries == {c: ENTRIES[c] for c in (0, 1)}
        again.add({'class': 2, 'fid': None})
        assert Journal(path, 'class', SETTINGS).entries == {**again.entries, 2: {'class': 2, 'fid': None}}


@pytest.mark.parametrize('content, settings, expected', [
    (None, {**SETTINGS, 'seed': 4}, 'is of another run: seed: expected 4, found 3; move it away'),
    (None, {'seed': 3}, 'is of another run: digest: expected nothing, found abc; move it away'),
    (None, {**SETTINGS, 'more': 1}, 'is of another run: more: expected 1, found nothing; move it away'),
    *((content, SETTINGS, 'expected the journal of an interrupted run, found something else') for content in (
        b'hello', b'hello\n', b'3\n', b'[1]\n{"class": 0}\n', b'{"seed": 3, "digest": "abc"}\n{"fid": 0}\n'))])
def test_a_file_of_another_kind_or_run_is_no_journal_and_left(path, content, settings, expected):
    path.write_bytes(before := filled(path).read_bytes()[:-1] if content is None else content)
    with pytest.raises(ValueError, match=expected):
        Journal(path, 'class', settings)
    assert path.read_bytes() == before
