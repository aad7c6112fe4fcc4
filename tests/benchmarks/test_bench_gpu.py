"""What the benchmark of a GPU makes of its sides' answers, which are made up here."""
import json

from benchmarks import bench_gpu
from tests.narrow import run

import pytest


@pytest.fixture
def answers(monkeypatch):
    """{(row's precision, side): seconds of an iteration, or an error}; sides that are not in it take 2."""
    made_up = {}

    def run_side(side, row, args):
        answer = made_up.get((row[2], side), 2.)
        if isinstance(answer, Exception):
            raise answer
        return {'seconds': [answer], 'captured': True}
    monkeypatch.setattr(bench_gpu, 'run_side', run_side)
    monkeypatch.setattr(bench_gpu, 'gpu', lambda: {'name': 'NVIDIA H0'})
    return made_up


def measure(out, *rows):
    return run(bench_gpu.main, '--row', *rows, '--rounds', 2, '--out', out)


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
