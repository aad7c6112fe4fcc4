"""Exits with 0 where CuPy finds a GPU; else says in one line why `make gpu-check` cannot run here, and exits with 2."""
import sys


def why_not():
    try:
        from source.command_line.devices import n_gpus
    except ImportError as error:
        return f'{sys.executable} lacks {error.name or error}'
    return None if n_gpus() else 'no GPU that CuPy can use'


if __name__ == '__main__':
    reason = why_not()
    if reason:
        print(f'gpu-check: {reason}; it needs an NVIDIA GPU, its driver and CuPy', file=sys.stderr)
        sys.exit(2)
