"""Every CUDA source compiles for the GPUs of 2020 (A100) and 2022 (H100, H200), without a GPU or a driver."""
import platform
import re

from source.kernels.cuda.launching import cuda_source
from source.kernels.power_iteration import cuda_source as power_iteration_source
from tests.kernels.cuda import nvrtc, sources

import pytest

ON_LINUX = platform.system() == 'Linux' and platform.machine() == 'x86_64'
pytestmark = pytest.mark.skipif(not ON_LINUX, reason='the extra `dev` has NVRTC for Linux on x86-64 alone')
ARCHS = [pytest.param('sm_80', marks=pytest.mark.long), 'sm_90']


def test_nvrtc_is_installed():
    assert nvrtc.library() is not None, 'nvidia-cuda-nvrtc is missing: pip install -c constraints.txt -e ".[dev]"'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('file', sources.FILES)
def test_compiles(file, arch):
    for variant in sources.variants(file):
        text = cuda_source(*variant)
        machine_code = nvrtc.compiled(text, arch, f'{file}.cu')
        kernels = re.findall(r'__global__\s+void\s+(\w+)', text)
        assert kernels
        for kernel in kernels:
            assert f'.text.{kernel}\0'.encode() in machine_code, f'{kernel} of {variant} is missing'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('dtype', ['f', 'd'])
def test_power_iteration_compiles(dtype, arch):
    assert b'.text.columns_dot\0' in nvrtc.compiled(power_iteration_source(dtype), arch)


@pytest.mark.parametrize('body, fault', [('*x = undefined_name;', 'undefined_name'), ('int unused; *x = 1;', 'unused')])
def test_faults_and_warnings_are_told(body, fault):
    with pytest.raises(RuntimeError, match=fault):
        nvrtc.compiled(f'extern "C" __global__ void f(int* x) {{ {body} }}', 'sm_90')
