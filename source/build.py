"""From a checked config to models, dataset and updater: the one place where names in configs become objects."""
import copy
import importlib
import importlib.util
import inspect
import math
import numbers
import sys
import zlib
from pathlib import Path

from source.datasets.batch_checks import whole_labels
from source.datasets.batch_iterator import BatchIterator
from source.datasets.pairs_as_images import as_images
from source.datasets.parallel_batch_iterator import ParallelBatchIterator
from source.feature_networks import NETWORKS, load_feature_network
from source.feature_networks.known_classes import KNOWN, why_foreign
from source.learning_rates import learning_rates
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.one_line_errors import message_of
from source.miscs.standard_streams import tell
from source.miscs.user_code import describe_error, is_users
from source.optimizers.adam import Adam
from source.processes import ALONE, AverageGradients
from source.yaml_utils import ConfigError, check_names, check_ranges, convert

import numpy as np

# Earlier states of the authors' repository used these names for what is here under another.
EARLIER_MODULES = {
    'gen_models.resnet_128': 'gen_models.resnet',
    'gen_models.resnet_dog_and_cat_128': 'gen_models.resnet_small',
    'gen_models.resnet_dog_and_cat_256': 'gen_models.resnet_256',
    'dis_models.snresnet_128': 'dis_models.snresnet',
    'dis_models.snresnet_dog_and_cat_128': 'dis_models.snresnet_small',
}
EARLIER_CLASSES = {
    'ResNetGenerator32': 'ResNetGenerator',
    'ResNetGeneratorImageNet': 'ResNetGenerator',
    'SNResNetDiscriminator32': 'SNResNetProjectionDiscriminator',
    'Cifar10Dataset': 'CIFAR10Dataset',
}
MODEL_RANGES = {**dict.fromkeys(('ch', 'dim_z', 'bottom_width', 'dim_emb', 'channels'), (1, math.inf)),
                'n_classes': (0, math.inf)}
MODELS = 'generator', 'discriminator'
BASES = 'gen_models.base', 'gen_models.cnn_base', 'dis_models.base', 'dis_models.sncnn_base'  # of our networks
AUTO = 'auto'  # as n_classes: the number that the data set has
N_NAMED = 3  # classes without images that a message names
PACKAGES = ('gen_models', 'dis_models', 'source.datasets', 'source')


def load_class(fn, name, source, key):
    """The class `name` in the file `fn`, as configs write it ('gen_models/resnet_32.py', 'updater.py').

    A name of this project's own wins; any other path is loaded as a file, under a module name nobody else has.
    """
    if not fn.endswith('.py'):
        raise ConfigError(f'{source}: {key}: expected a file name ending in .py, found {fn!r}')
    module = _own_module(fn) or _file_module(fn, source, key)
    found = getattr(module, name, None) or getattr(module, EARLIER_CLASSES.get(name, ''), None)
    if not inspect.isclass(found):
        classes = [n for n, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module.__name__]
        raise ConfigError(f'{source}: {key}: no class {name!r} in {fn}; it holds {", ".join(classes) or "none"}')
    return found


def _own_module(fn):
    if Path(fn).is_absolute():
        return None
    dotted = '.'.join(Path(fn).with_suffix('').parts)
    for candidate in (dotted, f'source.{dotted}'):
        candidate = EARLIER_MODULES.get(candidate, candidate)
        if candidate.startswith(PACKAGES) and _exists(candidate):
            return importlib.import_module(candidate)
    return None


def _exists(module_name):
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError:
        return False


def with_files_located(config, source):
    """A config in which files of the user's own have absolute names, so that it can be read from any folder."""
    located = copy.deepcopy(config)
    for section, name in ((located['dataset'], 'dataset_fn'), (located['updater'], 'fn'),
                          *((spec, 'fn') for spec in located['models'].values())):
        path = None if _own_module(section[name]) else _file(section[name], source)
        if path is not None:
            section[name] = str(path.resolve())
    return located


def _file(fn, source):
    found = next((path for path in (Path(fn), Path(source).parent / fn) if path.is_file()), None)
    if found is None and Path(fn).is_absolute():  # of a project that was moved
        found = next((path for path in (Path(Path(fn).name), Path(source).with_name(Path(fn).name)) if path.is_file()),
                     None)
        if found is not None:
            tell(f'{fn}: is not there; {found} is taken')
    return found


def _file_module(fn, source, key):
    path = _file(fn, source)
    if path is None:
        raise ConfigError(f'{source}: {key}.{"dataset_fn" if key == "dataset" else "fn"}: no such file: {fn}')
    spec = importlib.util.spec_from_file_location(f'_config_file_{zlib.crc32(str(path.resolve()).encode()):08x}', path)
    status = path.stat()
    version = status.st_mtime_ns, status.st_size
    if getattr(sys.modules.get(spec.name), '_version', None) == version:
        return sys.modules[spec.name]  # one module, as an import has it: its classes and globals are the same ones
    module = importlib.util.module_from_spec(spec)
    module._version = version
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise ConfigError(f'{source}: {key}: {fn} cannot be imported: {describe_error(error)}') from error
    return module


def construct(cls, args, source, key, ranges=None, **given):
    """cls(**args, **given), where `args` come from a config and are checked against the constructor's signature.

    Numbers in `args` are checked against `ranges` too. `args` may not name what is `given`; of that, what the
    constructor does not take is left out.
    """
    parameters = inspect.signature(cls).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if not takes_any:
        settable = [n for n, p in parameters.items() if n not in given and not inspect.isfunction(p.default)]
        check_names(args, settable, source, f'{key}.args.')
    checked = {}
    for name, value in args.items():
        parameter = parameters.get(name)
        expected = _expected_type(parameter)
        keep = expected is None or (value is None and parameter.default is None)
        checked[name] = value if keep else convert(value, expected, source, f'{key}.args.{name}')
    check_ranges(checked, ranges or {}, source, f'{key}.args.')
    checked.update({k: v for k, v in given.items() if k in parameters or takes_any})
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in checked
               and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if missing:
        raise ConfigError(f'{source}: {key}.args.{missing[0]}: missing; {cls.__name__} needs it')
    try:
        return cls(**checked)
    except (ValueError, OSError) as error:
        raise ConfigError(f'{source}: {key}: {" ".join(message_of(error).splitlines())}') from error
    except Exception as error:
        if not is_users(cls):
            raise
        raise ConfigError(f'{source}: {key}: {cls.__name__}: {describe_error(error)}') from error


def _expected_type(parameter):
    if parameter is None:
        return None
    simple = (bool, int, float, str)
    if parameter.annotation in simple:
        return parameter.annotation
    return type(parameter.default) if type(parameter.default) in simple else None


def note_data(config, source, dataset):
    """Put what a data set knows into a config: its number of classes for 'auto', their names and which images it has.

    The latter two where its class takes them, so that the resolved config of a run says what it was trained on. Raises
    ConfigError where there are no classes.
    """
    for kind in MODELS:
        args = config['models'][kind]['args']
        if args.get('n_classes') == AUTO:
            args['n_classes'] = _whole(dataset, 'n_classes') or 0
            if not args['n_classes']:
                raise ConfigError(f'{source}: models.{kind}.args.n_classes: auto: expected a data set with classes, '
                                  f'found {config["dataset"]["dataset_name"]} without any; configs/sn_folder.yml '
                                  'trains without')
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


def build_models(config, source):
    """Generator and discriminator, initialized from NumPy's global random state, that agree in classes and channels."""
    if counts_classes(config):
        raise ConfigError(f'{source}: models.generator.args.n_classes: expected a number, as the config.yml beside a '
                          "snapshot has it, found 'auto'")
    gen, dis = (
        construct(load_class(spec['fn'], spec['name'], source, key), spec['args'], source, key, MODEL_RANGES)
        for key, spec in ((f'models.{kind}', config['models'][kind]) for kind in MODELS))
    if not hasattr(gen, 'dim_z') or hasattr(dis, 'dim_z'):
        kind, found = ('discriminator', dis) if hasattr(gen, 'dim_z') else ('generator', gen)
        raise ConfigError(f'{source}: models.{kind}.name: expected a {kind}, found {type(found).__name__}')
    if gen.distribution not in ('normal', 'uniform'):
        raise ConfigError(f"{source}: models.generator.args.distribution: expected 'normal' or 'uniform', "
                          f'found {gen.distribution!r}')
    if gen.n_classes != dis.n_classes:
        raise ConfigError(f'{source}: models.generator.args.n_classes is {gen.n_classes} and '
                          f'models.discriminator.args.n_classes is {dis.n_classes}: expected the same number')
    for kind, model in zip(MODELS, (gen, dis), strict=True):
        is_ours = any(base.__module__ in BASES for base in type(model).__mro__)
        if is_ours and channels_of(model) is None:
            raise ConfigError(f'{source}: models.{kind}.args.channels: expected 3 or 1, found {model.channels}')
    if {channels_of(gen), channels_of(dis)} == {3, 1}:
        raise ConfigError(f'{source}: models.generator.args.channels is {gen.channels} and '
                          f'models.discriminator.args.channels is {dis.channels}: expected the same number')
    return gen, dis


def channels_of(images):
    """How many channels the images of a network or data set have, 3 or 1, where it says so, or else None."""
    channels = getattr(images, 'channels', None)
    return channels if isinstance(channels, numbers.Integral) and channels in (3, 1) else None


def build_dataset(config, source, data_dir=None, test=False):
    """The training set as the config describes it; `data_dir` is given to datasets with a `root`.

    With `test` the test set, or None where the class has none: it takes neither `test` nor `split`.
    """
    spec = config['dataset']
    cls = load_class(spec['dataset_fn'], spec['dataset_name'], source, 'dataset')
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
        raise ConfigError(f'{source}: dataset: {cls.__name__} needs the folder of the data: give --data_dir DIR')
    return construct(cls, args, source, 'dataset')


def build_real_images(config, source, data_dir=None, test=False):
    """What `build_dataset` returns, as 8-bit images with labels; raises ConfigError for other data."""
    dataset = build_dataset(config, source, data_dir, test)
    return dataset if dataset is None else as_real_images(dataset, config, source)


def as_real_images(dataset, config, source):
    """A config's data set as 8-bit images with labels (pairs_as_images.py); raises ConfigError for other data."""
    try:
        return as_images(dataset, n_classes_of(config))
    except (ValueError, OSError) as error:
        raise ConfigError(f'{source}: dataset: {error}') from error


def class_names_of(config, source):
    """The names of a config's classes in order, a list, or None where its data set's class does not say them.

    A data set offers them as a class method `names_of(args)` (see `ImageDataset`); no data is read.
    """
    spec = config['dataset']
    names_of = getattr(load_class(spec['dataset_fn'], spec['dataset_name'], source, 'dataset'), 'names_of', None)
    if names_of is None:
        return None
    try:
        names = names_of(spec['args'])
        return None if names is None else [str(name) for name in names]
    except (ValueError, OSError):
        raise
    except Exception as error:
        raise ConfigError(f'{source}: dataset: {spec["dataset_name"]}.names_of: {describe_error(error)}') from error


def check_agreement(config, source, gen, dis, dataset):
    """Raises ConfigError where dataset and models differ in image size, channels or number of classes."""
    conditional = bool(config['updater']['args'].get('conditional', False))
    if conditional and gen.n_classes == 0:
        raise ConfigError(f'{source}: updater.args.conditional is true: expected models.generator.args.n_classes '
                          f'above 0, found 0')
    if not conditional and gen.n_classes > 0:
        raise ConfigError(f'{source}: updater.args.conditional is false: expected models.generator.args.n_classes 0, '
                          f'found {gen.n_classes}')
    n_classes, size = (_whole(dataset, name) for name in ('n_classes', 'size'))
    if conditional and n_classes is not None and n_classes != gen.n_classes:
        raise ConfigError(f'{source}: models.generator.args.n_classes: expected {n_classes}, the number of classes of '
                          f'{config["dataset"]["dataset_name"]}, found {gen.n_classes}')
    if size is not None and size != getattr(gen, 'image_size', size):
        raise ConfigError(f'{source}: dataset: images are {size}x{size}, but {config["models"]["generator"]["name"]} '
                          f'makes {gen.image_size}x{gen.image_size}')
    channels = channels_of(dataset)
    if {channels, channels_of(gen)} == {3, 1}:
        key = '.args.channels' if 'channels' in inspect.signature(type(dataset)).parameters else ''
        raise ConfigError(f'{source}: dataset{key}: images of {config["dataset"]["dataset_name"]} have {channels}, but '
                          f'models.generator.args.channels is {gen.channels}: expected the same number')
    divisor = getattr(dis, 'size_divisor', 1)
    if size is not None and size % divisor:
        raise ConfigError(f'{source}: dataset: images are {size}x{size}, but {config["models"]["discriminator"]["fn"]} '
                          f'takes multiples of {divisor}')
    try:
        n_images = len(dataset)
    except Exception as error:
        raise ConfigError(f'{source}: dataset: {config["dataset"]["dataset_name"]}: {describe_error(error)}') from error
    if n_images == 0:
        raise ConfigError(f'{source}: dataset: no images')


def check_classes(config, source, gen, dataset, is_first=True):
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
        raise ConfigError(f'{source}: dataset: {line}')
    if line and is_first:
        tell(f'warning: {source}: dataset: {line}')


def empty_classes(labels, n_classes):
    """A line that names the first classes without images, '' where each has some, and their number."""
    empty = np.flatnonzero(np.bincount(labels, minlength=n_classes) == 0)
    line = (f'{len(empty)} of {n_classes} classes have no image: '
            f'{", ".join(map(str, empty[:N_NAMED]))}{", ..." * (len(empty) > N_NAMED)}')
    return line if len(empty) else '', len(empty)


def _whole(dataset, name):
    value = getattr(dataset, name, None)
    return value if isinstance(value, numbers.Integral) else None


def build_feature_network(config, source, device=-1, said=None):
    """The feature network that scores samples, or None where the config names none; -1 is the CPU, else a GPU.

    Its `foreign` says why it is foreign to the config's data (known_classes.py), or is None; `n_classes` is 0 then.
    `said` is the argument that chose it, for messages; default: the config's key.
    """
    said = said or f'{source}: evaluation.network'
    name = config['evaluation']['network']
    if name is not None and name not in NETWORKS:
        raise ConfigError(f'{said}: expected one of {", ".join(NETWORKS)}, found {name!r}')
    if name is None:
        return None
    try:
        network = load_feature_network(name, device, config['evaluation']['weights'])
    except (ValueError, OSError) as error:
        raise ConfigError(f'{said}: {error}') from error
    network.foreign = foreign_judge(config, source, name)
    if network.foreign:
        network.n_classes = 0
    return network


def foreign_judge(config, source, network):
    """Why the network of this name is foreign to a config's data, a line, or None; see known_classes.py."""
    if network not in KNOWN:
        return None
    fn = config['dataset']['dataset_fn']
    is_gone = _own_module(fn) is None and _file(fn, source) is None  # a user's file, when samples are scored
    names = None if is_gone else class_names_of(config, source)
    return why_foreign(network, names, config['dataset']['dataset_name'])


def build_iterator(config, dataset, seed, process=(0, 1)):
    """The endless batches of training, read ahead by `loader_workers` threads; the same ones for any number of them.

    `process` is (rank, size) of several processes.
    """
    workers, shares = config['loader_workers'], {'process': process, 'accumulate': config['accumulate'] or 1}
    if workers == 0:
        return BatchIterator(dataset, config['batchsize'], seed, **shares)
    return ParallelBatchIterator(dataset, config['batchsize'], seed, workers, **shares)


def build_updater(config, source, gen, dis, dataset, device, processes=ALONE):
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
    cls = load_class(spec['fn'], spec['name'], source, 'updater')
    seed = config['seed']
    iterator = build_iterator(config, dataset, (seed, 1), (processes.rank, processes.size))
    updater = construct(
        cls, spec['args'], source, 'updater', models={'gen': gen, 'dis': dis}, optimizer=optimizers, device=device,
        iterator=iterator, sampler=NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, seed=(seed, 2)),
        seed=(seed, 5))
    n_parts, made = iterator.accumulate, getattr(getattr(updater, 'parts', None), 'n', 1)
    if n_parts != made:
        raise ConfigError(f'{source}: accumulate: expected 1, as {cls.__name__} makes no parts; found {n_parts}')
    updater.capture = config['capture']
    return updater


def seed_everything(seed, device):
    """Seeds the global random states that initializers draw from."""
    np.random.seed(seed)
    if device.xp is not np:
        device.xp.random.seed(seed)
