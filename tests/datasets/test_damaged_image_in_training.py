"""An image that breaks in mid-training ends it with one line that names the file, however many workers read."""
import re
import subprocess
import sys
from pathlib import Path

import train
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.narrow import run, write_config

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
CHANGES = {
    'iteration': 50, 'snapshot_interval': 1,
    'models.generator.args.n_classes': 4, 'models.discriminator.args.n_classes': 4,
    'dataset': {'dataset_fn': 'datasets/imagenet.py', 'dataset_name': 'ImageNetDataset',
                'args': {'size': 8, 'n_classes': 4, 'augmentation': True}}}


@pytest.fixture
def prepare(tmp_path):
    """Writes images and their list; returns train.py's arguments."""
    names, _ = write_tree(tmp_path / 'images', 5, good={}, bad={})
    (tmp_path / 'list.txt').write_text(''.join(f'{name} {WNIDS.index(name[:9])}\n' for name in names))
    config = write_config(tmp_path, {**CHANGES, 'dataset.args.path': str(tmp_path / 'list.txt')})
    return names, ['--config', config, '--data_dir', tmp_path / 'images', '--gpu', -1,
                   '--results_dir', tmp_path / 'out']


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('missing', [False, True])
def test_one_line(prepare, tmp_path, workers, missing, capsys):
    names, arguments = prepare
    path = tmp_path / 'images' / names[7]
    path.unlink() if missing else path.write_bytes(path.read_bytes()[:3000])
    assert run(train.main, *arguments, '--loader_workers', workers) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if not re.search('it/s|s/it|^ *$', line)]
    assert len(lines) == 1
    found = 'no file' if missing else 'a file Pillow cannot read'
    assert lines[0].startswith(f'train.py: error: {path}: expected an image, found {found}')
    assert re.search(r'; training stopped at iteration \d; (last good snapshot: .*/snapshot_iter_\d'
                     r'|there is no snapshot yet)$', lines[0])


def test_it_goes_on_when_the_image_is_back(prepare, tmp_path, capsys):
    """With the bits of a run that never stopped."""
    names, arguments = prepare
    assert run(train.main, *arguments, '--set', 'iteration=12', '--results_dir', tmp_path / 'whole') == 0
    path = tmp_path / 'images' / names[7]
    content = path.read_bytes()
    path.write_bytes(content[:3000])
    assert run(train.main, *arguments, '--loaderjob', 2, '--set', 'iteration=12') == 1
    path.write_bytes(content)
    resume = ['--resume', 'auto'] if list((tmp_path / 'out').glob('snapshot_iter_*')) else []
    assert run(train.main, *arguments, '--loader_workers', 3, '--set', 'iteration=12', *resume) == 0
    for name in ('ResNetGenerator_12.npz', 'SNResNetProjectionDiscriminator_12.npz'):
        with np.load(tmp_path / 'out' / name) as found, np.load(tmp_path / 'whole' / name) as expected:
            assert found.files == expected.files
            for key in found.files:
                np.testing.assert_array_equal(found[key], expected[key])


def test_the_process_ends(prepare, tmp_path):
    """Not only `main`: no worker keeps the process."""
    names, arguments = prepare
    (tmp_path / 'images' / names[3]).write_bytes(b'')
    command = [sys.executable, ROOT / 'train.py', *map(str, arguments), '--loader_workers', '3']
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert process.returncode == 1
    assert 'Traceback' not in process.stderr and f'{names[3]}: expected an image' in process.stderr
