"""Every CUDA source compiles for the GPUs of 2020 (A100) and 2022 (H100, H200), without a GPU or a driver."""
import ctypes
import functools
import importlib.util
import platform
import re
from pathlib import Path

from source.kernels.cuda.launching import cuda_source
from source.kernels.power_iteration import cuda_source as power_iteration_source
from tests.kernels.cuda import sources

import pytest

ON_LINUX = platform.system() == 'Linux' and platform.machine() == 'x86_64'
pytestmark = pytest.mark.skipif(not ON_LINUX, reason='the extra `dev` has NVRTC for Linux on x86-64 alone')
ARCHS = [pytest.param('sm_80', marks=pytest.mark.long), 'sm_90']


@functools.cache
def library():
    """NVRTC, or None where the wheel is not installed."""
    spec = importlib.util.find_spec('nvidia')
    paths = [path for folder in (spec.submodule_search_locations if spec else ())
             for path in sorted(Path(folder).rglob('libnvrtc*'))
             if re.fullmatch(r'libnvrtc(-builtins)?\.so\.[\d.]+', path.name)]
    if not paths:
        return None
    ctypes.CDLL(str(paths[0]))  # the builtins; NVRTC looks for them among what is loaded
    return ctypes.CDLL(str(paths[1]))


def compiled(source, arch, name='kernels.cu'):
    """The machine code (ELF) of `source` for 'sm_80' or the like, without a warning and without spilled registers."""
    nvrtc, program = library(), ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None, None) == 0
    options = [f'--gpu-architecture={arch}'.encode(), b'--std=c++17', b'-ftz=true',  # as CuPy compiles
               b'--ptxas-options=-v']
    status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    log = read(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).rstrip(b'\0').decode().strip()
    lines = [line for line in log.splitlines() if not line.startswith('ptxas') or ' bytes spill' in line]
    faults = [line for line in lines if line and ' 0 bytes spill stores, 0 bytes spill loads' not in line]
    assert status == 0 and not faults, '\n'.join([f'NVRTC for {arch}:', *faults])
    return read(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)


def read(size_of, get, program):
    size = ctypes.c_size_t()
    assert size_of(program, ctypes.byref(size)) == 0
    text = ctypes.create_string_buffer(size.value)
    assert get(program, text) == 0
    return text.raw


def test_nvrtc_is_installed():
    assert library() is not None, 'nvidia-cuda-nvrtc is missing: pip install -c constraints.txt -e ".[dev]"'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('file', sources.FILES)
def test_compiles(file, arch):
    for variant in sources.variants(file):
        text = cuda_source(*variant)
        machine_code = compiled(text, arch, f'{file}.cu')
        kernels = re.findall(r'__global__\s+void\s+(\w+)', text)
        assert kernels
        for kernel in kernels:
            assert f'.text.{kernel}\0'.encode() in machine_code, f'{kernel} of {variant} is missing'


@pytest.mark.parametrize('arch', ARCHS)
@pytest.mark.parametrize('dtype', ['f', 'd'])
def test_power_iteration_compiles(dtype, arch):
    assert b'.text.columns_dot\0' in compiled(power_iteration_source(dtype), arch)
