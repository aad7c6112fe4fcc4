"""The benchmark's figures hang together; what is read is held in tests/datasets."""
import json

from benchmarks import bench_data
from tests.narrow import run

import pytest


@pytest.mark.long
def test_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench_data, 'READS', {'crop 0.9, flip': bench_data.READS['crop 0.9, flip']})
    out = tmp_path / 'results' / 'data.json'
    assert run(bench_data.main, '--size', 16, '--n_images', 20, '--n_jpegs', 5, '--n_full', 200000, '--batchsize', 8,
               '--workers', 2, '--rounds', 1, '--seconds', .1, '--out', out) == 0
    result = json.loads(out.read_text())
    assert list(result['figures']) == [
        *(f'{kind}; crop 0.9, flip; 2 workers' for kind in bench_data.FORMATS),
        *(f'{kind}, 200000 images; crop 0.9, flip; 2 workers' for kind in ('packed', 'folder'))]
    for figures in result['figures'].values():
        assert figures['images_per_second'] == pytest.approx(
            figures['images_per_cpu_second'] * figures['cores_used'], rel=1e-2)
        assert 0 < figures['images_per_second'] < 1e7 and 2 ** 24 < figures['peak_bytes'] < 2 ** 32
    packed, folder = list(result['figures'].values())[-2:]
    assert packed['own_bytes_added'] < folder['own_bytes_added'] < 2 ** 28  # names of the one are in memory
    assert set(result['versions']) == {'python', 'numpy', 'pillow', 'h5py'}
    assert 'round 1, packed; crop 0.9, flip; 2 workers: ' in capsys.readouterr().out
