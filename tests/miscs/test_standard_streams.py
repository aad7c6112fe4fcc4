"""Commands on streams that are not what they expect: other encodings, closed, full."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LATIN_1 = {'PYTHONIOENCODING': 'latin-1'}
ASCII = {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}


def environment(**changes):
    without = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', 'LC_', 'LANG'))}
    return {**without, 'PYTHONPATH': str(ROOT), **changes}


def command(*arguments, script=None, environ=None, **options):
    """Runs a script of the repository, or one line of Python within `one_line_errors`."""
    if script:
        start = ['-c', 'from source.miscs.one_line_errors import one_line_errors\n'
                 f'def main():\n    import sys, warnings; {script}\none_line_errors(main)()']
    else:
        start = [str(ROOT / arguments[0])]
        arguments = arguments[1:]
    options = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **options}
    return subprocess.run([sys.executable, *start, *map(str, arguments)], timeout=60,
                          env=environment(**(environ or {})), **options)


@pytest.mark.parametrize('environ, expected', [
    (LATIN_1, b'\\u540d \xe9 \\udcff'), (ASCII, b'\\u540d \\xe9 \\udcff'), ({}, '名 é \\udcff'.encode()),
    ({'PYTHONIOENCODING': 'latin-1:replace'}, b'? \xe9 ?')])
def test_what_a_stream_cannot_encode(environ, expected):
    """It is escaped; what a user chose stays."""
    done = command(script=r'text = "\u540d \xe9 \udcff"; print(text); print(text, file=sys.stderr); '
                          'raise ValueError(text)', environ=environ)
    assert done.returncode == 2
    assert done.stdout == expected + b'\n'
    assert done.stderr.count(b'\n') == 2 and b'error: ' in done.stderr


def test_a_command_on_a_path_that_is_not_latin_1(tmp_path):
    folder = tmp_path / '名'
    folder.mkdir()
    (folder / 'scores.json').write_text(json.dumps(
        {'samples': 'a', 'protocol': 'config', 'feature_network': 'digits', 'paper_row': None, 'fid': 4.}))
    done = command('evaluations/compare_paper.py', folder, '--measured', environ=LATIN_1)
    assert (done.returncode, done.stderr) == (0, b'No published number was measured.\n')
    assert b'\\u540d/scores.json: FID 4.00' in done.stdout
