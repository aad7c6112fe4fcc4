"""A generator from its snapshot, and images of it, as the commands have them."""
import shutil

from evaluations import gen_images
from source.config.checks import ConfigError
from source.generators import load_generator, sample, shipped_generator
from source.results_folder.snapshots import SnapshotError
from tests.children import ROOT
from tests.miscs.painter import Painter
from tests.narrow import run

import numpy as np
import pytest


@pytest.fixture(scope='module')
def gen():
    return load_generator()


@pytest.mark.parametrize('arguments, expected', [
    (['--seed', 5], {'seed': 5}), (['--seed', 0, '--classes', 7, 'three'], {'classes': [7, 3]}),
    (['--seed', 0, '--classes', 4, '--truncation', .5], {'classes': 4, 'truncation': .5})])
def test_samples_are_those_of_the_command(gen, arguments, expected, tmp_path):
    assert run(gen_images.main, '--n', 101, '--npz', '--gpu', -1, '--results_dir', tmp_path, *arguments) == 0
    ims, labels = sample(gen, 101, **expected)
    with np.load(tmp_path / 'samples.npz') as made:
        np.testing.assert_array_equal(ims, made['ims'])
        np.testing.assert_array_equal(labels, made['labels'])
    assert (ims.shape, ims.dtype, labels.dtype) == ((101, 1, 32, 32), np.uint8, np.int32)


def test_a_snapshot_and_its_config(gen, tmp_path):
    """From a path, with the config beside it or elsewhere: the same generator."""
    snapshot, config = (tmp_path / name / file for name, file in (('a', 'gen.npz'), ('b', 'other.yml')))
    for path, source in ((snapshot, shipped_generator()), (config, ROOT / 'gen_models/mnist/config.yml')):
        path.parent.mkdir()
        shutil.copy(source, path)
    with pytest.raises(ConfigError, match=r'config\.yml: no such config; give the one of .*gen\.npz as config=FILE'):
        load_generator(snapshot)
    elsewhere = load_generator(snapshot, config)
    shutil.copy(config, snapshot.with_name('config.yml'))
    for other in (elsewhere, load_generator(str(snapshot))):
        np.testing.assert_array_equal(sample(other, 2)[0], sample(gen, 2)[0])


@pytest.mark.parametrize('arguments, error, expected', [
    (('none.npz',), SnapshotError, 'none.npz: no such snapshot'),
    ((ROOT,), SnapshotError, 'found a folder'),
    ((ROOT / 'README.md', ROOT / 'gen_models/mnist/config.yml'), SnapshotError, 'not a complete .npz snapshot'),
    ((None, 'none.yml'), ConfigError, 'none.yml: no such config'),
    ((None, ROOT / 'configs/sn_cifar10_unconditional.yml'), SnapshotError, 'another architecture'),
    ((None, None, 99), ValueError, 'device 99: expected -1')])
def test_refused_in_one_line(arguments, error, expected):
    with pytest.raises(error) as raised:
        load_generator(*arguments)
    assert expected in str(raised.value) and '\n' not in str(raised.value)


@pytest.mark.parametrize('options, expected', [
    ({'n': 0}, 'n: expected at least 1, got 0'), ({'classes': 10}, 'expected whole numbers from 0 to 9, got 10'),
    ({'classes': [0, -1]}, r'got \[0, -1\]'), ({'classes': []}, r'got \[\]'), ({'classes': 1.5}, 'got 1.5'),
    ({'classes': [True, False]}, 'whole numbers'), ({'classes': [[1], [2]]}, 'whole numbers'),
    ({'truncation': 0.}, 'truncation'), ({'seed': -1}, '[Ss]eed')])
def test_samples_refused(gen, options, expected):
    with pytest.raises(ValueError, match=expected):
        sample(gen, **{'n': 2, **options})


def test_samples_without_classes():
    ims, labels = sample(Painter(n_classes=0), 3)
    assert len(ims) == 3 and labels is None
    with pytest.raises(ValueError, match='unconditional'):
        sample(Painter(n_classes=0), 3, classes=0)
