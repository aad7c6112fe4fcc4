"""The classes that configs name by a file and a name: this project's, or in a file of the user's."""
import copy
import importlib
import importlib.util
import inspect
import sys
import zlib
from pathlib import Path

from source.command_line.standard_streams import tell
from source.command_line.user_code import describe_error
from source.config.checks import ConfigError

# What is here under another name now; most are of earlier states of the authors' repository.
EARLIER_MODULES = {
    'gen_models.resnet_128': 'gen_models.resnet',
    'gen_models.resnet_dog_and_cat_128': 'gen_models.resnet_small',
    'gen_models.resnet_dog_and_cat_256': 'gen_models.resnet_256',
    'dis_models.snresnet_128': 'dis_models.snresnet',
    'dis_models.snresnet_dog_and_cat_128': 'dis_models.snresnet_small',
    'source.ac_updater': 'source.iteration.ac_updater',  # ours; config.yml files name it so
}
EARLIER_CLASSES = {
    'ResNetGenerator32': 'ResNetGenerator',
    'ResNetGeneratorImageNet': 'ResNetGenerator',
    'SNResNetDiscriminator32': 'SNResNetProjectionDiscriminator',
    'Cifar10Dataset': 'CIFAR10Dataset',
}
PACKAGES = ('gen_models', 'dis_models', 'source.datasets', 'source')


def load_class(fn, name, config_path, key):
    """The class `name` in the file `fn`, as configs write it ('gen_models/resnet_32.py', 'updater.py').

    A name of this project's own wins; any other path is loaded as a file, under a module name nobody else has.
    """
    if not fn.endswith('.py'):
        raise ConfigError(f'{config_path}: {key}: expected a file name ending in .py, found {fn!r}')
    module = _own_module(fn) or _file_module(fn, config_path, key)
    found = getattr(module, name, None) or getattr(module, EARLIER_CLASSES.get(name, ''), None)
    if not inspect.isclass(found):
        classes = [n for n, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module.__name__]
        raise ConfigError(f'{config_path}: {key}: no class {name!r} in {fn}; it holds {", ".join(classes) or "none"}')
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
        spec = importlib.util.find_spec(module_name)
        return spec is not None and spec.submodule_search_locations is None  # a file, no package
    except ModuleNotFoundError:
        return False


def is_there(fn, config_path):
    """Return whether there is a module of this project, or a file of the user's, that a config means by `fn`."""
    return _own_module(fn) is not None or _file(fn, config_path) is not None


def with_files_located(config, config_path):
    """A config in which files of the user's own have absolute names, so that it can be read from any folder."""
    located = copy.deepcopy(config)
    for section, name in ((located['dataset'], 'dataset_fn'), (located['updater'], 'fn'),
                          *((spec, 'fn') for spec in located['models'].values())):
        path = None if _own_module(section[name]) else _file(section[name], config_path)
        if path is not None:
            section[name] = str(path.resolve())
    return located


def _file(fn, config_path):
    found = next((path for path in (Path(fn), Path(config_path).parent / fn) if path.is_file()), None)
    if found is None and Path(fn).is_absolute():  # of a project that was moved
        name = Path(fn).name
        found = next((path for path in (Path(name), Path(config_path).with_name(name)) if path.is_file()), None)
        if found is not None:
            tell(f'{fn}: is not there; {found} is taken')
    return found


def _file_module(fn, config_path, key):
    path = _file(fn, config_path)
    if path is None:
        raise ConfigError(f'{config_path}: {key}.{"dataset_fn" if key == "dataset" else "fn"}: no such file: {fn}')
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
        raise ConfigError(f'{config_path}: {key}: {fn} cannot be imported: {describe_error(error)}') from error
    return module
