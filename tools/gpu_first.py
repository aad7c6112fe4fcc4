"""A first run on a machine with a GPU, in under nine minutes and without a network: is it right, and how fast?

    make gpu-first OUT=folder WHEELS=folder

Each part has a time limit and a log of its own in OUT; one that fails or runs out of time leaves the others. Packages
that the machine's Python lacks are installed from WHEELS (default: .whl), where that folder exists, for this run alone.
Exits with 0 where every part passed, else with 1.
"""
import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GRACE = 15  # seconds to end in, after SIGINT: pytest then still says what failed

VERSIONS = '''
import importlib.metadata as metadata, sys
import cupy, numpy
from source.kernels.cuda.cudnn_library import frontend
names = 'numpy', 'scipy', 'h5py', 'chainer', 'cupy-cuda13x', 'nvidia-cudnn-frontend', 'numba', 'torch', 'pytest'
print('python', sys.version.split()[0], 'cuDNN', frontend().backend_version())
for distribution in metadata.distributions():
    if distribution.name in names:
        print(distribution.name, distribution.version)
print(cupy.cuda.runtime.getDeviceProperties(0)['name'].decode())
a = numpy.random.RandomState(0).normal(size=(512, 512))
numpy.testing.assert_allclose(cupy.asarray(a).dot(cupy.asarray(a)).get(), a @ a, atol=1e-9)
'''


def parts(out):
    """(name, seconds it may take, arguments of Python) in the order of what must hold first."""
    tests = ['-m', 'pytest', '-m', 'gpu', '-W', 'default', '-p', 'no:cacheprovider', '--maxfail=25', '--tb=short',
             '--durations=8', '-q']
    parallel = ['-n', '8'] if importlib.util.find_spec('xdist') else []
    profile = ['-W', 'ignore', 'benchmarks/profile_gpu.py', '--network']
    return [
        ('versions', 30, ['-c', VERSIONS]),
        ('kernels', 70, [*tests, *parallel, 'tests/kernels', '--deselect', 'tests/kernels/cuda/test_convolution.py']),
        ('convolutions', 60, [*tests, *parallel, 'tests/kernels/cuda/test_convolution.py']),
        ('captured', 70, [*tests, 'tests/iteration/test_captured_step_on_gpu.py']),
        ('others', 70, [*tests, *parallel, 'tests', '--ignore=tests/kernels',
                        '--ignore=tests/iteration/test_captured_step_on_gpu.py']),
        ('profile_cifar', 40, [*profile, 'cifar', '--out', out / 'profile_cifar.json']),
        ('profile_imagenet', 110, [*profile, 'imagenet', '--out', out / 'profile_imagenet.json']),
        ('bench', 60, ['-W', 'ignore', 'benchmarks/bench_gpu.py', '--row', 'uncaptured_cifar', 'sn_share_cifar',
                       '--rounds', '1', '--blocks', '3', '--out', out / 'gpu.json']),
    ]


def run_part(arguments, limit, log, environment):
    """What became of it: 'passed', 'failed' or 'out of time'."""
    with log.open('w') as file:
        child = subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, env=environment, stdout=file,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            return 'failed' if child.wait(limit) else 'passed'
        except subprocess.TimeoutExpired:
            return 'out of time'
        finally:
            end(child)


def end(child):
    """Also what the child has started and left behind."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def last_line(log):
    lines = [line.strip() for line in log.read_text(errors='replace').splitlines() if line.strip()]
    return lines[-1][:150] if lines else '(no output)'


def environment_of(folder, wheels):
    """Caches that nobody else has touched, and the wheels' packages."""
    paths = [str(ROOT)]
    found = sorted(Path(wheels).glob('*.whl'))
    if found:
        subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', '--no-compile',
                        '--target', folder / 'packages', *found], check=True)  # pip says what does not fit
        paths.append(str(folder / 'packages'))
    paths += filter(None, [os.environ.get('PYTHONPATH')])
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'SNGAN_CACHE': str(folder / 'sngan'),
            'CUPY_CACHE_DIR': str(folder / 'cupy'), 'PYTHONUNBUFFERED': '1', 'PYTHONDONTWRITEBYTECODE': '1',
            # Several processes compute twins at once.
            **dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'), '2')}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, required=True, metavar='FOLDER', help='where logs and figures go')
    parser.add_argument('--wheels', type=Path, default=ROOT / '.whl', metavar='FOLDER',
                        help='folder with packages to install for this run (default: .whl)')
    args = parser.parse_args()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix='gpu_first'))
    try:
        environment, states = environment_of(folder, args.wheels), []
        for name, limit, arguments in parts(out):
            start, log = time.perf_counter(), out / f'{name}.txt'
            states.append(run_part(arguments, limit, log, environment))
            print(f'{name}: {states[-1]} after {time.perf_counter() - start:.0f} of {limit} s: {last_line(log)}',
                  flush=True)
            if states == ['failed']:  # what all others need is missing
                break
    except subprocess.CalledProcessError:
        print(f'gpu-first: not installed: {", ".join(map(str, sorted(args.wheels.glob("*.whl"))))}', file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f'logs: {out}')
    return int(any(state != 'passed' for state in states))


if __name__ == '__main__':
    sys.exit(main())
