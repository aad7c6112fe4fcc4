"""cuDNN itself plans the convolutions of the paper's networks and of Inception, for a GPU that need not be here.

It does so in a program of its own, this file, as what that loads must not stay with the tests. A library stands in for
the driver, which cuDNN's library links to but does not call while it plans.
"""
import ctypes
import importlib.util
import json
import shutil
import sys

from source.kernels.cuda import convolution_plans
from source.kernels.cuda.convolution_plans import Problem
from source.kernels.cuda.cudnn_library import frontend
from tests import children

import pytest

STAND_IN = ''.join(f'int {name}(void) {{ return 100; }}\n' for name in (
    'cuGetErrorString', 'cuModuleGetFunction', 'cuModuleLoadData', 'cuModuleUnload', 'cuTensorMapEncodeIm2col',
    'cuTensorMapEncodeTiled'))  # 100: no device
H200 = {
    'version': 1, 'deviceId': 0, 'cudaDeviceId': 0, 'driverVer': 13000, 'cudaVersion': 13000,
    'maxGridSize': [2 ** 31 - 1, 65535, 65535], 'maxBlockSize': [1024, 1024, 64], 'regsPerBlock': 65536,
    'smCountOrigin': 0, 'warpSize': 32, 'maxSharedMemoryPerBlock': 49152, 'oversizedSharedMemoryPerBlock': 0,
    'reservedSharedMemoryPerBlock': 1024, 'maxRegistersPerSM': 65536, 'maxCtasPerSM': 32, 'maxThreadsPerBlock': 1024,
    'maxThreadsPerSM': 2048, 'pciDeviceId': 0, 'isTccDriver': 0, 'supportCoopLaunch': 1, 'totalGlobalMem': 80 << 30,
    'deviceName': 'NVIDIA H200', 'deviceVer': 900, 'multiProcessorCount': 132, 'maxSharedMemoryPerBlockOptin': 232448,
    'smClockRateKHz': 1980000, 'memClockRateKHz': 3201000, 'memoryBusWidth': 6144, 'l2CacheSize': 62914560,
    'maxSharedMemoryPerSM': 233472}
A100 = {**H200, 'deviceName': 'NVIDIA A100-SXM4-80GB', 'deviceVer': 800, 'multiProcessorCount': 108,
        'maxSharedMemoryPerBlockOptin': 166912, 'smClockRateKHz': 1410000, 'memClockRateKHz': 1593000,
        'memoryBusWidth': 5120, 'l2CacheSize': 41943040, 'maxSharedMemoryPerSM': 167936}
# (size of the image, its channels, those of the result, kernel, stride): at the ends of the networks and between
LAYERS = [(32, 3, 128, 3, 1), (32, 128, 128, 3, 1), (8, 128, 128, 3, 1), (4, 256, 256, 4, 2), (32, 256, 256, 4, 2),
          (32, 256, 3, 3, 1), (128, 64, 3, 3, 1), (128, 3, 64, 4, 2), (64, 64, 128, 1, 1), (8, 1024, 1024, 4, 2)]
COMPILER = shutil.which('cc') or shutil.which('gcc')
MISSING = not COMPILER or any(importlib.util.find_spec(name) is None for name in ('cudnn', 'nvidia', 'nvidia.cudnn'))


@pytest.mark.skipif(MISSING, reason='needs a C compiler and the wheels nvidia-cudnn-frontend and nvidia-cudnn-cu13')
@pytest.mark.long
def test_every_kind_of_the_networks(tmp_path):
    """Strict float32 keeps a few plans of TF32's many, none of them its first choice; bias and ReLU can be joined."""
    problems = [Problem('fprop', (100, 17, 17, 768), (100, 17, 17, 192), (1, 7), 1, (0, 3), dtype, True, True, relu)
                for dtype in ('float32', 'bfloat16') for relu in (False, True)]
    for dtype, tf32, multiple in (('float32', True, 4), ('float32', False, 1), ('bfloat16', False, 8)):
        for size, *channels, k, stride in LAYERS:
            c_in, c_out = (-(-n // multiple) * multiple for n in channels)
            shapes = (128, size, size, c_in), (128, *[size // stride] * 2, c_out), (k, k)
            problems += [Problem(kind, *shapes, stride, ((k - 1) // 2,) * 2, dtype, tf32, has_bias)
                         for kind, has_bias in (('fprop', False), ('fprop', True), ('dgrad', False), ('wgrad', False))]
    library, code, asked = (tmp_path / name for name in ('libcuda.so.1', 'stand_in.c', 'problems.json'))
    code.write_text(STAND_IN)
    asked.write_text(json.dumps(problems))
    status, _, errors = children.run(COMPILER, '-shared', '-fPIC', '-Wl,-soname,libcuda.so.1', '-o', library, code)
    assert status == 0, errors
    with asked.open() as stdin:
        status, output, errors = children.python('-m', __spec__.name, library, stdin=stdin, cwd=children.ROOT)
    assert status == 0, errors[-3000:]
    answers = dict(zip(problems, json.loads(output), strict=True))
    for problem, of_gpus in answers.items():
        for n_left, _, workspace in of_gpus:
            assert n_left > 0 and workspace <= convolution_plans.MOST_WORKSPACE, problem
    tf32 = Problem('fprop', (128, 32, 32, 128), (128, 32, 32, 128), (3, 3), 1, (1, 1), 'float32', True)
    for of_tf32, strict in zip(answers[tf32], answers[tf32._replace(tf32=False)], strict=True):
        assert strict[0] < of_tf32[0] and strict[1] != of_tf32[1]


def plan(problem, gpu):
    """(number of plans that are left, the first one's name, its workspace) of a Problem."""
    properties = frontend().create_device_properties(json.dumps(gpu))
    graph = convolution_plans.operation_graph(problem, device_property=properties)
    plans = [convolution_plans._built(graph, i) for i in range(convolution_plans.propose_plans(graph, problem))]
    left = [plan for plan in plans if plan]
    return len(left), left[0].name if left else None, left[0].workspace_bytes if left else None


if __name__ == '__main__':
    ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
    asked = [Problem(*(tuple(v) if isinstance(v, list) else v for v in fields)) for fields in json.load(sys.stdin)]
    json.dump([[plan(problem, gpu) for gpu in (H200, A100)] for problem in asked], sys.stdout)
