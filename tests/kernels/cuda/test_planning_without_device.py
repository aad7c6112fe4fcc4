"""cuDNN itself plans every convolution of the paper's networks, for GPUs that need not be here."""
import importlib.util
import json
import shutil
import subprocess
import sys

from source.kernels.cuda import convolution_plans
from tests.kernels.cuda.planning_without_device import GPUS, STAND_IN
from tests.kernels.cuda.recorded_problems import NETWORKS, problems

import ml_dtypes
import numpy as np
import pytest

PRECISIONS = {'tf32': np.float32, 'float32': np.float32, 'bfloat16': ml_dtypes.bfloat16}


def missing():
    if importlib.util.find_spec('cudnn') is None:
        return 'needs the wheel nvidia-cudnn-frontend'
    spec = importlib.util.find_spec('nvidia')
    if spec is None or importlib.util.find_spec('nvidia.cudnn') is None:
        return 'needs the wheel nvidia-cudnn-cu13 or nvidia-cudnn-cu12'
    return None if shutil.which('cc') or shutil.which('gcc') else 'needs a C compiler'


pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def planned(asked, folder):
    """[{GPU: (proposed, left, name, workspace)}] of Problems."""
    library, code = folder / 'libcuda.so.1', folder / 'stand_in.c'
    code.write_text(STAND_IN)
    subprocess.run([shutil.which('cc') or shutil.which('gcc'), '-shared', '-fPIC', '-Wl,-soname,libcuda.so.1', '-o',
                    library, code], check=True)
    run = subprocess.run([sys.executable, '-m', 'tests.kernels.cuda.planning_without_device', library],
                         input=json.dumps(asked), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


def of_network(network, precision):
    """Every Problem of an iteration with 64 real and 64 or 128 generated images."""
    found = [problems(network, part, size, PRECISIONS[precision], precision)
             for part in ('gen', 'dis') for size in (64, 128)]
    return sorted({problem for by_pass in found for of_pass in by_pass.values() for problem in of_pass})


@pytest.mark.slow
@pytest.mark.parametrize('precision', PRECISIONS)
@pytest.mark.parametrize('network', NETWORKS)
def test_every_convolution_of_the_papers_networks(network, precision, tmp_path):
    asked = of_network(network, precision)
    largest = 0
    for problem, answers in zip(asked, planned(asked, tmp_path), strict=True):
        for gpu, (n_proposed, n_left, _, workspace) in answers.items():
            assert n_left > 0, f'{gpu}: none of {n_proposed} plans is left: {problem}'
            assert workspace <= convolution_plans.MOST_WORKSPACE
            largest = max(largest, workspace)
    print(f'{network}, {precision}: {len(asked)} problems, first plans\' largest workspace {largest >> 20} MiB')


def test_tf32_is_barred_by_the_note_of_tensor_cores(tmp_path):
    """Strict float32 keeps a few plans of the many, none of them TF32's first choice."""
    tf32 = convolution_plans.Problem('fprop', (64, 32, 32, 128), (64, 32, 32, 128), (3, 3), 1, (1, 1), 'float32', True)
    answers = planned([tf32, tf32._replace(tf32=False)], tmp_path)
    for gpu in GPUS:
        (_, n_tf32, first_tf32, _), (_, n_strict, first_strict, _) = (answer[gpu] for answer in answers)
        assert 0 < n_strict < n_tf32 and first_strict != first_tf32


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('relu', [False, True])
def test_bias_and_relu_are_joined_with_a_convolution(dtype, relu, tmp_path):
    problem = convolution_plans.Problem('fprop', (100, 17, 17, 768), (100, 17, 17, 192), (1, 7), 1, (0, 3), dtype, True,
                                        True, relu)
    answer, = planned([problem], tmp_path)
    assert all(n_left > 0 for _, n_left, _, _ in answer.values())
