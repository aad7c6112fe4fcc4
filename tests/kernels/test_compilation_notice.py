"""It is said, once, that kernels are compiled, and not where they are read from a cache."""
from source.kernels import compilation_notice
from source.kernels.compilation_notice import NOTICE
from tests import children

import pytest

PROGRAM = '''
import source
import numpy as np
from source.kernels.switch import kernels
x = np.zeros((2, 4), np.float32)
assert kernels('l1_distances.of_float32', x)
'''


def test_of_the_cpus_kernels(tmp_path):
    for expected in (f'{NOTICE}\n', ''):
        status, _, stderr = children.python('-c', PROGRAM, env={'NUMBA_CACHE_DIR': str(tmp_path), 'SNGAN_KERNELS': '1'})
        assert (status, stderr) == (0, expected)


@pytest.mark.parametrize('content, expected', [(None, 1), ('', 1), ('a.cubin', 0)])
def test_of_the_gpus(tmp_path, monkeypatch, capsys, content, expected):
    folder = tmp_path / 'cache'
    if content is not None:
        folder.mkdir()
    if content:
        (folder / content).touch()
    monkeypatch.setenv('CUPY_CACHE_DIR', str(folder))
    compilation_notice.tell_of_gpu_compilation.cache_clear()
    for _ in range(2):
        compilation_notice.tell_of_gpu_compilation()
    assert capsys.readouterr().err == f'{NOTICE}\n' * expected
