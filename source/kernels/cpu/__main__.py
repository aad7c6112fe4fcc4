"""Compiles the CPU kernels into numba's cache, so that the first training need not:

    python -m source.kernels.cpu

A kernel is compiled when its module is imported. Half of the work is one module's, so two processes share it.
"""
import importlib
import subprocess
import sys
from pathlib import Path

LARGEST = 'winograd'
NEED_THE_LARGEST = 'tiling', 'convolution'


def main():
    other = subprocess.Popen([sys.executable, '-c', f'import source, {__package__}.{LARGEST}'])
    names = sorted(path.stem for path in Path(__file__).parent.glob('[!_]*.py'))
    for name in names:
        if name not in (LARGEST, *NEED_THE_LARGEST):
            importlib.import_module(f'{__package__}.{name}')
    sys.exit(other.wait())


if __name__ == '__main__':
    main()
