"""What is printed to be copied, where it is printed."""
import os
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

from source.miscs import commands_to_copy
from source.miscs.commands_to_copy import install_command, python_command
from source.training import summary
from tests.children import ROOT

import pytest


def test_in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'executable', str(ROOT / '.venv' / 'bin' / 'python'))
    assert python_command('train.py', '--config', Path('a.yml')) == '.venv/bin/python train.py --config a.yml'
    assert install_command('video') == ".venv/bin/python -m pip install -c constraints.txt -e '.[video]'"


def test_elsewhere(tmp_path, monkeypatch):
    """Python is below the current folder or in it, and so is the repository in the end."""
    folder = tmp_path / "somebody's folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, 'executable', str(folder / 'my env' / 'python'))
    line = python_command('evaluations/report.py', Path('-a b'), '--quick')
    assert shlex.split(line) == ['my env/python', str(ROOT / 'evaluations' / 'report.py'), './-a b', '--quick']
    *_, constraints, _, package = shlex.split(install_command('mpi'))
    assert os.path.isfile(constraints) and package == f'{ROOT}[mpi]'
    monkeypatch.setattr(commands_to_copy, 'ROOT', folder / 'sn gan')
    monkeypatch.setattr(sys, 'executable', str(folder / 'python'))
    assert python_command('train.py') == "./python 'sn gan/train.py'"


@pytest.mark.parametrize('data_dir, data', [(None, []), ('my data', ['--data_dir', 'my data'])])
def test_what_to_do_with_a_finished_run(tmp_path, monkeypatch, data_dir, data):
    monkeypatch.chdir(tmp_path)
    trainer = SimpleNamespace(out='my results', elapsed_time=1., updater=SimpleNamespace(
        iteration=3, conditional=True, gen=type('ResNetGenerator', (), {})()))
    text = summary(trainer, {'evaluation': {'network': 'digits'}}, data_dir)
    commands = [shlex.split(line)[1:] for line in text.partition('Next:\n')[2].splitlines()]
    snapshot = ['--snapshot', 'my results/ResNetGenerator_3.npz']
    assert commands == [[str(ROOT / 'evaluations' / script), *arguments] for script, arguments in (
        ('gen_images.py', snapshot), ('report.py', ['my results', *data]), ('calc_inception.py', [*snapshot, *data]))]
    assert all(Path(words[0]).is_file() for words in commands)
