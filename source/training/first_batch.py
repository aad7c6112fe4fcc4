"""One batch, looked at before training: what is wrong with a data set is said before anything is written."""
import copy
import numbers

from source.command_line.standard_streams import tell
from source.command_line.user_code import describe_error, is_users
from source.config.agreement import channels_of
from source.config.checks import ConfigError
from source.datasets.batch_checks import BadBatch, BatchCheck, warning_of, whole_labels
from source.training.kept_random_states import kept_random_states
from source.updater import Updater

import chainer
import numpy as np


def check_first_batch(config, config_path, gen, dataset, updater, is_first=True):
    """Read the batch that an updater would begin with, check it, and have the updater check all that follow.

    Nothing advances: iterator, random states and the data set's own attributes are after it what they were. The
    `is_first` of several processes prints a warning, where there is one. An updater of the user's with a `real_batch`
    of its own may want other images, and is left alone. Raises ConfigError.
    """
    if getattr(type(updater), 'real_batch', None) is not Updater.real_batch:
        return
    name = config['dataset']['dataset_name']
    conditional = bool(config['updater']['args'].get('conditional', False))
    iterator = updater.get_iterator('main')
    with kept_random_states(dataset):
        check = BatchCheck(gen.n_classes if conditional else None, image_shape(gen, config, config_path),
                           f'{config_path}: dataset: {name}')
        try:
            examples, indices = check.read(dataset, iterator.look)
            check.check(examples, indices)
            check_apart(check, dataset, [x for x, _ in examples], indices)
            x, y = check.convert(examples, updater.converter)
            labels = whole_labels(dataset)
            if conditional and labels is not None and np.array_equal(
                    labels[indices], chainer.backends.cuda.to_cpu(y)):  # they are the images'
                check.check_all_labels(labels)
        except BadBatch as error:
            raise ConfigError(str(error)) from error
        except OSError as error:
            if not is_users(type(dataset)):
                raise
            raise ConfigError(f'{check.where}: {describe_error(error)}') from error
    line = warning_of(x)
    if line and is_first:
        tell(f'warning: {check.where}: {line}')
    updater.batch_check = check


def check_apart(check, dataset, images, indices):
    """Raise BadBatch where images are one array that the data set fills again for each."""
    seen = {}
    for k, x in enumerate(images):
        first = seen.setdefault(x.__array_interface__['data'][0], k) if isinstance(x, np.ndarray) else k
        if indices[first] != indices[k]:
            before = x.copy()
            check.read(dataset, lambda i=indices[first]: dataset[int(i)])
            if not np.array_equal(x, before):
                raise BadBatch(f'{check.where}: image {indices[first]} and image {indices[k]} are the same array; '
                               'expected a copy for each')
            return  # they may be one image that the data set has twice


def image_shape(gen, config, config_path):
    """Return the shape (C, H, W) of a generator's images.

    They are made by a copy of it where it has no `image_size`, or no `channels` that are 3 or 1.
    """
    size, channels = getattr(gen, 'image_size', None), channels_of(gen)
    if isinstance(size, numbers.Integral) and channels is not None:
        return int(channels), int(size), int(size)
    try:
        with chainer.using_config('train', False), chainer.no_backprop_mode(), chainer.using_device(gen.device):
            z = gen.xp.zeros((1, gen.dim_z), np.float32)
            y = gen.xp.zeros(1, np.int32) if gen.n_classes > 0 else None
            _, *shape = copy.deepcopy(gen)(1, z=z, y=y).shape
            if len(shape) != 3:
                raise ValueError(f'expected an image (C, H, W), made {tuple(shape)}')
    except Exception as error:
        raise ConfigError(f'{config_path}: models.generator: {config["models"]["generator"]["name"]}: '
                          f'{describe_error(error)}') from error
    return tuple(shape)
