"""The classes that configs name."""
import pickle
import sys

from source.config.load_class import load_class, with_files_located
from source.config.yaml_utils import load_config
from tests.narrow import error_of, write_class, write_config

import pytest

PROJECTION = 'SNResNetProjectionDiscriminator'


@pytest.mark.parametrize('fn, name, expected', [
    ('source/datasets/digits.py', 'DigitsDataset', 'source.datasets.digits.DigitsDataset'),
    ('./datasets/digits.py', 'DigitsDataset', 'source.datasets.digits.DigitsDataset'),
    ('updater.py', 'Updater', 'source.updater.Updater'),
    ('ac_updater.py', 'ACUpdater', 'source.iteration.ac_updater.ACUpdater'),
    ('source/ac_updater.py', 'ACUpdater', 'source.iteration.ac_updater.ACUpdater'),
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
    """And those of every earlier state of the authors' repository, and of this one."""
    found = load_class(fn, name, 'a.yml', 'key')
    assert f'{found.__module__}.{found.__name__}' == expected


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


@pytest.mark.parametrize('name', ['datasets', 'pictures'])
def test_files_called_as_a_room_of_source(tmp_path, name):
    write_class(tmp_path / f'{name}.py', 'Mine')
    assert load_class(f'{name}.py', 'Mine', str(tmp_path / 'a.yml'), 'dataset').__module__.startswith('_config_file_')


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
    path = write_config(tmp_path / 'beside', {'dataset.dataset_fn': 'data.py', 'updater.fn': 'here.py'})
    config = load_config(path)
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
