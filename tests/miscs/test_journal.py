import json
import os

from source.miscs.journal import Journal

import pytest

SETTINGS = {'seed': 3, 'digest': 'abc'}


def filled(path):
    journal = Journal(path, 'class', SETTINGS)
    for c in range(3):
        journal.add({'class': c, 'fid': c / 3})
    return journal


def test_goes_on(tmp_path):
    path = tmp_path / 'new' / 'a.jsonl'
    entries = filled(path).entries
    assert entries == {c: {'class': c, 'fid': c / 3} for c in range(3)}
    again = Journal(path, 'class', SETTINGS)
    assert again.entries == entries
    again.add({'class': 7, 'fid': None})
    assert Journal(path, 'class', SETTINGS).entries == {**entries, 7: {'class': 7, 'fid': None}}
    assert [json.loads(line) for line in path.read_text().splitlines()][0] == SETTINGS


@pytest.mark.parametrize('n_bytes', [1, 5])
def test_line_cut_short_is_dropped(tmp_path, n_bytes):
    path = tmp_path / 'a.jsonl'
    filled(path)
    path.write_bytes(path.read_bytes()[:-n_bytes])
    again = Journal(path, 'class', SETTINGS)
    assert set(again.entries) == {0, 1}
    again.add({'class': 2, 'fid': .5})
    assert Journal(path, 'class', SETTINGS).entries[2] == {'class': 2, 'fid': .5}


def test_first_line_cut_short(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_text('{"seed"')
    filled(path)
    assert set(Journal(path, 'class', SETTINGS).entries) == {0, 1, 2}


@pytest.mark.parametrize('settings, expected', [
    ({**SETTINGS, 'seed': 4}, 'seed: expected 4, found 3'), ({'seed': 3}, 'digest: expected nothing, found abc'),
    ({**SETTINGS, 'more': 1}, 'more: expected 1, found nothing')])
def test_another_run_is_refused_and_left(tmp_path, settings, expected):
    path = tmp_path / 'a.jsonl'
    filled(path)
    path.write_bytes(path.read_bytes()[:-1])
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f'is of another run: {expected}; move it away'):
        Journal(path, 'class', settings)
    assert path.read_bytes() == before


@pytest.mark.parametrize('text', [
    'hello', 'hello\n', '3\n', '[1]\n{"class": 0}\n', '{"seed": 3, "digest": "abc"}\n{"fid": 0}\n'])
def test_no_journal(tmp_path, text):
    (tmp_path / 'a.jsonl').write_text(text)
    with pytest.raises(ValueError, match='expected the journal of an interrupted run, found something else'):
        Journal(tmp_path / 'a.jsonl', 'class', SETTINGS)
    assert (tmp_path / 'a.jsonl').read_text() == text


def test_an_entry_is_on_the_disk_before_the_next(tmp_path, monkeypatch):
    path, synced, fsync = tmp_path / 'a.jsonl', [], os.fsync
    monkeypatch.setattr(os, 'fsync', lambda d: (synced.append(os.fstat(d).st_size), fsync(d)))
    journal = Journal(path, 'class', SETTINGS)
    for c in range(2):
        journal.add({'class': c})
        assert synced[-1] == path.stat().st_size and len(synced) == c + 1
