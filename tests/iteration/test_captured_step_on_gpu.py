"""The captured step on a GPU: bits of the uncaptured one, determinism, memory, and the CPU's numbers."""
from source.results_folder.snapshots import _deserialize
from tests.gpu_road import CNN, NETWORKS, Floats, build_updater, configured, parameters, run, run_alike, state_of

import numpy as np
import pytest

pytestmark = pytest.mark.gpu
RESNET = {**NETWORKS['resnet_32'], 'models.generator.args.ch': 32, 'models.discriminator.args.ch': 32}
WIDE_CNN = {**CNN, 'models.generator.args.ch': 8, 'models.discriminator.args.ch': 8}


@pytest.mark.parametrize('changes', [
    RESNET, WIDE_CNN, {**RESNET, 'updater.args.augmentation': 'color,translation,cutout'},
    {**RESNET, 'accumulate': 3}], ids=['resnet_32', 'cnn_32', 'augmentation', 'parts'])
@pytest.mark.parametrize('precision', ['float32', 'tf32', 'bfloat16'])
def test_captured_and_uncaptured_and_once_more(tmp_path, changes, precision):
    with configured(precision=precision):
        captured, again, plain = (build_updater(tmp_path, {**changes, 'capture': capture}, device='@cupy:0')
                                  for capture in (True, True, False))
        run_alike(captured, again, 12)
        run(plain, 12)
        run_alike(captured, plain, 1)
        assert captured._captured.is_captured and not plain._captured.is_captured


def test_resume(tmp_path):
    updater, resumed = (build_updater(tmp_path, RESNET, device='@cupy:0') for _ in range(2))
    run(updater, 4)
    _deserialize('test', state_of(updater), resumed)
    run_alike(resumed, updater, 5)


@pytest.mark.parametrize('changes', NETWORKS.values(), ids=NETWORKS)
def test_ten_iterations_against_the_cpu(tmp_path, changes):
    results = []
    for device in ('@numpy', '@cupy:0'):
        with configured(precision='float32', cpu_kernels=False):
            updater = build_updater(tmp_path, changes, Floats, device)
            run(updater, 10)
        results.append(parameters(updater))
    on_cpu, on_gpu = results
    differences = [np.abs(on_gpu[name] - on_cpu[name]) for name in on_cpu]
    assert max(difference.max() for difference in differences) < 1.2e-3
    assert max(difference.mean() for difference in differences) < 1e-4


def test_memory_is_flat(tmp_path):
    import cupy
    updater = build_updater(tmp_path, RESNET, device='@cupy:0')
    free = []
    for iterations in (20, 2000):
        run(updater, iterations)
        cupy.cuda.Device().synchronize()
        free.append(cupy.cuda.runtime.memGetInfo()[0])
    assert free[0] - free[1] < 1 << 20
