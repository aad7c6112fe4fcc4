"""What a journal may say that others, or a broken disk, have changed: a wrong number would misplace every label."""
from source.datasets.preparation_report import are_entries

import pytest

WHOLE = [{'n_files': 4, 'n_rows': 3, 'box_bytes': 9, 'skipped': [['a', 'why']], 'changed': [['b', 'grey']]},
         {'n_files': 6, 'n_rows': 5, 'box_bytes': 9, 'skipped': [], 'changed': []}]


def test_whole_or_not():
    assert are_entries([], 6) and are_entries(WHOLE[:1], 6) and are_entries(WHOLE, 6)
    for name in WHOLE[0]:
        assert not are_entries([{key: value for key, value in WHOLE[0].items() if key != name}], 6)


@pytest.mark.parametrize('k, changes', [
    (0, {'n_rows': 4}), (0, {'n_rows': 2}), (1, {'n_rows': 6}), (0, {'n_files': 5}), (1, {'n_files': 7, 'n_rows': 6}),
    (1, {'n_files': 4, 'n_rows': 3}), (0, {'skipped': []}), (0, {'skipped': [['a', 'why'], ['b', 'why']]}),
    (0, {'skipped': [['a', 3]]}), (0, {'skipped': {}}), (0, {'changed': [['a']]}), (0, {'box_bytes': -1}),
    (0, {'box_bytes': None}), (1, {'n_rows': 5.}), (0, {'n_files': True, 'n_rows': 0})])
def test_what_does_not_fit(k, changes):
    entries = [dict(entry) for entry in WHOLE]
    entries[k].update(changes)
    assert not are_entries(entries, 6)
