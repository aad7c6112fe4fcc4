"""A config of the digits that trains in a second, and a way to run a command without a process of its own."""
import copy
import sys
from unittest import mock

from source.config.checks import ConfigError

import pytest
import yaml

REMOVED = object()
NARROW = {
    'batchsize': 4, 'iteration': 2, 'seed': 5, 'display_interval': 2, 'snapshot_interval': 2, 'evaluation_interval': 2,
    'models': {
        'generator': {'fn': 'gen_models/resnet_32.py', 'name': 'ResNetGenerator',
                      'args': {'ch': 4, 'dim_z': 3, 'bottom_width': 1, 'n_classes': 10}},
        'discriminator': {'fn': 'dis_models/snresnet_32.py', 'name': 'SNResNetProjectionDiscriminator',
                          'args': {'ch': 4, 'n_classes': 10}}},
    'dataset': {'dataset_fn': 'datasets/digits.py', 'dataset_name': 'DigitsDataset', 'args': {'size': 8}},
    'updater': {'args': {'n_dis': 2, 'n_gen_samples': 4, 'conditional': True}},
}
UNCONDITIONAL = {'models.generator.args.n_classes': 0, 'models.discriminator.args.n_classes': 0,
                 'updater.args.conditional': False}
GREY_MODELS = {'models.generator.args.channels': 1, 'models.discriminator.args.channels': 1}
GREY = {**GREY_MODELS, 'dataset.args.channels': 1}


def narrow_config(changes=None):
    """The config as a dict, with changes {'key.key': value or REMOVED}."""
    config = copy.deepcopy(NARROW)
    for name, value in (changes or {}).items():
        *parents, last = name.split('.')
        values = config
        for parent in parents:
            values = values.setdefault(parent, {})
        if value is REMOVED:
            del values[last]
        else:
            values[last] = value
    return config


def write_config(folder, changes=None, name='narrow.yml'):
    path = folder / name
    path.write_text(yaml.safe_dump(narrow_config(changes), sort_keys=False))
    return path


def write_class(path, name, line='pass'):
    """A file of a user's, with a class of one line."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'class {name}:\n    {line}\n')


def run(main, *arguments):
    """Calls a command's `main` with these arguments; returns the exit status."""
    with mock.patch.object(sys, 'argv', ['command', *map(str, arguments)]):
        try:
            main()
        except SystemExit as stop:
            return stop.code
    return 0


def files_in(folder):
    """{path relative to the folder: bytes} of every file."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def error_of(function, *args, **kwargs):
    """The message, one line, of the ConfigError that the function raises."""
    with pytest.raises(ConfigError) as caught:
        function(*args, **kwargs)
    assert '\n' not in str(caught.value)
    return str(caught.value)
