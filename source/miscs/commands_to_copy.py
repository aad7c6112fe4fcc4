"""Commands as messages print them for a user to copy: they work in the current folder, quoted for a shell."""
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_command(script, *arguments):
    """Return the line that runs a script, named from the repository's root, with this interpreter.

    Arguments that are paths are given as Path.
    """
    return shlex.join([_python(), from_here(ROOT / script), *map(_argument, arguments)])


def install_command(extra):
    """Return the line that installs what an extra of setup.py names, in the pinned versions."""
    return shlex.join([_python(), '-m', 'pip', 'install', '-c', from_here(ROOT / 'constraints.txt'),
                       '-e', f'{from_here(ROOT)}[{extra}]'])


def _python():
    path = from_here(Path(sys.executable or 'python3'))
    return path if '/' in path or not sys.executable else f'./{path}'  # a bare name would be looked for elsewhere


def _argument(value):
    is_taken_for_an_option = isinstance(value, Path) and str(value).startswith('-')
    return f'./{value}' if is_taken_for_an_option else str(value)


def from_here(path):
    """Return a path, as text, from the current folder where it lies below that, else as it is."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
