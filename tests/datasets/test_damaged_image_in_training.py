"""An image that breaks in mid-training ends it with one line that names the file, however many workers read."""
import re

import train
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.narrow import run, write_config

import pytest


@pytest.mark.parametrize('workers, missing', [(['--loader_workers', 0], True), (['--loaderjob', 2], False)])
def test_one_line(tmp_path, workers, missing, capsys):
    names, _ = write_tree(tmp_path / 'images', 5, good={}, bad={})
    path = tmp_path / 'images' / names[7]
    path.unlink() if missing else path.write_bytes(path.read_bytes()[:3000])
    (tmp_path / 'list.txt').write_text(''.join(f'{name} {WNIDS.index(name[:9])}\n' for name in names))
    config = write_config(tmp_path, {
        'iteration': 50, 'snapshot_interval': 1,
        'models.generator.args.n_classes': 4, 'models.discriminator.args.n_classes': 4,
        'dataset': {'dataset_fn': 'datasets/imagenet.py', 'dataset_name': 'ImageNetDataset', 'args': {
            'size': 8, 'n_classes': 4, 'augmentation': True, 'path': str(tmp_path / 'list.txt')}}})
    assert run(train.main, '--config', config, '--data_dir', tmp_path / 'images', '--gpu', -1, '--results_dir',
               tmp_path / 'out', *workers) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not re.search('it/s|s/it|^ *$', line)]
    found = 'no file' if missing else 'a file Pillow cannot read'
    assert line.startswith(f'train.py: error: {path}: expected an image, found {found}')
    assert re.search(r'; training stopped at iteration \d; (last good snapshot: .*/snapshot_iter_\d'
                     r'|there is no snapshot yet)$', line)
