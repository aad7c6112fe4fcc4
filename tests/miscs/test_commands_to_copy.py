"""What is printed to be copied, run through a shell where it is printed."""
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from source.miscs import commands_to_copy
from source.miscs.commands_to_copy import install_command, python_command
from source.training import summary

import pytest

ROOT = Path(__file__).parents[2]
ECHO = '#!/bin/sh\nprintf "%s\\n" "$@"\n'


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A current folder outside the repository, in which a program that prints its arguments stands for Python."""
    folder = tmp_path / "somebody's folder"
    (folder / 'my env').mkdir(parents=True)
    echo = folder / 'my env' / 'python'
    echo.write_text(ECHO)
    echo.chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, 'executable', str(echo))
    return folder


def words_of(line):
    """The arguments that a command gets from the shell."""
    done = subprocess.run(['sh', '-c', line], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout.splitlines()


def test_in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'executable', str(ROOT / '.venv' / 'bin' / 'python'))
    assert python_command('train.py', '--config', Path('a.yml')) == '.venv/bin/python train.py --config a.yml'
    assert install_command('video') == ".venv/bin/python -m pip install -c constraints.txt -e '.[video]'"


def test_elsewhere(elsewhere):
    line = python_command('evaluations/report.py', Path('-a b'), '--quick')
    assert line.startswith("'my env/python' ")
    script, *arguments = words_of(line)
    assert Path(script).is_absolute() and Path(script).samefile(ROOT / 'evaluations' / 'report.py')
    assert arguments == ['./-a b', '--quick']
    *_, constraints, _, package = words_of(install_command('mpi'))
    assert os.path.isfile(constraints) and package == f'{ROOT}[mpi]'


def test_below_the_current_folder_and_beside_python(elsewhere, monkeypatch):
    monkeypatch.setattr(commands_to_copy, 'ROOT', elsewhere / 'sn gan')
    monkeypatch.chdir(elsewhere)
    assert words_of(python_command('train.py')) == ['sn gan/train.py']
    shutil.copy(elsewhere / 'my env' / 'python', elsewhere / 'python')
    monkeypatch.setattr(sys, 'executable', str(elsewhere / 'python'))
    assert python_command('train.py') == "./python 'sn gan/train.py'"
    assert words_of(python_command('train.py')) == ['sn gan/train.py']


class ResNetGenerator:
    pass


def test_what_to_do_with_a_finished_run(elsewhere):
    out = Path('my results')
    out.mkdir()
    (out / 'ResNetGenerator_3.npz').touch()
    trainer = SimpleNamespace(out=str(out), elapsed_time=1., updater=SimpleNamespace(
        iteration=3, conditional=True, gen=ResNetGenerator()))
    for data_dir, data in ((None, []), ('my data', ['--data_dir', 'my data'])):
        text = summary(trainer, {'evaluation': {'network': 'digits'}}, data_dir)
        commands = [words_of(line) for line in text.partition('Next:\n')[2].splitlines()]
        assert [words[1:] for words in commands] == [
            ['--snapshot', 'my results/ResNetGenerator_3.npz'], ['my results', *data],
            ['--snapshot', 'my results/ResNetGenerator_3.npz', *data]]
        assert [Path(words[0]).relative_to(ROOT).name for words in commands] == [
            'gen_images.py', 'report.py', 'calc_inception.py']
        assert all(Path(words[0]).is_file() for words in commands)
