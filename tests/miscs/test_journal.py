import json

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
    assert json.loads(path.read_text().splitlines()[0]) == SETTINGS


def test_a_line_cut_short_is_dropped(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_text('{"seed"')
    filled(path)
    assert set(Journal(path, 'class', SETTINGS).entries) == {0, 1, 2}
    for n_bytes in (1, 5):
        path.write_bytes(path.read_bytes()[:-n_bytes])
        again = Journal(path, 'class', SETTINGS)
        assert set(again.entries) == {0, 1}
        again.add({'class': 2, 'fid': .5})
        assert Journal(path, 'class', SETTINGS).entries[2] == {'class': 2, 'fid': .5}


@pytest.mark.parametrize('content, settings, expected', [
    (None, {**SETTINGS, 'seed': 4}, 'is of another run: seed: expected 4, found 3; move it away'),
    (None, {'seed': 3}, 'is of another run: digest: expected nothing, found abc; move it away'),
    (None, {**SETTINGS, 'more': 1}, 'is of another run: more: expected 1, found nothing; move it away'),
    *((content, SETTINGS, 'expected the journal of an interrupted run, found something else') for content in (
        b'hello', b'hello\n', b'3\n', b'[1]\n{"class": 0}\n', b'{"seed": 3, "digest": "abc"}\n{"fid": 0}\n'))])
def test_another_file_is_refused_and_left(tmp_path, content, settings, expected):
    path = tmp_path / 'a.jsonl'
    filled(path)
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=expected):
        Journal(path, 'class', settings)
    assert path.read_bytes() == before
