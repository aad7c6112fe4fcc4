"""One run of a side in a process of its own: a request in JSON goes in, an answer in JSON comes out."""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_peer(side, module, request, threads, torch_python):
    """What `benchmarks.peers.<module>` answers to a request, its libraries limited to `threads`.

    Modules of PyTorch run in the interpreter `torch_python`, others in this one. Raises ValueError, naming the side,
    with the last line of what went wrong.
    """
    python = torch_python if 'torch' in module else sys.executable
    limits = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS'),
                           str(threads))
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'))))
    child = subprocess.run([python, '-m', f'benchmarks.peers.{module}'], capture_output=True, text=True,
                           env={**os.environ, **limits, 'PYTHONPATH': path},
                           input=json.dumps({**request, 'threads': threads}))
    if child.returncode:
        why = child.stderr.strip().splitlines()[-1:] or [f'exit status {child.returncode}']
        raise ValueError(f'{side}: {python} -m benchmarks.peers.{module}: {why[0]}')
    return json.loads(child.stdout.splitlines()[-1])
