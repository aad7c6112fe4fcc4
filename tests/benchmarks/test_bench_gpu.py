"""What the benchmark of a GPU makes of its sides' answers, which are made up here."""
import json
import sys
from types import SimpleNamespace

from benchmarks import bench_gpu
from tests.narrow import run

import pytest

NO_MEMORY = ValueError('ours: out of memory')
CONDITIONS = {'gpu': 'NVIDIA H0', 'rounds': 2, 'iterations': 20, 'blocks': 5}


@pytest.fixture
def sides(monkeypatch):
    """`answers` in place of runs, of (row's precision, side): seconds of an iteration or an error, 2 s where there is
    none; `runs` are those made, of which `limit` are."""
    sides = SimpleNamespace(answers={}, runs=[], limit=None)

    def run_side(side, row, args):
        if len(sides.runs) == sides.limit:
            sys.exit('cut off')
        sides.runs.append((row[2], side))
        answer = sides.answers.get((row[2], side), 2.)
        if isinstance(answer, Exception):
            raise answer
        return {'seconds': [answer], 'captured': True}
    monkeypatch.setattr(bench_gpu, 'run_side', run_side)
    monkeypatch.setattr(bench_gpu, 'gpu', lambda: {'name': 'NVIDIA H0'})
    return sides


def measure(out, *rows, goes_on=False):
    return run(bench_gpu.main, '--row', *rows, '--rounds', 2, '--out', out, *['--continue'] * goes_on)


@pytest.mark.parametrize('n_runs', [1, 5, 8, 11])
def test_goes_on_where_it_was_cut_off(tmp_path, sides, capsys, n_runs):
    """Every run is made once, in the order of a command that is not cut off, and the results are its results."""
    out, rows = tmp_path / 'gpu.json', ('cifar_bfloat16', 'sn_share_cifar')
    out.write_text('{"inception": {"ratios": {}}}')
    assert measure(tmp_path / 'whole.json', *rows) == 0
    whole, sides.runs, sides.limit = sides.runs, [], n_runs
    assert len(whole) == 2 * 4 + 2 * 2 and measure(out, *rows) == 'cut off'
    sides.limit = None
    assert measure(out, *bench_gpu.ROWS, goes_on=True) == 0 and sides.runs == whole
    before = out.read_text()
    assert json.loads(before) == {'inception': {'ratios': {}}, **json.loads((tmp_path / 'whole.json').read_text())}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['gpu.json', 'whole.json']
    assert measure(out, *rows, goes_on=True) == 2 and out.read_text() == before
    assert capsys.readouterr().err.strip().endswith('gpu.unfinished.json is missing')


def test_a_row_that_failed_leaves_the_others_and_is_gone_on_with(tmp_path, sides, capsys):
    sides.answers = {('bfloat16', 'ours'): NO_MEMORY, ('tf32', 'ours'): .5,
                     ('tf32', 'torch compiled'): ValueError('no compiler')}
    out = tmp_path / 'gpu.json'
    assert measure(out, 'cifar_bfloat16', 'cifar_tf32') == 2
    (name, row), = json.loads(out.read_text()).items()
    assert name == 'cifar_tf32' and row['ratios'] == {'torch eager': 4., 'torch graphed': 4.}
    assert row['runs']['torch compiled'] == [{'error': 'no compiler'}] * 2
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == 'cifar_bfloat16: ours: out of memory' and errors[-1].endswith('not measured: cifar_bfloat16')
    sides.answers, sides.runs = {}, []
    assert measure(out, *bench_gpu.ROWS, goes_on=True) == 0
    assert {precision for precision, _ in sides.runs} == {'bfloat16'}
    assert set(json.loads(out.read_text())) == {'cifar_bfloat16', 'cifar_tf32'}
    sides.answers = {('tf32', 'ours'): NO_MEMORY}
    assert measure(out, 'cifar_tf32', 'uncaptured_cifar') == 2
    sides.answers, sides.runs = {}, []
    assert measure(out, 'uncaptured_cifar') == 0  # anew, as it is not told to go on
    assert len(sides.runs) == 4 and [path.name for path in tmp_path.iterdir()] == ['gpu.json']


@pytest.mark.parametrize('content, message', [
    ('{', 'nothing to continue from'), ([], 'nothing to continue from'), ({'rows': {}}, "KeyError('conditions')"),
    ({'conditions': {}, 'rows': []}, 'nothing to continue from'),
    ({'conditions': {**CONDITIONS, 'rounds': 3}, 'rows': {}}, "was begun with {'gpu': 'NVIDIA H0', 'rounds': 3, "),
    ({'conditions': CONDITIONS, 'rows': {'cifar_tf32': {'ours': []}}}, 'expected the sides'),
    ({'conditions': CONDITIONS, 'rows': {'inception': {}}}, 'of cifar_tf32 nothing is unfinished')])
def test_what_it_cannot_go_on_from(tmp_path, sides, capsys, content, message):
    kept, content = tmp_path / 'gpu.unfinished.json', content if content == '{' else json.dumps(content)
    kept.write_text(content)
    assert measure(tmp_path / 'gpu.json', 'cifar_tf32', goes_on=True) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and message in error and 'gpu.unfinished.json' in error
    assert kept.read_text() == content
