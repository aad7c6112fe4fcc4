"""Print the extra of setup.py whose CuPy matches this machine's NVIDIA driver, or nothing: the Makefile asks.

Runs before anything is installed, so it uses the standard library alone.
"""
import subprocess
import sys


def gpu_extra(driver_version):
    """Return the extra for a driver such as '580.65.06'; '' for one too old for any.

    CUDA 13 needs driver 580, CUDA 12 driver 525 (CUDA Toolkit release notes, table 3).
    """
    branch = int(driver_version.split('.')[0])
    return 'gpu' if branch >= 580 else 'gpu-cuda12' if branch >= 525 else ''


def main():
    query = ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader']
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout.split()
        extra = gpu_extra(answer[0])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        return  # no driver, or none that works: the CPU
    print(extra)
    if not extra:
        print(f'NVIDIA driver {answer[0]} is older than 525, so CuPy is left out and the CPU is used', file=sys.stderr)


if __name__ == '__main__':
    main()
