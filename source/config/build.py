"""From a checked config to models, dataset and updater: the one place where what it says becomes objects."""
import inspect
import math
from pathlib import Path

from source.command_line.user_code import describe_error
from source.config.agreement import check_models, whole_number
from source.config.checks import ConfigError
from source.config.construct import construct
from source.config.learning_rates import learning_rates
from source.config.load_class import is_there, load_class
from source.datasets.batch_iterator import BatchIterator
from source.datasets.pairs_as_images import as_images
from source.datasets.parallel_batch_iterator import ParallelBatchIterator
from source.feature_networks import NETWORKS, load_feature_network
from source.feature_networks.known_classes import KNOWN, why_foreign
from source.kernels.switch import use_cpu_kernels, use_precision
from source.miscs.noise_sampler import NoiseSampler
from source.optimizers.adam import Adam
from source.processes import ALONE, AverageGradients

import numpy as np

MODEL_RANGES = {**dict.fromkeys(('ch', 'dim_z', 'bottom_width', 'dim_emb', 'channels'), (1, math.inf)),
                'n_classes': (0, math.inf)}
MODELS = 'generator', 'discriminator'
AUTO = 'auto'  # as n_classes: the number that the data set has


def note_data(config, config_path, dataset):
    """Put what a data set knows into a config: its number of classes for 'auto', their names and which images it has.

    The latter two where its class takes them, so that the resolved config of a run says what it was trained on. Raises
    ConfigError where there are no classes.
    """
    for kind in MODELS:
        args = config['models'][kind]['args']
        if args.get('n_classes') == AUTO:
            args['n_classes'] = whole_number(dataset, 'n_classes') or 0
            if not args['n_classes']:
                raise ConfigError(f'{config_path}: models.{kind}.args.n_classes: auto: expected a data set with '
                                  f'classes, found {config["dataset"]["dataset_name"]} without any; '
                                  'configs/sn_folder.yml trains without')
    names = getattr(dataset, 'class_names', None) if config['updater']['args'].get('conditional') else None
    for key, value in (('classes', names and list(names)), ('images', getattr(dataset, 'found', None))):
        if value and key in inspect.signature(type(dataset)).parameters:
            config['dataset']['args'][key] = value


def counts_classes(config):
    """Whether the networks of a config have as many classes as the data set, which so has to be there before them."""
    return any(config['models'][kind]['args'].get('n_classes') == AUTO for kind in MODELS)


def n_classes_of(config):
    """The number of classes that a config's generator knows; 0 without any, and where it is the data set's."""
    n_classes = config['models']['generator']['args'].get('n_classes', 0)
    return 0 if n_classes == AUTO else n_classes


def build_models(config, config_path):
    """Generator and discriminator, initialized from NumPy's global random state, that agree in classes and channels."""
    if counts_classes(config):
        raise ConfigError(f'{config_path}: models.generator.args.n_classes: expected a number, as the config.yml '
                          "beside a snapshot has it, found 'auto'")
    gen, dis = (
        construct(load_class(spec['fn'], spec['name'], config_path, key), spec['args'], config_path, key, MODEL_RANGES)
        for key, spec in ((f'models.{kind}', config['models'][kind]) for kind in MODELS))
    check_models(config_path, gen, dis)
    return gen, dis


def build_dataset(config, config_path, data_dir=None, test=False):
    """The training set as the config describes it; `data_dir` is given to datasets with a `root`.

    With `test` the test set, or None where the class has none: it takes neither `test` nor `split`.
    """
    spec = config['dataset']
    cls = load_class(spec['dataset_fn'], spec['dataset_name'], config_path, 'dataset')
    args = spec['args']
    if test:
        chosen = {name: value for name, value in (('test', True), ('split', 'test'))
                  if name in inspect.signature(cls).parameters}
        if not chosen:
            return None
        args = {**args, **chosen}
    root = inspect.signature(cls).parameters.get('root')
    if data_dir is not None:
        if not Path(data_dir).is_dir():
            raise ConfigError(f'--data_dir {data_dir}: no such folder')
        args = {**args, 'root': data_dir} if root else args
    elif root and root.default is root.empty and 'root' not in args:
        raise ConfigError(f'{config_path}: dataset: {cls.__name__} needs the folder of the data: give --data_dir DIR')
    return construct(cls, args, config_path, 'dataset')


def build_real_images(config, config_path, data_dir=None, test=False):
    """What `build_dataset` returns, as 8-bit images with labels; raises ConfigError for other data."""
    dataset = build_dataset(config, config_path, data_dir, test)
    return dataset if dataset is None else as_real_images(dataset, config, config_path)


def real_images_of(config, config_path, data_dir=None):
    """Return `build_real_images` as a function of `test` alone; it returns None where there is no test set."""
    return lambda test: build_real_images(config, str(config_path), data_dir, test)


def as_real_images(dataset, config, config_path):
    """A config's data set as 8-bit images with labels (pairs_as_images.py); raises ConfigError for other data."""
    try:
        return as_images(dataset, n_classes_of(config))
    except (ValueError, OSError) as error:
        raise ConfigError(f'{config_path}: dataset: {error}') from error


def class_names_of(config, config_path):
    """The names of a config's classes in order, a list, or None where its data set's class does not say them.

    A data set offers them as a class method `names_of(args)` (see `ImageDataset`); no data is read.
    """
    spec = config['dataset']
    names_of = getattr(load_class(spec['dataset_fn'], spec['dataset_name'], config_path, 'dataset'), 'names_of', None)
    if names_of is None:
        return None
    try:
        names = names_of(spec['args'])
        return None if names is None else [str(name) for name in names]
    except (ValueError, OSError):
        raise
    except Exception as error:
        where = f'{config_path}: dataset: {spec["dataset_name"]}.names_of'
        raise ConfigError(f'{where}: {describe_error(error)}') from error


def build_feature_network(config, config_path, device=-1, said=None):
    """The feature network that scores samples, or None where the config names none; -1 is the CPU, else a GPU.

    Its `foreign` says why it is foreign to the config's data (known_classes.py), or is None; `n_classes` is 0 then.
    `said` is the argument that chose it, for messages; default: the config's key.
    """
    said = said or f'{config_path}: evaluation.network'
    name = config['evaluation']['network']
    if name is not None and name not in NETWORKS:
        raise ConfigError(f'{said}: expected one of {", ".join(NETWORKS)}, found {name!r}')
    if name is None:
        return None
    try:
        network = load_feature_network(name, device, config['evaluation']['weights'])
    except (ValueError, OSError) as error:
        raise ConfigError(f'{said}: {error}') from error
    network.be_foreign(foreign_judge(config, config_path, name))
    return network


def foreign_judge(config, config_path, network):
    """Why the network of this name is foreign to a config's data, a line, or None; see known_classes.py."""
    if network not in KNOWN:
        return None
    fn = config['dataset']['dataset_fn']
    names = class_names_of(config, config_path) if is_there(fn, config_path) else None  # a user's may be gone by now
    return why_foreign(network, names, config['dataset']['dataset_name'])


def build_iterator(config, dataset, seed, process=(0, 1)):
    """The endless batches of training, read ahead by `loader_workers` threads; the same ones for any number of them.

    `process` is (rank, size) of several processes.
    """
    workers, shares = config['loader_workers'], {'process': process, 'accumulate': config['accumulate'] or 1}
    if workers == 0:
        return BatchIterator(dataset, config['batchsize'], seed, **shares)
    return ParallelBatchIterator(dataset, config['batchsize'], seed, workers, **shares)


def build_updater(config, config_path, gen, dis, dataset, device, processes=ALONE):
    """Updater with Adam for both models, its iterator and its noise; everything random is drawn from `seed`."""
    optimizers, alphas = {}, learning_rates(config)
    for kind, model in (('gen', gen), ('dis', dis)):
        name = f'opt_{kind}'
        model.to_device(device)
        optimizers[name] = Adam(alphas[kind], config['adam']['beta1'], config['adam']['beta2'])
        optimizers[name].setup(model)
        if processes.size > 1:
            processes.share(model)
            optimizers[name].add_hook(AverageGradients(processes))
    spec = config['updater']
    cls = load_class(spec['fn'], spec['name'], config_path, 'updater')
    seed = config['seed']
    iterator = build_iterator(config, dataset, (seed, 1), (processes.rank, processes.size))
    updater = construct(
        cls, spec['args'], config_path, 'updater', models={'gen': gen, 'dis': dis}, optimizer=optimizers, device=device,
        iterator=iterator, sampler=NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, seed=(seed, 2)),
        seed=(seed, 5), capture=config['capture'])
    n_parts, made = iterator.accumulate, getattr(getattr(updater, 'parts', None), 'n', 1)
    if n_parts != made:
        raise ConfigError(f'{config_path}: accumulate: expected 1, as {cls.__name__} makes no parts; found {n_parts}')
    if getattr(updater, 'capture', False) and not config['capture']:
        raise ConfigError(f'{config_path}: capture: expected true, as {cls.__name__} takes no argument `capture` to '
                          'hand on to Updater; found false')
    return updater


def use_kernels(config, device):
    """Have this process compute from now on as a config says: in its `precision` and, on a CPU, with `cpu_kernels`."""
    if device.xp is np:
        use_cpu_kernels(config['cpu_kernels'])
    use_precision(config['precision'])


def seed_everything(seed, device):
    """Seeds the global random states that initializers draw from."""
    np.random.seed(seed)
    if device.xp is not np:
        device.xp.random.seed(seed)
