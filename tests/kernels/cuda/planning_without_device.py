"""Has cuDNN plan convolutions for GPUs that are not here; a program, as what it loads must not stay with the tests.

    python -m tests.kernels.cuda.planning_without_device LIBCUDA < problems.json

LIBCUDA is a library that stands in for the driver, which cuDNN's library links to but does not call while it plans;
made from `STAND_IN`. Written to standard output: for each problem and GPU how many plans are proposed, how many
remain, the name of the first one that builds and its bytes of workspace.
"""
import ctypes
import json
import sys

from source.kernels.cuda import convolution_plans
from source.kernels.cuda.cudnn_library import frontend

STAND_IN = ''.join(f'int {name}(void) {{ return 100; }}\n' for name in (
    'cuGetErrorString', 'cuModuleGetFunction', 'cuModuleLoadData', 'cuModuleUnload', 'cuTensorMapEncodeIm2col',
    'cuTensorMapEncodeTiled'))  # 100: no device

_SHARED = {
    'version': 1, 'deviceId': 0, 'cudaDeviceId': 0, 'driverVer': 13000, 'cudaVersion': 13000,
    'maxGridSize': [2 ** 31 - 1, 65535, 65535], 'maxBlockSize': [1024, 1024, 64], 'regsPerBlock': 65536,
    'smCountOrigin': 0, 'warpSize': 32, 'maxSharedMemoryPerBlock': 49152, 'oversizedSharedMemoryPerBlock': 0,
    'reservedSharedMemoryPerBlock': 1024, 'maxRegistersPerSM': 65536, 'maxCtasPerSM': 32, 'maxThreadsPerBlock': 1024,
    'maxThreadsPerSM': 2048, 'pciDeviceId': 0, 'isTccDriver': 0, 'supportCoopLaunch': 1,
    'totalGlobalMem': 80 << 30}
GPUS = {
    'sm_90': {'deviceName': 'NVIDIA H200', 'deviceVer': 900, 'multiProcessorCount': 132,
              'maxSharedMemoryPerBlockOptin': 232448, 'smClockRateKHz': 1980000, 'memClockRateKHz': 3201000,
              'memoryBusWidth': 6144, 'l2CacheSize': 62914560, 'maxSharedMemoryPerSM': 233472},
    'sm_80': {'deviceName': 'NVIDIA A100-SXM4-80GB', 'deviceVer': 800, 'multiProcessorCount': 108,
              'maxSharedMemoryPerBlockOptin': 166912, 'smClockRateKHz': 1410000, 'memClockRateKHz': 1593000,
              'memoryBusWidth': 5120, 'l2CacheSize': 41943040, 'maxSharedMemoryPerSM': 167936},
}


def planned(problem, properties):
    """(plans proposed, plans left, first plan's name, its workspace) of a Problem."""
    graph = convolution_plans.operation_graph(problem, device_property=properties)
    n_plans = convolution_plans.propose_plans(graph, problem)
    names, workspace = [], None
    for index in range(n_plans):
        plan = convolution_plans._built(graph, index)
        if plan is not None:
            names.append(plan.name)
            workspace = plan.workspace_bytes if workspace is None else workspace
    return n_plans, len(names), names[0] if names else None, workspace


def main():
    ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
    gpus = {name: frontend().create_device_properties(json.dumps({**_SHARED, **gpu})) for name, gpu in GPUS.items()}
    problems = [convolution_plans.Problem(*(tuple(v) if isinstance(v, list) else v for v in fields))
                for fields in json.load(sys.stdin)]
    json.dump([{name: planned(problem, gpu) for name, gpu in gpus.items()} for problem in problems], sys.stdout)


if __name__ == '__main__':
    main()
