"""What the benchmark of a GPU makes of its sides' answers, which are made up here."""
import json

from benchmarks import bench_gpu
from tests.narrow import run

import pytest

RUNS = []  # (row's precision, side) of each run


@pytest.fixture
def answers(monkeypatch):
    """{(row's precision, side): seconds of an iteration, or an error}; sides that are not in it take 2."""
    made_up = {}

    def run_side(side, row, args):
        RUNS.append((row[2], side))
        answer = made_up.get((row[2], side), 2.)
        if isinstance(answer, Exception):
            raise answer
        return {'seconds': [answer], 'captured': True}
    RUNS.clear()
    monkeypatch.setattr(bench_gpu, 'run_side', run_side)
    monkeypatch.setattr(bench_gpu, 'gpu', lambda: {'name': 'NVIDIA H0'})
    return made_up


def measure(out, *rows, goes_on=False, rounds=2):
    return run(bench_gpu.main, '--row', *rows, '--rounds', rounds, '--out', out, *['--continue'] * goes_on)


class CutOff(BaseException):
    """As a command that is killed."""


def test_ratios(tmp_path, answers):
    answers['tf32', 'ours'] = .5
    answers['tf32', 'torch compiled'] = ValueError('no compiler')
    assert measure(tmp_path / 'gpu.json', 'cifar_tf32') == 0
    row = json.loads((tmp_path / 'gpu.json').read_text())['cifar_tf32']
    assert row['ratios'] == {'torch eager': 4., 'torch graphed': 4., 'chainer': 4.}
    assert row['runs']['torch compiled'] == [{'error': 'no compiler'}] * 2


def test_a_row_that_fails_leaves_the_others(tmp_path, answers, capsys):
    answers['bfloat16', 'ours'] = ValueError('ours: out of memory')
    assert measure(tmp_path / 'gpu.json', 'cifar_bfloat16', 'cifar_tf32') == 2
    assert set(json.loads((tmp_path / 'gpu.json').read_text())) == {'cifar_tf32'}
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == 'cifar_bfloat16: ours: out of memory' and errors[-1].endswith('not measured: cifar_bfloat16')


@pytest.mark.parametrize('n_runs', range(1, 13))
def test_goes_on_where_it_was_cut_off(tmp_path, answers, capsys, monkeypatch, n_runs):
    """Every run is made once, in the order of a command that is not cut off, and the results are its results."""
    out = tmp_path / 'gpu.json'
    out.write_text('{"inception": {"ratios": {}}}')
    rows = 'cifar_bfloat16', 'sn_share_cifar'
    assert measure(tmp_path / 'whole.json', *rows) == 0
    whole, expected = [*RUNS], json.loads((tmp_path / 'whole.json').read_text())
    assert len(whole) == 2 * 4 + 2 * 2

    RUNS.clear()
    complete = bench_gpu.run_side
    monkeypatch.setattr(bench_gpu, 'run_side', lambda *args: cut_off(n_runs, complete, *args))
    if n_runs < len(whole):
        with pytest.raises(CutOff):
            measure(out, *rows)
        monkeypatch.setattr(bench_gpu, 'run_side', complete)
        assert measure(out, *bench_gpu.ROWS, goes_on=True) == 0
    else:
        assert measure(out, *rows) == 0
    assert RUNS == whole
    assert json.loads(out.read_text()) == {'inception': {'ratios': {}}, **expected}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['gpu.json', 'whole.json']
    capsys.readouterr()
    assert measure(out, *rows, goes_on=True) == 2
    assert capsys.readouterr().err.strip().endswith('gpu.unfinished.json is missing')
    assert json.loads(out.read_text()) == {'inception': {'ratios': {}}, **expected}


def cut_off(n_runs, run_side, *args):
    if len(RUNS) == n_runs:
        raise CutOff
    return run_side(*args)


def test_a_row_that_failed_is_gone_on_with(tmp_path, answers):
    answers['bfloat16', 'ours'] = ValueError('ours: out of memory')
    out = tmp_path / 'gpu.json'
    assert measure(out, 'cifar_bfloat16', 'cifar_tf32') == 2
    answers['bfloat16', 'ours'] = 1.
    RUNS.clear()
    assert measure(out, *bench_gpu.ROWS, goes_on=True) == 0
    assert {precision for precision, _ in RUNS} == {'bfloat16'}
    assert set(json.loads(out.read_text())) == {'cifar_bfloat16', 'cifar_tf32'}


def test_begins_anew_without_being_told_to_go_on(tmp_path, answers):
    answers['tf32', 'ours'] = ValueError('ours: out of memory')
    assert measure(tmp_path / 'gpu.json', 'cifar_tf32', 'uncaptured_cifar') == 2
    answers.clear()
    RUNS.clear()
    assert measure(tmp_path / 'gpu.json', 'uncaptured_cifar') == 0
    assert len(RUNS) == 4 and [path.name for path in tmp_path.iterdir()] == ['gpu.json']


@pytest.mark.parametrize('content, message', [
    (None, 'rounds'), ('{', 'nothing to continue from'), ('[]', 'nothing to continue from'),
    ('{"rows": {}}', "KeyError('conditions')"), ('{"conditions": {}, "rows": []}', 'nothing to continue from'),
    ('sides', 'expected the sides'), ('others', 'of cifar_tf32 nothing is unfinished')], ids=str)
def test_what_it_cannot_go_on_from(tmp_path, answers, capsys, content, message):
    answers['tf32', 'ours'] = ValueError('ours: out of memory')
    out, kept = tmp_path / 'gpu.json', tmp_path / 'gpu.unfinished.json'
    assert measure(out, 'cifar_tf32') == 2
    capsys.readouterr()
    if content in ('sides', 'others'):
        held = json.loads(kept.read_text())
        held['rows'] = {'cifar_tf32': {'ours': []}} if content == 'sides' else {'inception': {}}
        content = json.dumps(held)
    if content is not None:
        kept.write_text(content)
    before = kept.read_text()
    assert measure(out, 'cifar_tf32', goes_on=True, rounds=3 if content is None else 2) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and message in error and 'gpu.unfinished.json' in error
    assert kept.read_text() == before
