"""The benchmark trains both kinds alike, on the first images of each class, and goes on where it ended."""
import json

from benchmarks import bench_augmentation
from source.datasets.digits import DigitsDataset
from tests.narrow import run

import numpy as np
import pytest

SHORT = ['--arms', 'none', 'color,translation,cutout', '--size', 16, '--iterations', 2, '--every', 1, '--ch', 2,
         '--batchsize', 4, '--n_images', 100, '--rounds', 1]


@pytest.mark.long
def test_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench_augmentation, 'cost', lambda policies, rounds: {'with': 3., 'without': 2., 'ratio': 1.5})
    out = tmp_path / 'results' / 'augmentation.json'
    for seeds in ([0], [0, 1]):
        assert run(bench_augmentation.main, *SHORT, '--seeds', *seeds, '--sheets', tmp_path, '--out', out) == 0
    runs, stdout = json.loads(out.read_text())['runs'], capsys.readouterr().out
    assert [(arm, *its) for arm, its in runs.items()] == [
        (arm, '0', '1') for arm in ('none', 'color,translation,cutout')]
    for arm in runs:
        assert stdout.count(f'{arm}, seed 0: ') == stdout.count(f'{arm}, seed 1: ') == 1
        assert (tmp_path / f'{arm}_1.png').exists()
    one, other = (its['0']['2'] for its in runs.values())
    assert one.keys() == other.keys() == {'fid', 'is_mean', 'recognized'} and one != other
    *_, mean, _, _, _, cost = stdout.splitlines()
    assert mean.split()[:4] == ['none', 'mean', *(
        f'{np.mean([its[i]["fid"] for its in runs["none"].values()]):.1f}' for i in '12')]
    assert cost == 'color,translation,cutout: 3.0 CPU s an iteration, 2.0 without; ratio 1.5'
    assert run(bench_augmentation.main, *SHORT, '--ch', 3, '--out', out) == 2
    assert f'{out}: holds runs made with ' in capsys.readouterr().err


def test_first_of_each():
    digits = DigitsDataset(size=8)
    few = bench_augmentation.first_of_each(digits, 3)
    for y in range(10):
        np.testing.assert_array_equal(digits.ims[digits.labels == y][:3], few.ims[few.labels == y])


@pytest.mark.parametrize('arguments, message', [
    (['--iterations', 0], '--iterations: expected at least 1, found 0'),
    (['--arms', 'none', 'flip'], 'augmentation: expected a list of color, translation, cutout, each once at most')])
def test_bad_arguments(arguments, message, capsys):
    assert run(bench_augmentation.main, *arguments) == 2
    assert message in capsys.readouterr().err
