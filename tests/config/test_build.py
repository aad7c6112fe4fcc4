import pickle
import sys
from types import SimpleNamespace

from source.config import build
from source.config import construct as module
from source.config.agreement import check_classes
from source.config.load_class import load_class, with_files_located
from source.config.yaml_utils import load_config
from source.datasets.image_dataset import ImageDataset
from tests.gpu_road import assert_same, build_updater, state_of
from tests.narrow import error_of, write_config

import chainer
import numpy as np
import pytest

CPU = chainer.get_device('@numpy')
PROJECTION = 'SNResNetProjectionDiscriminator'


def load(folder, changes=None):
    path = write_config(folder, changes)
    return load_config(path), str(path)


@pytest.mark.parametrize('fn, name, expected', [
    ('source/datasets/digits.py', 'DigitsDataset', 'source.datasets.digits.DigitsDataset'),
    ('./datasets/digits.py', 'DigitsDataset', 'source.datasets.digits.DigitsDataset'),
    ('updater.py', 'Updater', 'source.updater.Updater'),
    ('gen_models/resnet_128.py', 'ResNetGenerator', 'gen_models.resnet.ResNetGenerator'),
    ('gen_models/resnet_dog_and_cat_128.py', 'ResNetGenerator', 'gen_models.resnet_small.ResNetGenerator'),
    ('gen_models/resnet_dog_and_cat_256.py', 'ResNetGenerator', 'gen_models.resnet_256.ResNetGenerator'),
    ('gen_models/resnet_32.py', 'ResNetGenerator32', 'gen_models.resnet_32.ResNetGenerator'),
    ('gen_models/resnet_64.py', 'ResNetGeneratorImageNet', 'gen_models.resnet_64.ResNetGenerator'),
    ('dis_models/snresnet_128.py', 'SNResNetConcatDiscriminator', 'dis_models.snresnet.SNResNetConcatDiscriminator'),
    ('dis_models/snresnet_dog_and_cat_128.py', PROJECTION, f'dis_models.snresnet_small.{PROJECTION}'),
    ('dis_models/snresnet_32.py', 'SNResNetDiscriminator32', f'dis_models.snresnet_32.{PROJECTION}'),
    ('datasets/cifar10.py', 'Cifar10Dataset', 'source.datasets.cifar10.CIFAR10Dataset')])
def test_names_of_this_project(fn, name, expected):
    """And those of every earlier state of the authors' repository."""
    found = load_class(fn, name, 'a.yml', 'key')
    assert f'{found.__module__}.{found.__name__}' == expected


def write_class(path, name, line='pass'):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'class {name}:\n    {line}\n')


def test_files_of_the_user(tmp_path, monkeypatch):
    """By their path from the working folder or from the config; equal file names do not meet; `sys.path` stays."""
    for folder in ('beside', 'here'):
        write_class(tmp_path / folder / 'mine.py', 'Mine', f'where = {folder!r}')
    before = list(sys.path)
    monkeypatch.chdir(tmp_path / 'here')
    beside = load_class('../beside/mine.py', 'Mine', '../beside/a.yml', 'key')
    here = load_class('mine.py', 'Mine', '../beside/a.yml', 'key')
    monkeypatch.chdir(tmp_path)
    from_config = load_class('mine.py', 'Mine', 'beside/a.yml', 'key')
    assert (beside.where, here.where, from_config.where) == ('beside', 'here', 'beside')
    assert here.__module__ != beside.__module__ and sys.path == before and 'mine' not in sys.modules


def test_a_file_is_one_module_until_it_changes(tmp_path, monkeypatch, capsys):
    """So pickles and globals of its classes are those of its objects; moved, it is found by its name, and that said."""
    def load_own(fn):
        return load_class(fn, 'Own', 'config.yml', 'updater')
    own = tmp_path / 'own.py'
    write_class(own, 'Own')
    first = load_own(str(own))
    assert load_own(str(own)) is first and pickle.loads(pickle.dumps(first)) is first
    write_class(own, 'Own', 'changed = True')
    assert load_own(str(own)).changed
    monkeypatch.chdir(tmp_path)
    assert load_own('/nowhere/own.py').changed
    assert capsys.readouterr().err == '/nowhere/own.py: is not there; own.py is taken\n'


def test_files_of_ones_own_are_found_from_any_folder(tmp_path, monkeypatch):
    """Those beside the config and those of the current folder; this project's keep their names."""
    write_class(tmp_path / 'beside' / 'data.py', 'Own')
    write_class(tmp_path / 'here.py', 'Own')
    config, path = load(tmp_path / 'beside', {'dataset.dataset_fn': 'data.py', 'updater.fn': 'here.py'})
    monkeypatch.chdir(tmp_path)
    located = with_files_located(config, path)
    assert located['dataset']['dataset_fn'] == str(tmp_path / 'beside' / 'data.py')
    assert located['updater']['fn'] == str(tmp_path / 'here.py')
    assert located['models'] == config['models'] and config['dataset']['dataset_fn'] == 'data.py'


@pytest.mark.parametrize('fn, name, expected', [
    ('gen_models/resnet_32.py', 'ResnetGenerator', ' in gen_models/resnet_32.py; it holds ResNetGenerator'),
    ('updater.py', 'chainer', "no class 'chainer' in updater.py"), ('/dev/null', 'Null', 'ending in .py'),
    ('gen_models/resnet_32', 'ResNetGenerator', 'ending in .py'), ('', 'Empty', 'ending in .py')])
def test_names_that_lead_nowhere(fn, name, expected):
    message = error_of(load_class, fn, name, 'a.yml', 'models.generator')
    assert message.startswith('a.yml: models.generator: ') and expected in message


class Thing:
    def __init__(self, size: int, rate=.5, path='', keep=True, extra=None, activation=chainer.functions.relu, *,
                 device=None):
        self.values = (size, rate, path, keep, extra, activation, device)
        if size > 100:
            raise {101: ValueError('101 is too many'), 102: FileNotFoundError('x.txt: no such file')}[size]


def construct(args, **given):
    return module.construct(Thing, args, 'a.yml', 'thing', {'rate': (0, 1)}, **given)


def test_construct_converts_and_passes_on():
    thing = construct({'size': '2e1', 'rate': '1e-3', 'extra': [1]}, device='here', unknown='left out')
    assert thing.values == (20, 1e-3, '', True, [1], chainer.functions.relu, 'here')
    assert type(thing.values[0]) is int
    takes_anything = type('Any', (), {'__init__': lambda self, **kwargs: vars(self).update(kwargs)})
    assert vars(module.construct(takes_anything, {'x': 1}, 'a.yml', 'any', given=2)) == {'x': 1, 'given': 2}


@pytest.mark.parametrize('args, expected', [
    ({'size': 1, 'rat': 1}, "thing.args.rat: unknown key; did you mean 'rate'?"),
    ({'size': None}, 'thing.args.size: expected int, found nothing'),
    ({'size': 1, 'keep': 1}, 'thing.args.keep: expected bool, found 1 (int)'),
    ({'size': 1, 'path': 1}, 'thing.args.path: expected str, found 1 (int)'),
    ({'size': 1, 'rate': 1.5}, 'thing.args.rate: expected 0 to 1, found 1.5'),
    ({'size': 1, 'activation': 'relu'}, 'thing.args.activation: unknown key'),
    ({'size': 1, 'device': 0}, 'thing.args.device: unknown key'),
    ({}, 'thing.args.size: missing; Thing needs it'),
    ({'size': 101}, 'thing: 101 is too many'), ({'size': 102}, 'thing: x.txt: no such file')])
def test_construct_refuses(args, expected):
    assert error_of(construct, args, device='here').startswith(f'a.yml: {expected}')


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
    monkeypatch.setitem(build.NETWORKS, 'mine', lambda device, weights: SimpleNamespace(given=(device, weights)))
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
