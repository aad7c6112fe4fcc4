import json

from benchmarks import bench_processes
from tests.narrow import run, write_config

import pytest


def test_figures(tmp_path, capsys):
    config, out = write_config(tmp_path, {'cpu_kernels': False}), tmp_path / 'processes.json'
    assert run(bench_processes.main, '--config', config, '--iterations', 2, '--rounds', 1, '--out', out) == 0
    record = json.loads(out.read_text())
    assert record['figures'] == json.loads(capsys.readouterr().out)
    one, each, together = record['figures'].values()
    assert one['images_per_second_against_one_process'] == 1
    for figures, n_images in ((each, 8), (together, 4)):
        assert figures['images_per_second_against_one_process'] == pytest.approx(
            n_images / 4 * one['seconds_per_iteration'] / figures['seconds_per_iteration'], rel=.05)
