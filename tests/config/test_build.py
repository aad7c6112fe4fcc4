from types import SimpleNamespace

from source.config import build
from source.config.agreement import check_classes
from source.config.yaml_utils import load_config
from source.datasets.image_dataset import ImageDataset
from tests.gpu_road import assert_same, build_updater, state_of
from tests.narrow import error_of, write_class, write_config

import chainer
import numpy as np

CPU = chainer.get_device('@numpy')


def load(folder, changes=None):
    path = write_config(folder, changes)
    return load_config(path), str(path)


def test_models_are_made_from_the_seed_alone(tmp_path):
    made = []
    for seed in (1, 1, 2):
        build.seed_everything(seed, CPU)
        made.append([state_of(model) for model in build.build_models(*load(tmp_path))])
    for first, same, other in zip(*made, strict=True):
        assert_same(first, same)
        drawn = [name for name in first if name.endswith(('c1/W', 'l1/W', '/u'))]
        assert [name for name in drawn if np.array_equal(first[name], other[name])] == []


def test_dataset(tmp_path):
    """`--data_dir` becomes `root`, where there is one, and wins."""
    write_class(tmp_path / 'mine.py', 'Mine', 'def __init__(self, root, n=1):\n        self.got = root, n')
    mine = {'dataset_fn': 'mine.py', 'dataset_name': 'Mine'}
    config, path = load(tmp_path, {'dataset': {**mine, 'args': {'root': 'elsewhere', 'n': 2}}})
    assert build.build_dataset(config, path).got == ('elsewhere', 2)
    assert build.build_dataset(config, path, str(tmp_path)).got == (str(tmp_path), 2)
    config, path = load(tmp_path, {'dataset': mine})
    assert error_of(build.build_dataset, config, path) == (
        f'{path}: dataset: Mine needs the folder of the data: give --data_dir DIR')
    config, path = load(tmp_path, {'dataset.args.size': 3})
    assert error_of(build.build_dataset, config, path, str(tmp_path)).startswith(f'{path}: dataset: size: expected')


def test_updater_holds_what_the_config_says(tmp_path):
    updater = build_updater(tmp_path, {'adam': {'alpha': .1, 'beta1': .2, 'beta2': .3}})
    assert (updater.n_dis, updater.n_gen_samples, updater.loss_type, updater.conditional) == (2, 4, 'dcgan', True)
    assert updater.get_iterator('main').batch_size == 4
    for optimizer in (updater.get_optimizer('opt_gen'), updater.get_optimizer('opt_dis')):
        assert (optimizer.alpha, optimizer.beta1, optimizer.beta2) == (.1, .2, .3)
    assert (updater.sampler.dim_z, updater.sampler.n_classes) == (3, 10)
    assert updater.augmentation == ()
    for policies in ('cutout, color', ['cutout', 'color']):
        assert build_updater(tmp_path, {'updater.args.augmentation': policies}).augmentation == ('cutout', 'color')
    assert error_of(build_updater, tmp_path, {'updater.args.augmentation': ['flip']}) == (
        "test: updater: augmentation: expected a list of color, translation, cutout, each once at most, got ['flip']")


def test_capture_is_the_configs(tmp_path):
    """An updater of the user's that does not hand it on would capture all the same, unless it says no itself."""
    def own(*more):
        (tmp_path / 'mine.py').write_text(
            'from source.updater import Updater\n\n\nclass Mine(Updater):\n'
            '    def __init__(self, models, iterator, optimizer):\n'
            f'        super().__init__({", ".join(("models", "iterator", "optimizer", *more))})\n')
        return {'updater': {'fn': str(tmp_path / 'mine.py'), 'name': 'Mine'}}
    assert build_updater(tmp_path).capture and not build_updater(tmp_path, {'capture': False}).capture
    assert build_updater(tmp_path, own()).capture
    assert error_of(build_updater, tmp_path, {**own(), 'capture': False}) == (
        'test: capture: expected true, as Mine takes no argument `capture` to hand on to Updater; found false')
    for capture in (True, False):
        assert not build_updater(tmp_path, {**own('capture=False'), 'capture': capture}).capture


def test_seed_decides_order_and_noise_of_each_on_its_own(tmp_path):
    def draws(seed, sampler_first=False):
        updater = build_updater(tmp_path, {'seed': seed})
        z = updater.sampler.continuous(5) if sampler_first else None
        x, _ = chainer.dataset.concat_examples(updater.get_iterator('main').next())
        return x, z if sampler_first else updater.sampler.continuous(5)
    x, z = draws(1)
    for same in draws(1), draws(1, sampler_first=True):
        np.testing.assert_array_equal(x, same[0])
        np.testing.assert_array_equal(z, same[1])
    x_other, z_other = draws(2)
    assert (x != x_other).mean() > .9 and not np.isclose(z, z_other).any()


def test_feature_network(tmp_path, monkeypatch):
    config, path = load(tmp_path, {'evaluation': {'network': 'mine', 'weights': 'my.pth'}})
    monkeypatch.setitem(build.NETWORKS, 'mine', lambda device, weights: SimpleNamespace(
        given=(device, weights), be_foreign=lambda why: None))
    assert build.build_feature_network(config, path, device=1).given == (1, 'my.pth')
    config['evaluation'] = {'network': 'inception', 'weights': str(tmp_path / 'missing')}
    assert error_of(build.build_feature_network, config, path).startswith(
        f'{path}: evaluation.network: {tmp_path / "missing"}: no Inception weights; make them with')
    config['evaluation']['network'] = None
    assert build.build_feature_network(config, path) is None


def test_some_classes_empty(tmp_path, capsys):
    """Said once, by the first of several processes; more is in test_first_batch.py."""
    dataset = ImageDataset(np.zeros((7, 3, 8, 8), np.uint8), np.arange(7), 10)
    config, path = load(tmp_path)
    for is_first in (False, True, False):
        check_classes(config, path, SimpleNamespace(n_classes=10), dataset, is_first)
    assert capsys.readouterr().err == f'warning: {path}: dataset: 3 of 10 classes have no image: 7, 8, 9\n'


def test_names_of_ones_own_that_fail(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config, path = load(tmp_path, {'dataset': {'dataset_fn': 'own.py', 'dataset_name': 'Own'}})
    for body, expected in (('1 / 0', 'own.py:2: ZeroDivisionError: division by zero'),
                           ('7', "TypeError: 'int' object is not iterable")):
        write_class(tmp_path / 'own.py', 'Own', f'names_of = staticmethod(lambda args: {body})')
        assert error_of(build.class_names_of, config, path) == f'{path}: dataset: Own.names_of: {expected}'
