"""The benchmark's figures hang together; what is compared computes the same, tests/inception shows."""
import importlib.util
import json

from benchmarks import bench_inception
from tests.narrow import run

import pytest

HAS_ORACLE = all(importlib.util.find_spec(name) is not None for name in ('torch', 'torch_fidelity'))
needs_oracle = pytest.mark.skipif(not HAS_ORACLE, reason='needs PyTorch and torch-fidelity')


def made_up(side, module, request, threads, python):
    assert (module, request, threads) == ('inception_ours', {
        'cpu_kernels': side == 'ours', 'size': 32, 'batchsize': 2, 'seconds': 0., 'at_least': 3}, 2)
    first = .25 if side == 'ours' else .5
    return {'seconds': [first, 9., 2 * first], 'peak_bytes': 2 ** 28, 'versions': {'numpy': '2'}}


@pytest.mark.parametrize('peer, answers', [
    ('chainer', made_up), pytest.param('chainer', bench_inception.run_peer, marks=pytest.mark.long),
    pytest.param('torch-fidelity', bench_inception.run_peer, marks=[pytest.mark.long, needs_oracle])])
def test_figures(peer, answers, tmp_path, capsys, monkeypatch):
    """Of answers that are made up, or measured."""
    monkeypatch.setattr(bench_inception, 'run_peer', answers)
    out = tmp_path / 'results' / 'inception_cpu.json'
    assert run(bench_inception.main, '--peer', peer, '--batchsize', 2, '--rounds', 1, '--seconds', 0, '--out', out) == 0
    result = json.loads(out.read_text())
    assert set(result['figures']) == set(result['versions']) == {'ours', peer}
    for figures in result['figures'].values():
        batches = figures['runs'][0]['batches']
        assert len(batches) == bench_inception.AT_LEAST and 2 ** 27 < figures['peak_bytes'] < 2 ** 33
        assert figures['images_per_second'] == pytest.approx(2 / sorted(batches)[1], rel=1e-2)
    ours, its = (result['figures'][side]['images_per_second'] for side in ('ours', peer))
    assert result['against'][peer]['speed_ratio'] == pytest.approx(ours / its)
    assert '/' not in result['command'].removeprefix('python benchmarks/bench_inception.py')
    assert f'ours {ours:.1f} images/s, {peer} {its:.1f}:' in capsys.readouterr().out
