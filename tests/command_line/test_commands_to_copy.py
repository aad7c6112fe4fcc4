"""What is printed to be copied, where it is printed."""
import os
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

from source.command_line import commands_to_copy
from source.command_line.commands_to_copy import called, install_command, plain_command, python_command
from source.training.summary import summary
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
    (folder / 'sn gan').mkdir()
    (folder / 'sn gan' / 'setup.py').touch()
    monkeypatch.setattr(sys, 'executable', str(folder / 'python'))
    assert python_command('train.py') == "./python 'sn gan/train.py'"


def test_by_the_console_command(tmp_path, monkeypatch):
    """Where a user called `sngan`, and where there is no clone; a config of the project's goes by its name."""
    monkeypatch.chdir(tmp_path)
    config = commands_to_copy.CONFIGS / 'methods' / 'weight.yml'
    assert plain_command('train.py', '--config', Path('a b.yml')) == "python train.py --config 'a b.yml'"
    assert called('by evaluations/calc_fid.py') == 'by evaluations/calc_fid.py'
    for is_ours in (lambda patch: patch.setattr(sys, 'argv', ['sngan train']),
                    lambda patch: patch.setattr(commands_to_copy, 'ROOT', tmp_path)):
        with monkeypatch.context() as patch:
            is_ours(patch)
            assert plain_command('train.py', '--config', config) == 'sngan train --config methods/weight.yml'
            assert shlex.split(python_command('source/inception/download.py', Path('-x')))[1:] == [
                'download-inception', './-x']
            assert called('`python experiments.py run`, as gen_images.py has it') == (
                '`sngan experiments run`, as sngan gen-images has it')
    monkeypatch.setattr(commands_to_copy, 'ROOT', tmp_path)
    *_, pip, install, first, second = shlex.split(install_command('video'))
    assert (pip, install, first, second.partition('>')[0]) == ('pip', 'install', 'imageio>=2.31', 'imageio-ffmpeg')


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
