"""The benchmarks of several processes: their figures hang together."""
import json

from benchmarks import bench_processes, processes_equality
from tests.narrow import run, write_config

import numpy as np
import pytest


@pytest.mark.long
def test_speed(tmp_path, capsys):
    config, out = write_config(tmp_path, {'cpu_kernels': False}), tmp_path / 'processes.json'
    assert run(bench_processes.main, '--config', config, '--iterations', 2, '--rounds', 1, '--out', out) == 0
    record = json.loads(out.read_text())
    assert record['figures'] == json.loads(capsys.readouterr().out)
    one, each, parts, whole, together = record['figures'].values()
    assert one['images_per_second_against_one_process'] == 1
    assert each['peak_bytes'] > 1.5 * parts['peak_bytes'] > 10 ** 8
    for figures, n_images in ((each, 8), (parts, 8), (whole, 8), (together, 4)):
        assert figures['images_per_second_against_one_process'] == pytest.approx(
            n_images / 4 * one['seconds_per_iteration'] / figures['seconds_per_iteration'], rel=.05)


@pytest.mark.long
def test_equality(tmp_path, capsys):
    out = tmp_path / 'equality.json'
    assert run(processes_equality.main, '--processes', 2, '--iterations', 3, '--out', out) == 0
    record = json.loads(out.read_text())
    assert record == json.loads(capsys.readouterr().out)
    changed = record['change of one process since its first iteration']
    assert list(record['figures']) == ['2 processes', '2 parts']
    for figures in record['figures'].values():
        assert figures.keys() == changed.keys() and len(figures) == 5
        for name in ('generator', 'discriminator', 'discriminator, u', 'losses'):
            assert 0 <= figures[name] < 2e-5 < 1e-4 < changed[name]


@pytest.mark.parametrize('model, name, key', [
    ('generator', 'block2/c1/W', 'generator'), ('discriminator', 'block1/c1/b', 'discriminator'),
    ('discriminator', 'l5/u', 'discriminator, u'),
    ('generator', 'b5/avg_mean', 'generator, biases before batch normalization and the means of these')])
def test_differences(model, name, key):
    one = {model: {'block2/c1/b': np.ones(2), 'l5/W': np.ones(2), name: np.ones(2)}}
    other = {model: {**one[model], name: np.array([1., .5])}}
    found = processes_equality.differences(one, other)
    assert {name: value for name, value in found.items() if value} == {key: .5}
