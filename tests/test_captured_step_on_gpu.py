"""The captured step on a GPU: bits of the uncaptured one, determinism, memory, and the CPU's numbers."""
import tests.test_kernels_in_training as cpu
from source.miscs.snapshots import _deserialize
from tests.gpu_road import Floats, assert_same, build_updater, configured, run, state_of

import numpy as np
import pytest

pytestmark = pytest.mark.gpu
NETWORKS = {'resnet_32': {**cpu.NETWORKS['resnet_32'], 'models.generator.args.ch': 32,
                          'models.discriminator.args.ch': 32},
            'cnn_32': {**cpu.CNN, 'models.generator.args.ch': 8, 'models.discriminator.args.ch': 8}}


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('precision', ['float32', 'tf32', 'bfloat16'])
def test_captured_and_uncaptured_and_once_more(tmp_path, network, precision):
    with configured(precision=precision):
        captured, again, plain = (build_updater(tmp_path, NETWORKS[network], device='@cupy:0') for _ in range(3))
        plain.capture = False
        losses = run(captured, 12)
        assert captured._captured.is_captured
        assert losses == run(again, 12) == run(plain, 12)
        assert not plain._captured.is_captured
        assert_same(state_of(captured), state_of(again))
        assert_same(state_of(captured), state_of(plain))


def test_resume(tmp_path):
    updater = build_updater(tmp_path, NETWORKS['resnet_32'], device='@cupy:0')
    run(updater, 4)
    saved = state_of(updater)
    losses = run(updater, 5)
    resumed = build_updater(tmp_path, NETWORKS['resnet_32'], device='@cupy:0')
    _deserialize('test', saved, resumed)
    assert run(resumed, 5) == losses
    assert_same(state_of(resumed), state_of(updater))


@pytest.mark.parametrize('network', cpu.NETWORKS)
def test_ten_iterations_against_the_cpu(tmp_path, network):
    results = []
    for device in ('@numpy', '@cupy:0'):
        with configured(precision='float32', cpu_kernels=False):
            updater = build_updater(tmp_path, cpu.NETWORKS[network], Floats, device)
            run(updater, 10)
        results.append({f'{model}{name}': np.array(param.array if device == '@numpy' else param.array.get())
                        for model, link in (('gen', updater.gen), ('dis', updater.dis))
                        for name, param in link.namedparams()})
    on_cpu, on_gpu = results
    differences = {name: np.abs(on_gpu[name] - on_cpu[name]) for name in on_cpu if cpu.is_compared(name)}
    assert max(difference.max() for difference in differences.values()) < 1.2e-3
    assert max(difference.mean() for difference in differences.values()) < 1e-4


def test_memory_is_flat(tmp_path):
    import cupy
    updater = build_updater(tmp_path, NETWORKS['resnet_32'], device='@cupy:0')
    run(updater, 20)
    used = []
    for _ in range(2):
        cupy.cuda.Device().synchronize()
        used.append(cupy.cuda.runtime.memGetInfo()[0])
        run(updater, 1000)
    cupy.cuda.Device().synchronize()
    used.append(cupy.cuda.runtime.memGetInfo()[0])
    assert used[0] - used[-1] < 1 << 20
