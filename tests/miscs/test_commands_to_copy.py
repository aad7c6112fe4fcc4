"""What is printed to be copied, run through a shell where it is printed."""
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from source.miscs import commands_to_copy
from source.miscs.commands_to_copy import install_command, python_command
from source.training import summary
from tests import children
from tests.children import ROOT

import pytest


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A current folder outside the repository, in which a program that prints its arguments stands for Python."""
    folder = tmp_path / "somebody's folder"
    echo = folder / 'my env' / 'python'
    echo.parent.mkdir(parents=True)
    echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    echo.chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, 'executable', str(echo))
    return folder


def words_of(line):
    """The arguments that a command gets from the shell."""
    status, output, errors = children.run('sh', '-c', line)
    assert (status, errors) == (0, '')
    return output.splitlines()


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
    (elsewhere / 'my env' / 'python').rename('python')
    monkeypatch.setattr(sys, 'executable', str(elsewhere / 'python'))
    assert python_command('train.py') == "./python 'sn gan/train.py'"
    assert words_of(python_command('train.py')) == ['sn gan/train.py']


def test_what_to_do_with_a_finished_run(elsewhere):
    gen = type('ResNetGenerator', (), {})()
    trainer = SimpleNamespace(out='my results', elapsed_time=1., updater=SimpleNamespace(
        iteration=3, conditional=True, gen=gen))
    for data_dir, data in ((None, []), ('my data', ['--data_dir', 'my data'])):
        text = summary(trainer, {'evaluation': {'network': 'digits'}}, data_dir)
        commands = [words_of(line) for line in text.partition('Next:\n')[2].splitlines()]
        snapshot = ['--snapshot', 'my results/ResNetGenerator_3.npz']
        assert commands == [[str(ROOT / 'evaluations' / script), *arguments] for script, arguments in (
            ('gen_images.py', snapshot), ('report.py', ['my results', *data]),
            ('calc_inception.py', [*snapshot, *data]))]
        assert all(Path(words[0]).is_file() for words in commands)
