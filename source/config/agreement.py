"""Whether the networks of a config, and its data set, go together."""
import inspect
import numbers

from source.command_line.standard_streams import tell
from source.command_line.user_code import describe_error
from source.config.checks import ConfigError
from source.datasets.batch_checks import whole_labels

import numpy as np

BASES = 'gen_models.base', 'gen_models.cnn_base', 'dis_models.base', 'dis_models.sncnn_base'  # of our networks
N_NAMED = 3  # classes without images that a message names


def channels_of(images):
    """How many channels the images of a network or data set have, 3 or 1, where it says so, or else None."""
    channels = getattr(images, 'channels', None)
    return channels if isinstance(channels, numbers.Integral) and channels in (3, 1) else None


def check_models(config_path, gen, dis):
    """Raise ConfigError where generator and discriminator are something else, or differ in classes or channels."""
    if not hasattr(gen, 'dim_z') or hasattr(dis, 'dim_z'):
        kind, found = ('discriminator', dis) if hasattr(gen, 'dim_z') else ('generator', gen)
        raise ConfigError(f'{config_path}: models.{kind}.name: expected a {kind}, found {type(found).__name__}')
    if gen.distribution not in ('normal', 'uniform'):
        raise ConfigError(f"{config_path}: models.generator.args.distribution: expected 'normal' or 'uniform', "
                          f'found {gen.distribution!r}')
    if gen.n_classes != dis.n_classes:
        raise ConfigError(f'{config_path}: models.generator.args.n_classes is {gen.n_classes} and '
                          f'models.discriminator.args.n_classes is {dis.n_classes}: expected the same number')
    for kind, model in zip(('generator', 'discriminator'), (gen, dis), strict=True):
        is_ours = any(base.__module__ in BASES for base in type(model).__mro__)
        if is_ours and channels_of(model) is None:
            raise ConfigError(f'{config_path}: models.{kind}.args.channels: expected 3 or 1, found {model.channels}')
    if {channels_of(gen), channels_of(dis)} == {3, 1}:
        raise ConfigError(f'{config_path}: models.generator.args.channels is {gen.channels} and '
                          f'models.discriminator.args.channels is {dis.channels}: expected the same number')


def check_agreement(config, config_path, gen, dis, dataset):
    """Raises ConfigError where dataset and models differ in image size, channels or number of classes."""
    conditional = bool(config['updater']['args'].get('conditional', False))
    if conditional and gen.n_classes == 0:
        raise ConfigError(f'{config_path}: updater.args.conditional is true: expected models.generator.args.n_classes '
                          f'above 0, found 0')
    if not conditional and gen.n_classes > 0:
        raise ConfigError(f'{config_path}: updater.args.conditional is false: expected models.generator.args.n_classes '
                          f'0, found {gen.n_classes}')
    n_classes, size = (whole_number(dataset, name) for name in ('n_classes', 'size'))
    if conditional and n_classes is not None and n_classes != gen.n_classes:
        raise ConfigError(f'{config_path}: models.generator.args.n_classes: expected {n_classes}, the number of '
                          f'classes of {config["dataset"]["dataset_name"]}, found {gen.n_classes}')
    if size is not None and size != getattr(gen, 'image_size', size):
        raise ConfigError(f'{config_path}: dataset: images are {size}x{size}, but '
                          f'{config["models"]["generator"]["name"]} makes {gen.image_size}x{gen.image_size}')
    channels = channels_of(dataset)
    if {channels, channels_of(gen)} == {3, 1}:
        key = '.args.channels' if 'channels' in inspect.signature(type(dataset)).parameters else ''
        raise ConfigError(f'{config_path}: dataset{key}: images of {config["dataset"]["dataset_name"]} have '
                          f'{channels}, but models.generator.args.channels is {gen.channels}: expected the same number')
    divisor = getattr(dis, 'size_divisor', 1)
    if size is not None and size % divisor:
        raise ConfigError(f'{config_path}: dataset: images are {size}x{size}, but '
                          f'{config["models"]["discriminator"]["fn"]} takes multiples of {divisor}')
    try:
        n_images = len(dataset)
    except Exception as error:
        name = config['dataset']['dataset_name']
        raise ConfigError(f'{config_path}: dataset: {name}: {describe_error(error)}') from error
    if n_images == 0:
        raise ConfigError(f'{config_path}: dataset: no images')


def check_classes(config, config_path, gen, dataset, is_first=True):
    """Raise ConfigError where most classes of a conditional run have no image; print a warning where some have none.

    Data sets without whole-numbered `labels`, one an image, are not looked at. The `is_first` of several processes
    prints.
    """
    labels = whole_labels(dataset)
    conditional = bool(config['updater']['args'].get('conditional', False))
    if not conditional or labels is None or labels.min() < 0 or labels.max() >= gen.n_classes:
        return  # out of range: BatchCheck tells, unless the images come with others
    line, n_empty = empty_classes(labels, gen.n_classes)
    if 2 * n_empty > gen.n_classes:
        raise ConfigError(f'{config_path}: dataset: {line}')
    if line and is_first:
        tell(f'warning: {config_path}: dataset: {line}')


def empty_classes(labels, n_classes):
    """A line that names the first classes without images, '' where each has some, and their number."""
    empty = np.flatnonzero(np.bincount(labels, minlength=n_classes) == 0)
    line = (f'{len(empty)} of {n_classes} classes have no image: '
            f'{", ".join(map(str, empty[:N_NAMED]))}{", ..." * (len(empty) > N_NAMED)}')
    return line if len(empty) else '', len(empty)


def whole_number(dataset, name):
    """Return an attribute of a data set where it has it as a whole number, or else None."""
    value = getattr(dataset, name, None)
    return value if isinstance(value, numbers.Integral) else None
