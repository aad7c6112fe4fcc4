"""Commands as messages print them for a user to copy: they work in the current folder, quoted for a shell."""
import importlib.metadata
import shlex
import shutil
import sys
from pathlib import Path

from source.command_line.sngan import with_subcommands

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'


def is_installed():
    """Return whether the user called the command `sngan`, or has only that and no clone."""
    return Path(sys.argv[0]).name.split(' ')[0] == 'sngan' or not (ROOT / 'setup.py').is_file()


def python_command(script, *arguments):
    """Return the line that runs a script, named from the repository's root, with this interpreter.

    Arguments that are paths are given as Path.
    """
    words = ([_sngan(), with_subcommands(script).partition(' ')[2]] if is_installed() else
             [_python(), from_here(ROOT / script)])
    return shlex.join([*words, *map(_argument, arguments)])


def plain_command(script, *arguments):
    """Return the line for a document, without a path to an interpreter: 'python train.py ...'."""
    return called(f'python {script}') + ''.join(f' {shlex.quote(_argument(a))}' for a in arguments)


def called(text):
    """Return a text with its scripts named as the user calls them: 'train.py' or 'sngan train'."""
    return with_subcommands(text) if is_installed() else text


def install_command(extra):
    """Return the line that installs what an extra of setup.py names; in a clone in the pinned versions."""
    if not (ROOT / 'setup.py').is_file():
        parts = (requirement.partition(';') for requirement in importlib.metadata.requires('sngan-chainer'))
        return shlex.join([_python(), '-m', 'pip', 'install', *(
            name.strip() for name, _, marker in parts if f'"{extra}"' in marker.replace("'", '"'))])
    return shlex.join([_python(), '-m', 'pip', 'install', '-c', from_here(ROOT / 'constraints.txt'),
                       '-e', f'{from_here(ROOT)}[{extra}]'])


def _python():
    path = from_here(Path(sys.executable or 'python3'))
    return path if '/' in path or not sys.executable else f'./{path}'  # a bare name would be looked for elsewhere


def _sngan():
    own = Path(sys.executable).parent / 'sngan'
    return 'sngan' if shutil.which('sngan') in (None, str(own)) else from_here(own)


def _argument(value):
    if isinstance(value, Path) and is_installed() and value.is_relative_to(CONFIGS):
        return str(value.relative_to(CONFIGS))  # a config is found by its name
    is_taken_for_an_option = isinstance(value, Path) and str(value).startswith('-')
    return f'./{value}' if is_taken_for_an_option else str(value)


def from_here(path):
    """Return a path, as text, from the current folder where it lies below that, else as it is."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
