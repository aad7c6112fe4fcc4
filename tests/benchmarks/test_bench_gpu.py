"""What the benchmark of a GPU makes of its sides' answers, which are made up here."""
import json
from types import SimpleNamespace

from benchmarks import bench_gpu
from tests.narrow import run

import pytest


class CutOff(BaseException):
    """As a command that is killed."""


@pytest.fixture
def sides(monkeypatch):
    """`answers` in place of runs, of (row's precision, side): seconds of an iteration or an error, 2 s where there is
    none; `runs` are those made, of which `limit` are."""
    sides = SimpleNamespace(answers={}, runs=[], limit=None)

    def run_side(side, row, args):
        if len(sides.runs) == sides.limit:
            raise CutOff
        sides.runs.append((row[2], side))
        answer = sides.answers.get((row[2], side), 2.)
        if isinstance(answer, Exception):
            raise answer
        return {'seconds': [answer], 'captured': True}
    monkeypatch.setattr(bench_gpu, 'run_side', run_side)
    monkeypatch.setattr(bench_gpu, 'gpu', lambda: {'name': 'NVIDIA H0'})
    return sides


def measure(out, *rows, goes_on=False, rounds=2):
    return run(bench_gpu.main, '--row', *rows, '--rounds', rounds, '--out', out, *['--continue'] * goes_on)


def test_ratios(tmp_path, sides):
    sides.answers.update({('tf32', 'ours'): .5, ('tf32', 'torch compiled'): ValueError('no compiler')})
    assert measure(tmp_path / 'gpu.json', 'cifar_tf32') == 0
    row = json.loads((tmp_path / 'gpu.json').read_text())['cifar_tf32']
    assert row['ratios'] == {'torch eager': 4., 'torch graphed': 4.}
    assert row['runs']['torch compiled'] == [{'error': 'no compiler'}] * 2


@pytest.mark.parametrize('n_runs', range(1, 12))
def test_goes_on_where_it_was_cut_off(tmp_path, sides, capsys, n_runs):
    """Every run is made once, in the order of a command that is not cut off, and the results are its results."""
    out, rows = tmp_path / 'gpu.json', ('cifar_bfloat16', 'sn_share_cifar')
    out.write_text('{"inception": {"ratios": {}}}')
    assert measure(tmp_path / 'whole.json', *rows) == 0
    whole, sides.runs = sides.runs, []
    assert len(whole) == 2 * 4 + 2 * 2
    sides.limit = n_runs
    with pytest.raises(CutOff):
        measure(out, *rows)
    sides.limit = None
    assert measure(out, *bench_gpu.ROWS, goes_on=True) == 0
    assert sides.runs == whole
    assert json.loads(out.read_text()) == {
        'inception': {'ratios': {}}, **json.loads((tmp_path / 'whole.json').read_text())}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['gpu.json', 'whole.json']
    capsys.readouterr()
    before = out.read_text()
    assert measure(out, *rows, goes_on=True) == 2 and out.read_text() == before
    assert capsys.readouterr().err.strip().endswith('gpu.unfinished.json is missing')


def test_a_row_that_failed_leaves_the_others_and_is_gone_on_with(tmp_path, sides, capsys):
    sides.answers['bfloat16', 'ours'] = ValueError('ours: out of memory')
    out = tmp_path / 'gpu.json'
    assert measure(out, 'cifar_bfloat16', 'cifar_tf32') == 2
    assert set(json.loads(out.read_text())) == {'cifar_tf32'}
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == 'cifar_bfloat16: ours: out of memory' and errors[-1].endswith('not measured: cifar_bfloat16')
    sides.answers.clear()
    sides.runs.clear()
    assert measure(out, *bench_gpu.ROWS, goes_on=True) == 0
    assert {precision for precision, _ in sides.runs} == {'bfloat16'}
    assert set(json.loads(out.read_text())) == {'cifar_bfloat16', 'cifar_tf32'}
    sides.answers['tf32', 'ours'] = ValueError('ours: out of memory')
    assert measure(out, 'cifar_tf32', 'uncaptured_cifar') == 2
    sides.answers.clear()
    sides.runs.clear()
    assert measure(out, 'uncaptured_cifar') == 0  # anew, as it is not told to go on
    assert len(sides.runs) == 4 and [path.name for path in tmp_path.iterdir()] == ['gpu.json']


@pytest.mark.parametrize('content, message', [
    (None, 'rounds'), ('{', 'nothing to continue from'), ('[]', 'nothing to continue from'),
    ('{"rows": {}}', "KeyError('conditions')"), ('{"conditions": {}, "rows": []}', 'nothing to continue from'),
    ({'cifar_tf32': {'ours': []}}, 'expected the sides'), ({'inception': {}}, 'of cifar_tf32 nothing is unfinished')],
    ids=str)
def test_what_it_cannot_go_on_from(tmp_path, sides, capsys, content, message):
    sides.answers['tf32', 'ours'] = ValueError('ours: out of memory')
    out, kept = tmp_path / 'gpu.json', tmp_path / 'gpu.unfinished.json'
    assert measure(out, 'cifar_tf32') == 2
    capsys.readouterr()
    if isinstance(content, dict):
        content = json.dumps({**json.loads(kept.read_text()), 'rows': content})
    if content is not None:
        kept.write_text(content)
    before = kept.read_text()
    assert measure(out, 'cifar_tf32', goes_on=True, rounds=3 if content is None else 2) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and message in error and 'gpu.unfinished.json' in error
    assert kept.read_text() == before
