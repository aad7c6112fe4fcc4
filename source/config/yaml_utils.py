"""Config files: read, extended, overridden, checked key by key; schema.py has the keys, build.py makes objects."""
import os
from pathlib import Path

from source.command_line.standard_streams import tell
from source.config.checks import ConfigError, check_ranges, check_schema, convert, describe
from source.config.quick_lengths import quick_lengths
from source.config.schema import LENGTHS, OF_A_RUN, RANGES, SCHEMA, SIZES
from source.config.shipped_configs import nearest_configs, shipped_config
from source.files.plain_yaml import NotYamlError, parse_yaml
from source.kernels.switch import PRECISIONS


def load_config(path, overrides=(), quick=False):
    """Reads and checks a config file.

    Its key `extends` names another file, or a list of them, relative to itself or else among the project's configs:
    their keys are merged in that order, sections key by key, and the file's own come last; a null takes away what was
    set before. OF_A_RUN is not inherited: what extends an experiment is another. What is returned no longer has
    `extends`.

    Where `iteration` is set anew and `iteration_decay_start` is not, a decay that would begin after the last iteration
    begins in proportion, and that is said.

    Args:
        path: of a YAML file.
        overrides: strings 'key.key=value', the value in YAML.
        quick: whether to have QUICK iterations at most, the intervals in proportion (`quick_lengths`), before overrides
            are made; results_dir then ends in '_quick', and no row of the paper's is named.

    Returns:
        A nested dict with every key of `SCHEMA`.

    Raises:
        ConfigError: one line with file, key, what was expected and what was found.
    """
    config = _read_extended(Path(path), ())
    if quick:
        whole = check_schema(_with_size(config, path), SCHEMA, str(path), '')
        config.update(quick_lengths(whole), paper_row=None)
    before = dict(config)
    for text in overrides:
        _override(config, text)
    named = {text.partition('=')[0] for text in overrides}
    _keep_decay_within(config, before, named, path)
    config = check_schema(_with_size(config, path), SCHEMA, str(path), '')
    if config['iteration_decay_start'] is None:
        config['iteration_decay_start'] = config['iteration']
    check_ranges(config, RANGES, path, '')
    _say_whose_alpha(config, named, path)
    if config['iteration_decay_start'] > config['iteration']:
        raise ConfigError(f'{path}: iteration_decay_start: expected 0 to iteration ({config["iteration"]}), '
                          f'found {config["iteration_decay_start"]}')
    if config['precision'] not in PRECISIONS:
        raise ConfigError(f'{path}: precision: expected one of {", ".join(PRECISIONS)}, found {config["precision"]!r}')
    if config['evaluation']['splits'] > config['evaluation']['n_images']:
        raise ConfigError(f'{path}: evaluation.splits: expected at most evaluation.n_images '
                          f'({config["evaluation"]["n_images"]}), found {config["evaluation"]["splits"]}')
    for key, value in config['paper'].items():
        if value is None and any(config['paper'].values()):
            raise ConfigError(f'{path}: paper.{key}: missing; expected int, as the others of `paper`')
    if config['results_dir'] is not None and not config['results_dir'].strip():
        raise ConfigError(f'{path}: results_dir: expected the name of a folder, found {config["results_dir"]!r}')
    if config['results_dir'] is None:
        config['results_dir'] = f'results/{_name(Path(path))}'
    if quick and 'results_dir' not in named:
        config['results_dir'] += '_quick'
    return config


def _name(path):
    """A config's name: its path below the nearest folder `configs`, if it is in one, without the ending."""
    for parent in path.parents:
        if parent.name == 'configs':
            return path.relative_to(parent).with_suffix('')
    return path.stem


def _read_extended(path, chain):
    config = _read(path)
    bases = config.pop('extends', [])
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConfigError(f'{path}: extends: expected a file or a list of files, found {describe(bases)}')
    chain = (*chain, path)
    merged = {}
    for base in bases:
        base_path = path.parent / base
        if not os.path.isfile(base_path):
            base_path = shipped_config(base) or base_path
        if not os.path.isfile(base_path):  # which says no to names that no file can have
            raise ConfigError(f'{path}: extends: no such file: {base[:200]}')
        if any(base_path.samefile(earlier) for earlier in chain):
            raise ConfigError(f'{path}: extends: {base} extends itself, by way of {" and ".join(map(str, chain))}')
        merged = _merge(merged, _read_extended(base_path, chain))
    for key in OF_A_RUN:
        merged.pop(key, None)
    if not bases:
        return config
    whole = _merge(merged, config)
    _keep_decay_within(whole, merged, config, path)
    _say_whose_alpha(whole, {f'adam.{key}' for key in _adam_of(config)}, path)
    return whole


def _keep_decay_within(config, before, named, path):
    """Have the decay begin in proportion where the iterations, and not it, were changed to fewer than its first."""
    try:
        (n, start), (n_before, start_before) = ([convert(values[key], int, path, key) for key in LENGTHS]
                                                for values in (config, before))
    except (KeyError, ConfigError):  # what is wrong is said when all is checked
        return
    if 0 < n < start == start_before <= n_before and 'iteration_decay_start' not in named:
        config['iteration_decay_start'] = start * n // n_before
        tell(f'{path}: iteration_decay_start: {start} of {n_before} iterations was meant; of {n} it is '
             f'{config["iteration_decay_start"]}')


def _say_whose_alpha(config, named, path):
    """Say so where only `alpha` was changed, but the discriminator has a learning rate of its own."""
    adam = _adam_of(config)
    if 'adam.alpha' in named and 'adam.alpha_dis' not in named and adam.get('alpha_dis') is not None:
        tell(f'{path}: adam.alpha: {adam["alpha"]} is for the generator alone; the discriminator keeps '
             f'adam.alpha_dis, {adam["alpha_dis"]}')


def _adam_of(config):
    adam = config.get('adam')
    return adam if isinstance(adam, dict) else {}


def _merge(base, changes):
    """`base` with `changes`: sections merge key by key, null takes a key away, anything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            section = merged.get(key)
            merged[key] = _merge(section if isinstance(section, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _read(path):
    try:
        text = Path(path).read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        near = nearest_configs(path) if isinstance(error, FileNotFoundError) else ()
        raise ConfigError(f'{path}: cannot be read as a config file: {getattr(error, "strerror", error)}'
                          + (f'; did you mean {" or ".join(near)}?' if near else '')) from None
    try:
        config = parse_yaml(text)
    except NotYamlError as error:
        where = f', line {error.line}' if error.line else ''
        raise ConfigError(f'{path}{where}: not valid YAML: {error}') from None
    except ValueError as error:
        raise ConfigError(f'{path}: {error}') from None
    if not isinstance(config, dict):
        raise ConfigError(f'{path}: expected keys and values, found {describe(config)}')
    return config


def _override(config, text):
    key, equals, value = text.partition('=')
    if not equals or not key:
        raise ConfigError(f'--set {text}: expected key=value')
    *parents, last = key.split('.')
    for parent in parents:
        if config.get(parent) is None:
            config[parent] = {}
        config = config[parent]
        if not isinstance(config, dict):
            raise ConfigError(f'--set {text}: {parent} holds no keys')
    try:
        config[last] = parse_yaml(value)
    except NotYamlError:
        raise ConfigError(f'--set {text}: {value!r} is not valid YAML') from None
    except ValueError as error:
        raise ConfigError(f'--set {key}: {error}') from None


def _with_size(config, path):
    """`config` with its `size` in the place of every '{size}', and none of its own left."""
    size, n_places = config.get('size'), 0

    def put(value):
        nonlocal n_places
        if isinstance(value, dict):
            return {key: put(item) for key, item in value.items()}
        if not isinstance(value, str) or '{size}' not in value:
            return value
        n_places += 1
        return size if value == '{size}' else value.replace('{size}', str(size))
    put_in = put(config)
    if (n_places or size is not None) and size not in SIZES:
        raise ConfigError(f'{path}: size: expected one of {", ".join(map(str, SIZES))}, found {describe(size)}')
    if size is not None and not n_places:
        raise ConfigError(f"{path}: size: expected a config with '{{size}}' among its values, found none: its networks "
                          'and data have sizes of their own')
    return {**put_in, 'size': None} if n_places else put_in
