"""Every CUDA source compiles for the GPUs of 2020 (A100) and 2022 (H100, H200), without a GPU or a driver."""
import platform
import re

from source.kernels.power_iteration import cuda_source
from tests.kernels.cuda import nvrtc, sources

import pytest

ON_LINUX = platform.system() == 'Linux' and platform.machine() == 'x86_64'
pytestmark = pytest.mark.skipif(not ON_LINUX, reason='the extra `dev` has NVRTC for Linux on x86-64 alone')
ARCHS = ['sm_80', 'sm_90']


def test_nvrtc_is_installed():
    assert nvrtc.library() is not None, 'nvidia-cuda-nvrtc is missing: pip install -c constraints.txt -e ".[dev]"'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('file', sources.FILES)
def test_compiles(file, arch):
    for variant in sources.variants(file):
        text = sources.source(variant)
        machine_code = nvrtc.compiled(text, arch, f'{file}.cu')
        kernels = re.findall(r'__global__\s+void\s+(\w+)', text)
        assert kernels
        for kernel in kernels:
            assert f'.text.{kernel}\0'.encode() in machine_code, f'{kernel} of {variant} is missing'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('dtype', ['f', 'd'])
def test_power_iteration_compiles(dtype, arch):
    assert b'.text.columns_dot\0' in nvrtc.compiled(cuda_source(dtype), arch)


def test_faults_are_told():
    with pytest.raises(RuntimeError, match='undefined_name'):
        nvrtc.compiled('__global__ void f(int* x) { *x = undefined_name; }', 'sm_90')


def test_warnings_are_faults():
    with pytest.raises(RuntimeError, match='unused'):
        nvrtc.compiled('extern "C" __global__ void f(int* x) { int unused; *x = 1; }', 'sm_90')


def test_parameters_fit():
    """Those of tables too: 4 KB."""
    for table in sources._ONE_TABLE.values():
        assert table.dtype.itemsize + 8 * 8 <= 4096
