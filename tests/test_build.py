import pickle
import sys
from types import SimpleNamespace

from source import build
from source.datasets.image_dataset import ImageDataset
from source.datasets.packed import PackedDogAndCatDataset
from source.yaml_utils import ConfigError, load_config
from tests.datasets.test_packed import write_packed
from tests.gpu_road import assert_same, state_of
from tests.narrow import UNCONDITIONAL, write_config

import chainer
import numpy as np
import pytest

CPU = chainer.get_device('@numpy')


def error_of(function, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        function(*args, **kwargs)
    message = str(caught.value)
    assert '\n' not in message
    return message


def load(folder, changes=None):
    path = write_config(folder, changes)
    return load_config(path), str(path)


# load_class

@pytest.mark.parametrize('fn, name, module', [
    ('gen_models/resnet_dog_and_cat_256.py', 'ResNetGenerator', 'gen_models.resnet_256'),
    ('source/datasets/digits.py', 'DigitsDataset', 'source.datasets.digits'),
    ('./datasets/digits.py', 'DigitsDataset', 'source.datasets.digits'),
    ('updater.py', 'Updater', 'source.updater')])
def test_names_of_this_project(fn, name, module):
    """Earlier ones of others are in test_configs.py."""
    assert build.load_class(fn, name, 'a.yml', 'key').__module__ == module


def test_files_of_the_user(tmp_path, monkeypatch):
    """By their path from the working folder or from the config; equal file names do not meet; `sys.path` stays."""
    for folder in ('beside', 'here'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'mine.py').write_text(f'class Mine:\n    where = {folder!r}\n')
    monkeypatch.chdir(tmp_path / 'here')
    before = list(sys.path)
    beside = build.load_class('../beside/mine.py', 'Mine', '../beside/a.yml', 'key')
    here = build.load_class('mine.py', 'Mine', '../beside/a.yml', 'key')
    monkeypatch.chdir(tmp_path)
    from_config = build.load_class('mine.py', 'Mine', 'beside/a.yml', 'key')
    assert (beside.where, here.where, from_config.where) == ('beside', 'here', 'beside')
    assert here.__module__ != beside.__module__
    assert sys.path == before
    assert 'mine' not in sys.modules


def test_a_file_is_one_module_until_it_changes(tmp_path, monkeypatch, capsys):
    """So pickles and globals of its classes are those of its objects; moved, it is found by its name, and that said."""
    own = tmp_path / 'own.py'
    own.write_text('class Own:\n    pass\n')
    first = build.load_class(str(own), 'Own', 'config.yml', 'updater')
    assert build.load_class(str(own), 'Own', 'config.yml', 'updater') is first
    assert pickle.loads(pickle.dumps(first)) is first
    own.write_text('class Own:\n    changed = True\n')
    assert build.load_class(str(own), 'Own', 'config.yml', 'updater').changed
    monkeypatch.chdir(tmp_path)
    assert build.load_class('/nowhere/own.py', 'Own', 'config.yml', 'updater').changed
    assert capsys.readouterr().err == '/nowhere/own.py: is not there; own.py is taken\n'


def test_files_of_ones_own_are_found_from_any_folder(tmp_path, monkeypatch):
    """Those beside the config and those of the current folder; this project's keep their names."""
    (tmp_path / 'beside').mkdir()
    for name in ('beside/data.py', 'here.py'):
        (tmp_path / name).write_text('class Own:\n    pass\n')
    config, path = load(tmp_path / 'beside', {'dataset.dataset_fn': 'data.py', 'updater.fn': 'here.py'})
    monkeypatch.chdir(tmp_path)
    located = build.with_files_located(config, path)
    assert located['dataset']['dataset_fn'] == str(tmp_path / 'beside' / 'data.py')
    assert located['updater']['fn'] == str(tmp_path / 'here.py')
    assert located['models'] == config['models'] and config['dataset']['dataset_fn'] == 'data.py'


@pytest.mark.parametrize('fn, name, expected', [
    ('gen_models/resnet_33.py', 'ResNetGenerator', 'no such file: gen_models/resnet_33.py'),
    ('gen_models/resnet_32.py', 'ResnetGenerator', "no class 'ResnetGenerator' in gen_models/resnet_32.py; "
                                                   'it holds ResNetGenerator'),
    ('updater.py', 'chainer', "no class 'chainer'"), ('gen_models/resnet_32', 'ResNetGenerator', 'ending in .py'),
    ('/dev/null', 'Null', 'ending in .py'), ('', 'Empty', 'ending in .py')])
def test_names_that_lead_nowhere(fn, name, expected):
    message = error_of(build.load_class, fn, name, 'a.yml', 'models.generator')
    assert message.startswith(('a.yml: models.generator: ', 'a.yml: models.generator.fn: '))
    assert expected in message


# construct

class Thing:
    def __init__(self, size: int, rate=.5, path='', keep=True, extra=None, activation=chainer.functions.relu, *,
                 device=None):
        self.values = (size, rate, path, keep, extra, activation, device)
        if size == 13:
            raise ValueError('13 brings bad luck')
        if size == 14:
            raise FileNotFoundError('x.txt: no such file')


def construct(args, **given):
    return build.construct(Thing, args, 'a.yml', 'thing', {'rate': (0, 1)}, **given)


def test_construct_converts_and_passes_on():
    thing = construct({'size': '2e1', 'rate': '1e-3', 'extra': [1]}, device='here', unknown='left out')
    assert thing.values == (20, 1e-3, '', True, [1], chainer.functions.relu, 'here')
    assert type(thing.values[0]) is int


@pytest.mark.parametrize('args, expected', [
    ({'size': 1, 'rat': 1}, "thing.args.rat: unknown key; did you mean 'rate'?"),
    ({'size': None}, 'thing.args.size: expected int, found nothing'),
    ({'size': 1, 'keep': 1}, 'thing.args.keep: expected bool, found 1 (int)'),
    ({'size': 1, 'path': 1}, 'thing.args.path: expected str, found 1 (int)'),
    ({'size': 1, 'rate': 1.5}, 'thing.args.rate: expected 0 to 1, found 1.5'),
    ({'size': 1, 'activation': 'relu'}, 'thing.args.activation: unknown key'),
    ({'size': 1, 'device': 0}, 'thing.args.device: unknown key'),
    ({}, 'thing.args.size: missing; Thing needs it'),
    ({'size': 13}, 'thing: 13 brings bad luck'), ({'size': 14}, 'thing: x.txt: no such file')])
def test_construct_refuses(args, expected):
    assert error_of(construct, args, device='here').startswith(f'a.yml: {expected}')


def test_construct_of_a_class_that_takes_anything():
    class Any:
        def __init__(self, *args, **kwargs):
            self.kwargs = kwargs
    made = build.construct(Any, {'x': 1}, 'a.yml', 'any', given=2)
    assert made.kwargs == {'x': 1, 'given': 2}


# Models

def test_models_are_made_from_the_seed_alone(tmp_path):
    made = []
    for seed in (1, 1, 2):
        build.seed_everything(seed, CPU)
        made.append([state_of(model) for model in build.build_models(*load(tmp_path))])
    for first, same, other in zip(*made, strict=True):
        assert_same(first, same)
        drawn = [name for name in first if name.endswith(('c1/W', 'l1/W', '/u'))]
        assert [name for name in drawn if np.array_equal(first[name], other[name])] == []


@pytest.mark.parametrize('changes, expected', [
    ({'models.generator.args.n_classes': 5}, 'models.generator.args.n_classes is 5 and '
                                             'models.discriminator.args.n_classes is 10: expected the same'),
    ({'models.generator.args.ch': 0}, 'models.generator.args.ch: expected at least 1, found 0'),
    ({'models.discriminator.args.n_classes': -1}, 'models.discriminator.args.n_classes: expected at least 0, found -1'),
    ({'models.generator.args.distribution': 'gauss'}, "models.generator.args.distribution: expected 'normal' or"),
    ({'models.discriminator.fn': 'gen_models/resnet_32.py', 'models.discriminator.name': 'ResNetGenerator'},
     'models.discriminator.name: expected a discriminator, found ResNetGenerator'),
    ({'models.generator.fn': 'dis_models/snresnet_32.py', 'models.generator.name': 'SNResNetProjectionDiscriminator',
      'models.generator.args': {'ch': 2}},
     'models.generator.name: expected a generator, found SNResNetProjectionDiscriminator')])
def test_models_refused(tmp_path, changes, expected):
    config, path = load(tmp_path, changes)
    assert error_of(build.build_models, config, path).startswith(f'{path}: {expected}')


# Dataset

def test_dataset(tmp_path):
    """`--data_dir` becomes `root`, where there is one, and wins."""
    (tmp_path / 'mine.py').write_text('class Mine:\n    def __init__(self, root, n=1):\n        self.got = root, n\n')
    mine = {'dataset.dataset_fn': 'mine.py', 'dataset.dataset_name': 'Mine'}
    config, path = load(tmp_path, {**mine, 'dataset.args': {'root': 'elsewhere', 'n': 2}})
    assert build.build_dataset(config, path).got == ('elsewhere', 2)
    assert build.build_dataset(config, path, str(tmp_path)).got == (str(tmp_path), 2)
    config, path = load(tmp_path, {**mine, 'dataset.args': {}})
    assert error_of(build.build_dataset, config, path, 'nowhere') == '--data_dir nowhere: no such folder'
    assert error_of(build.build_dataset, config, path) == (
        f'{path}: dataset: Mine needs the folder of the data: give --data_dir DIR')
    config, path = load(tmp_path)
    assert build.build_dataset(config, path, str(tmp_path)).size == 8
    config['dataset']['args']['size'] = 3
    assert error_of(build.build_dataset, config, path).startswith(f'{path}: dataset: size: expected')


# Agreement

def agree(folder, changes=None, n_classes=10, size=8, n_images=4):
    config, path = load(folder, changes)
    dataset = ImageDataset(np.zeros((n_images, 3, size, size), np.uint8), np.zeros(n_images), n_classes)
    gen, dis = build.build_models(config, path)
    return config, path, gen, dis, dataset


def test_classes_of_an_unconditional_run_need_not_agree(tmp_path):
    build.check_agreement(*agree(tmp_path, UNCONDITIONAL, n_classes=3))


@pytest.mark.parametrize('changes, arguments, expected', [
    ({}, {'n_classes': 9},
     'models.generator.args.n_classes: expected 9, the number of classes of DigitsDataset, found 10'),
    ({}, {'size': 16}, 'dataset: images are 16x16, but ResNetGenerator makes 8x8'),
    ({'models.discriminator.fn': 'dis_models/snresnet_64.py'}, {},
     'dataset: images are 8x8, but dis_models/snresnet_64.py takes multiples of 32'),
    ({}, {'n_images': 0}, 'dataset: no images'),
    ({**UNCONDITIONAL, 'updater.args.conditional': True}, {},
     'updater.args.conditional is true: expected models.generator.args.n_classes above 0, found 0'),
    ({'updater.args.conditional': False}, {},
     'updater.args.conditional is false: expected models.generator.args.n_classes 0, found 10')])
def test_disagreement(tmp_path, changes, arguments, expected):
    config, path, *rest = agree(tmp_path, changes, **arguments)
    assert error_of(build.check_agreement, config, path, *rest) == f'{path}: {expected}'


def test_smallest_image_a_discriminator_takes(tmp_path):
    """`size_divisor` is the size at which one pixel is left, by the network's own account."""
    for name, divisor in (('snresnet_32', 4), ('snresnet_64', 32), ('snresnet', 32), ('snresnet_256', 64)):
        config, path = load(tmp_path, {'models.discriminator.fn': f'dis_models/{name}.py'})
        _, dis = build.build_models(config, path)
        assert dis.size_divisor == divisor
        h = np.zeros((1, 3, divisor, divisor), np.float32)
        with chainer.using_config('train', False), chainer.no_backprop_mode():
            for block in dis.block_names:
                h = dis[block](h)
        assert h.shape[2:] == (1, 1)


# Updater

def updater_of(folder, changes=None):
    config, path, gen, dis, dataset = agree(folder, changes)
    return build.build_updater(config, path, gen, dis, dataset, CPU)


def test_updater_holds_what_the_config_says(tmp_path):
    updater = updater_of(tmp_path, {'adam': {'alpha': .1, 'beta1': .2, 'beta2': .3}, 'updater.args.loss_type': 'dcgan'})
    assert (updater.n_dis, updater.n_gen_samples, updater.loss_type, updater.conditional) == (2, 4, 'dcgan', True)
    assert updater.get_iterator('main').batch_size == 4
    for optimizer in (updater.get_optimizer('opt_gen'), updater.get_optimizer('opt_dis')):
        assert (optimizer.alpha, optimizer.beta1, optimizer.beta2) == (.1, .2, .3)
    assert (updater.sampler.dim_z, updater.sampler.n_classes) == (3, 10)


def test_seed_decides_order_and_noise_of_each_on_its_own(tmp_path):
    def draws(seed, sampler_first=False):
        updater = updater_of(tmp_path, {'seed': seed})
        if sampler_first:
            z = updater.sampler.continuous(5)
        x, _ = chainer.dataset.concat_examples(updater.get_iterator('main').next())
        return x, z if sampler_first else updater.sampler.continuous(5)
    x, z = draws(1)
    for same in draws(1), draws(1, sampler_first=True):
        np.testing.assert_array_equal(x, same[0])
        np.testing.assert_array_equal(z, same[1])
    x_other, z_other = draws(2)
    assert not np.isclose(z, z_other).any()
    assert (x != x_other).mean() > .9


@pytest.mark.parametrize('changes, expected', [
    ({'updater.args.n_dis': 0}, 'updater: n_dis must be at least 1, got 0'),
    ({'updater.args.n_gen_samples': -1}, 'updater: n_gen_samples must be at least 1, got -1'),
    ({'updater.args.loss_type': 'hing'}, 'updater: loss_type must be one of dcgan, hinge, wasserstein'),
    ({'updater.args.n_dis': None}, 'updater.args.n_dis: expected int, found nothing'),
    ({'updater.args.sampler': 3}, 'updater.args.sampler: unknown key')])
def test_updater_refused(tmp_path, changes, expected):
    config, path, gen, dis, dataset = agree(tmp_path, changes)
    message = error_of(build.build_updater, config, path, gen, dis, dataset, CPU)
    assert message.startswith(f'{path}: {expected}')


def test_feature_network(tmp_path, monkeypatch):
    config, path = load(tmp_path, {'evaluation': {'network': 'mine', 'weights': 'my.pth'}})
    assert error_of(build.build_feature_network, config, path).startswith(
        f'{path}: evaluation.network: expected one of digits')
    monkeypatch.setitem(build.NETWORKS, 'mine', lambda device, weights: SimpleNamespace(given=(device, weights)))
    assert build.build_feature_network(config, path, device=1).given == (1, 'my.pth')
    config['evaluation'] = {'network': 'inception', 'weights': str(tmp_path / 'missing')}
    assert error_of(build.build_feature_network, config, path).startswith(
        f'{path}: evaluation.network: {tmp_path / "missing"}: no Inception weights; make them with')
    config['evaluation']['network'] = None
    assert build.build_feature_network(config, path) is None


# Classes

def test_most_dogs_and_cats_missing(tmp_path):
    """Of 143 classes, whose labels begin at 151; without conditions they are of no matter."""
    write_packed(tmp_path, [0, 151, 152, 153, 999])
    dataset, gen = PackedDogAndCatDataset('train_20.npy', str(tmp_path), size=8), SimpleNamespace(n_classes=143)
    config, path = load(tmp_path)
    assert error_of(build.check_classes, config, path, gen, dataset) == (
        f'{path}: dataset: 140 of 143 classes have no image: 3, 4, 5, ...')
    config['updater']['args']['conditional'] = False
    build.check_classes(config, path, gen, dataset)


@pytest.mark.parametrize('is_first', [True, False])
def test_some_classes_empty(tmp_path, capsys, is_first):
    """Said once, by the first of several processes."""
    dataset = ImageDataset(np.zeros((7, 3, 8, 8), np.uint8), np.arange(7), 10)
    config, path = load(tmp_path)
    build.check_classes(config, path, SimpleNamespace(n_classes=10), dataset, is_first)
    said = f'warning: {path}: dataset: 3 of 10 classes have no image: 7, 8, 9\n'
    assert capsys.readouterr().err == said * is_first


@pytest.mark.parametrize('body, expected', [
    ('1 / 0', 'dataset: Own.names_of: own.py:3: ZeroDivisionError: division by zero'),
    ('7', "dataset: Own.names_of: TypeError: 'int' object is not iterable")])
def test_names_of_ones_own_that_fail(tmp_path, monkeypatch, body, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'own.py').write_text(f'class Own:\n    names_of = staticmethod(lambda args: Own._of())\n'
                                     f'    _of = staticmethod(lambda: {body})\n')
    config, path = load(tmp_path, {'dataset': {'dataset_fn': 'own.py', 'dataset_name': 'Own', 'args': {}}})
    assert expected in error_of(build.class_names_of, config, path)
