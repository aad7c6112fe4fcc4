"""Compiles CUDA C++ to machine code without a GPU or its driver, by the NVRTC of the wheel nvidia-cuda-nvrtc."""
import ctypes
import functools
import importlib.util
import re
from pathlib import Path


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
    """The machine code (ELF) of `source` for 'sm_80' or the like.

    Raises RuntimeError with the log, of warnings too, and where a kernel spills registers into memory.
    """
    nvrtc, program = library(), ctypes.c_void_p()
    _check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None, None))
    options = [f'--gpu-architecture={arch}'.encode(), b'--std=c++17', b'-ftz=true',  # as CuPy compiles
               b'--ptxas-options=-v']
    status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    log = _read(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).rstrip(b'\0').decode().strip()
    lines = log.splitlines()
    log = '\n'.join(line for line in lines if not line.startswith('ptxas') or ' bytes spill' in line)
    log = re.sub(r'ptxas.* 0 bytes spill stores, 0 bytes spill loads', '', log).strip()
    if status or log:
        raise RuntimeError(f'NVRTC for {arch}:\n{log}')
    return _read(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)


def _check(status):
    if status:
        raise RuntimeError(f'NVRTC: error {status}')


def _read(size_of, get, program):
    size = ctypes.c_size_t()
    _check(size_of(program, ctypes.byref(size)))
    text = ctypes.create_string_buffer(size.value)
    _check(get(program, text))
    return text.raw
