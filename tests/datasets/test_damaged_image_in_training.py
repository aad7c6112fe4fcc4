"""An image that breaks in mid-training ends it with one line that names the file, however many workers read."""
import re

import train
from tests import children
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.narrow import run, write_config

import numpy as np
import pytest

CHANGES = {
    'iteration': 50, 'snapshot_interval': 1,
    'models.generator.args.n_classes': 4, 'models.discriminator.args.n_classes': 4,
    'dataset': {'dataset_fn': 'datasets/imagenet.py', 'dataset_name': 'ImageNetDataset',
                'args': {'size': 8, 'n_classes': 4, 'augmentation': True}}}


@pytest.fixture
def prepare(tmp_path):
    """Writes images and their list; returns the path of one and train.py's arguments."""
    names, _ = write_tree(tmp_path / 'images', 5, good={}, bad={})
    (tmp_path / 'list.txt').write_text(''.join(f'{name} {WNIDS.index(name[:9])}\n' for name in names))
    config = write_config(tmp_path, {**CHANGES, 'dataset.args.path': str(tmp_path / 'list.txt')})
    return tmp_path / 'images' / names[7], [
        '--config', config, '--data_dir', tmp_path / 'images', '--gpu', -1, '--results_dir', tmp_path / 'out']


@pytest.mark.parametrize('workers, missing', [(0, True), (2, False)])
def test_one_line(prepare, workers, missing, capsys):
    path, arguments = prepare
    path.unlink() if missing else path.write_bytes(path.read_bytes()[:3000])
    assert run(train.main, *arguments, '--loader_workers', workers) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not re.search('it/s|s/it|^ *$', line)]
    found = 'no file' if missing else 'a file Pillow cannot read'
    assert line.startswith(f'train.py: error: {path}: expected an image, found {found}')
    assert re.search(r'; training stopped at iteration \d; (last good snapshot: .*/snapshot_iter_\d'
                     r'|there is no snapshot yet)$', line)


def test_it_goes_on_when_the_image_is_back(prepare, tmp_path):
    """With the bits of a run that never stopped."""
    path, arguments = prepare
    arguments += ['--set', 'iteration=12']
    assert run(train.main, *arguments, '--results_dir', tmp_path / 'whole') == 0
    content = path.read_bytes()
    path.write_bytes(content[:3000])
    assert run(train.main, *arguments, '--loaderjob', 2) == 1
    path.write_bytes(content)
    resume = ['--resume', 'auto'] if list((tmp_path / 'out').glob('snapshot_iter_*')) else []
    assert run(train.main, *arguments, '--loader_workers', 3, *resume) == 0
    for name in ('ResNetGenerator_12.npz', 'SNResNetProjectionDiscriminator_12.npz'):
        with np.load(tmp_path / 'out' / name) as found, np.load(tmp_path / 'whole' / name) as expected:
            np.testing.assert_equal(dict(found), dict(expected))


@pytest.mark.long
def test_the_process_ends(prepare):
    """Not only `main`: no worker keeps the process."""
    path, arguments = prepare
    path.write_bytes(b'')
    status, _, errors = children.python(children.ROOT / 'train.py', *arguments, '--loader_workers', 3)
    assert status == 1 and 'Traceback' not in errors and f'{path}: expected an image' in errors
