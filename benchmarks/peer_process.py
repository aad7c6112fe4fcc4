"""One run of a side in a process of its own: a request in JSON goes in, an answer in JSON comes out."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_peer(side, module, request, threads, torch_python, limit=None):
    """What `benchmarks.peers.<module>` answers to a request, its libraries limited to `threads`.

    Modules of PyTorch run in the interpreter `torch_python`, others in this one. Raises ValueError, naming the side,
    with the last line of what went wrong, or where it takes longer than `limit` seconds.
    """
    python = torch_python if 'torch' in module else sys.executable
    limits = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS'),
                           str(threads))
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'))))
    with tempfile.TemporaryFile('w+') as output, tempfile.TemporaryFile('w+') as errors:
        # Files, and a session of its own: compilers leave workers that would keep pipes open.
        child = subprocess.Popen([python, '-m', f'benchmarks.peers.{module}'], text=True, start_new_session=True,
                                 stdin=subprocess.PIPE, stdout=output, stderr=errors,
                                 env={**os.environ, **limits, 'PYTHONPATH': path})
        try:
            child.communicate(json.dumps({**request, 'threads': threads}), limit)
        except subprocess.TimeoutExpired:
            raise ValueError(f'{side}: took longer than {limit} s') from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        output.seek(0)
        errors.seek(0)
        output, errors = output.read(), errors.read()
    if child.returncode:
        why = errors.strip().splitlines()[-1:] or [f'exit status {child.returncode}']
        raise ValueError(f'{side}: {python} -m benchmarks.peers.{module}: {why[0]}')
    return json.loads(output.splitlines()[-1])
