"""Which plan was the fastest for a convolution, kept in `$SNGAN_CACHE` (default: ~/.cache/sngan) from run to run.

Timings vary, and plans differ in the order of their sums: a resumed run would have other bits than the one that never
stopped. A file that is damaged or cannot be written only costs the timing, and is told of once.
"""
import functools
import hashlib
import json
import os
import sys
from pathlib import Path


def recorded(machine, problem):
    """The name of the plan chosen before on this `machine`, a string, or None."""
    return _choices(machine).get(_key(problem))


def record(machine, problem, name):
    """Keeps a choice; processes that record at the same time keep each other's."""
    choices = _choices(machine)
    choices[_key(problem)] = name
    path = _path(machine)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        choices.update({**_read(path), **choices})
        temporary = path.with_suffix(f'.{os.getpid()}')
        temporary.write_text(json.dumps({'machine': machine, 'plans': choices}, indent=1), encoding='utf-8')
        temporary.replace(path)
    except OSError as error:
        _tell(f'choices of convolution plans cannot be kept ({error})')


@functools.cache
def _choices(machine):
    return _read(_path(machine))


def _read(path):
    try:
        plans = json.loads(path.read_text(encoding='utf-8'))['plans']
        return {str(problem): str(name) for problem, name in plans.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _tell(f'{path}: no choices of convolution plans in it ({error!r}); they are made anew')
        return {}


def _path(machine):
    folder = Path(os.environ.get('SNGAN_CACHE') or Path.home() / '.cache' / 'sngan')
    return folder / f'convolution_plans-{hashlib.sha256(machine.encode()).hexdigest()[:16]}.json'


def _key(problem):
    return json.dumps(problem)


@functools.cache
def _tell(line):
    print(line, file=sys.stderr)
