"""Config files: read, check key by key, override. The keys are the authors'; `build.py` makes objects of them."""
import difflib
import math
import os
from pathlib import Path

from source.kernels.switch import PRECISIONS
from source.miscs.files import atomic_write
from source.miscs.standard_streams import tell
from source.quick_lengths import quick_lengths
from source.shipped_configs import nearest_configs, shipped_config

import yaml


class ConfigError(ValueError):
    """A config file, or a value given for one of its keys, that cannot be used."""


_REQUIRED = object()
_OF_VALUES = ValueError, TypeError, LookupError, AttributeError, RecursionError  # PyYAML's, of values that are none
_MOST_VALUES, _DEEPEST = 100_000, 30  # a run on a folder names its classes
_MODEL = {'fn': (str, _REQUIRED), 'name': (str, _REQUIRED), 'args': (dict, {})}
SCHEMA = {  # key: (type, default) or a nested schema
    'size': (int, None),  # ours: stands for '{size}' in other values
    'batchsize': (int, _REQUIRED),
    'accumulate': (int, None),  # ours: parts of an update, each a batch of its own as on a GPU of its own
    'iteration': (int, _REQUIRED),
    'iteration_decay_start': (int, None),  # default: `iteration`, that is no decay
    'seed': (int, 0),
    'display_interval': (int, 100),
    'progressbar_interval': (int, None),
    'snapshot_interval': (int, 10000),
    'evaluation_interval': (int, 1000),
    'snapshots': {  # ours: how many to keep, 0 for all: of the whole training, of those with the best FID, of models
        'keep_last': (int, 3), 'keep_best': (int, 1), 'keep_models': (int, 0)},
    'synchronized_batch_norm': (bool, False),  # ours: of several processes; false as in the paper's setting
    'cpu_kernels': (bool, True),  # ours: false leaves everything on a CPU to Chainer
    'precision': (str, 'tf32'),  # ours: of a GPU's convolutions: float32, tf32 or bfloat16; nothing to a CPU
    'capture': (bool, True),  # ours: false runs a GPU's iterations without a CUDA graph
    'loader_workers': (int, 0),  # ours: threads that read images ahead; 0 reads them between the updates
    'tensorboard': (bool, False),  # ours: event files in <results_dir>/tensorboard/
    'results_dir': (str, None),  # default: results/<name of the config file>
    'models': {'generator': _MODEL, 'discriminator': _MODEL},
    'dataset': {'dataset_fn': (str, _REQUIRED), 'dataset_name': (str, _REQUIRED), 'args': (dict, {})},
    'adam': {'alpha': (float, 2e-4), 'beta1': (float, 0.), 'beta2': (float, .9),
             'alpha_dis': (float, None)},  # ours: of the discriminator; default: `alpha`
    'updater': {'fn': (str, 'updater.py'), 'name': (str, 'Updater'), 'args': (dict, {})},
    'evaluation': {  # ours: what the trainer scores samples with; no `network`, no scores
        'network': (str, None), 'n_images': (int, 1000), 'splits': (int, 10),
        'weights': (str, None)},  # path of the network's weights file; default: each network's own
    'paper_row': (str, None),  # ours: the row of evaluations/published_numbers.csv that scores are compared with
    'paper': {  # ours: with how many processes, and batches of each, the numbers of that row were made
        'processes': (int, None), 'batchsize': (int, None), 'n_gen_samples': (int, None)},
    'processes': (int, None), 'earlier_batches': (dict, {}), 'versions': (dict, {}),  # written into results folders
}
SIZES = 32, 48, 64, 128, 256  # of the ResNets: gen_models/resnet_{size}.py, dis_models/snresnet_{size}.py
LENGTHS = 'iteration', 'iteration_decay_start'
# Keys that say something of one run alone.
OF_A_RUN = 'paper_row', 'results_dir', 'processes', 'earlier_batches', 'versions'
RANGES = {  # key: (lowest, highest) allowed
    **dict.fromkeys(('batchsize', 'iteration', 'display_interval', 'progressbar_interval', 'snapshot_interval',
                     'evaluation_interval'), (1, math.inf)),
    'accumulate': (1, math.inf), 'iteration_decay_start': (0, math.inf), 'loader_workers': (0, 1024),
    'seed': (0, 2 ** 32 - 1),
    'adam.alpha': (0, math.inf), 'adam.alpha_dis': (0, math.inf), 'adam.beta1': (0, 1), 'adam.beta2': (0, 1),
    **dict.fromkeys(('paper.processes', 'paper.batchsize', 'paper.n_gen_samples', 'processes'), (1, math.inf)),
    **dict.fromkeys(('snapshots.keep_last', 'snapshots.keep_best', 'snapshots.keep_models'), (0, math.inf)),
    'evaluation.n_images': (2, math.inf), 'evaluation.splits': (1, math.inf),
}


class _Loader(yaml.SafeLoader):
    """YAML as safe_load reads it, where a key stands once."""

    def compose_mapping_node(self, anchor):
        node, seen = super().compose_mapping_node(anchor), set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != 'tag:yaml.org,2002:merge':
                if (key.tag, key.value) in seen:
                    raise yaml.composer.ComposerError(None, None, f'{key.value}: given twice', key.start_mark)
                seen.add((key.tag, key.value))
        return node


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
        whole = _checked(_with_size(config, path), SCHEMA, str(path), '')
        config.update(quick_lengths(whole), paper_row=None)
    before = dict(config)
    for text in overrides:
        _override(config, text)
    named = {text.partition('=')[0] for text in overrides}
    _keep_decay_within(config, before, named, path)
    config = _checked(_with_size(config, path), SCHEMA, str(path), '')
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


def _keep_decay_within(config, before, named, source):
    """Have the decay begin in proportion where the iterations, and not it, were changed to fewer than its first."""
    try:
        (n, start), (n_before, start_before) = ([convert(values[key], int, source, key) for key in LENGTHS]
                                                for values in (config, before))
    except (KeyError, ConfigError):  # what is wrong is said when all is checked
        return
    if 0 < n < start == start_before <= n_before and 'iteration_decay_start' not in named:
        config['iteration_decay_start'] = start * n // n_before
        tell(f'{source}: iteration_decay_start: {start} of {n_before} iterations was meant; of {n} it is '
             f'{config["iteration_decay_start"]}')


def _say_whose_alpha(config, named, source):
    """Say so where only `alpha` was changed, but the discriminator has a learning rate of its own."""
    adam = _adam_of(config)
    if 'adam.alpha' in named and 'adam.alpha_dis' not in named and adam.get('alpha_dis') is not None:
        tell(f'{source}: adam.alpha: {adam["alpha"]} is for the generator alone; the discriminator keeps '
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
        config = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        where = f', line {mark.line + 1}' if mark else ''
        what = ' '.join(str(getattr(error, 'problem', None) or error).split())
        raise ConfigError(f'{path}{where}: not valid YAML: {what}') from None
    except _OF_VALUES as error:
        raise ConfigError(f'{path}: not valid YAML: {" ".join(str(error).split())[:200]}') from None
    _check_extent(config, f'{path}: ')
    if not isinstance(config, dict):
        raise ConfigError(f'{path}: expected keys and values, found {describe(config)}')
    return config


def _check_extent(value, source):
    """Raises ConfigError for values within values without end, and for few that stand for many, as aliases can."""
    left = [(value, 0)]
    n_seen = 0
    while left:
        value, depth = left.pop()
        n_seen += 1
        if n_seen > _MOST_VALUES or depth > _DEEPEST:
            raise ConfigError(f'{source}more than {_MOST_VALUES} values, or {_DEEPEST} within one another')
        if isinstance(value, (dict, list, tuple, set)):
            left += [(item, depth + 1) for item in value]
        if isinstance(value, dict):
            left += [(item, depth + 1) for item in value.values()]


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
        config[last] = yaml.load(value, _Loader)
    except (yaml.YAMLError, *_OF_VALUES):
        raise ConfigError(f'--set {text}: {value!r} is not valid YAML') from None
    _check_extent(config[last], f'--set {key}: ')


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


def _checked(values, schema, source, prefix):
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f'{source}: {prefix[:-1]}: expected keys and values, found {describe(values)}')
    check_names(values, schema, source, prefix, () if prefix else ('extends',))
    result = {}
    for key, expected in schema.items():
        name = prefix + key
        if isinstance(expected, dict):
            result[key] = _checked(values.get(key), expected, source, name + '.')
            continue
        expected_type, default = expected
        value = values.get(key)
        if value is None:
            if default is _REQUIRED:
                raise ConfigError(f'{source}: {name}: missing; expected {expected_type.__name__}')
            result[key] = default.copy() if isinstance(default, dict) else default
        else:
            result[key] = convert(value, expected_type, source, name)
    return result


def check_ranges(values, ranges, source, prefix):
    """Raises ConfigError for the first number in `values` outside `ranges`, {'key.key': (lowest, highest)}."""
    for name, (lowest, highest) in ranges.items():
        value = values
        for key in name.split('.'):
            value = value.get(key) if value else None
        if value is not None and not lowest <= value <= highest:
            expected = f'at least {lowest}' if highest == math.inf else f'{lowest} to {highest}'
            raise ConfigError(f'{source}: {prefix}{name}: expected {expected}, found {value}')


def check_names(found, known, source, prefix, also=()):
    """Raises ConfigError for the first name in `found` that is not in `known`, suggesting the nearest of both."""
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(str(name), [str(k) for k in (*known, *also)], 1)
            hint = f'did you mean {near[0]!r}?' if near else f'known are {", ".join(sorted(map(str, known)))}'
            shown = name if str(name).isprintable() else repr(name)
            raise ConfigError(f'{source}: {prefix}{shown}: unknown key; {hint}')


def convert(value, expected_type, source, name):
    """Returns value as `expected_type`. Numbers are finite and may be strings, as PyYAML reads 2e-4 as one."""
    is_bool = isinstance(value, bool)
    if isinstance(value, expected_type) and expected_type is not float and is_bool == (expected_type is bool):
        return value
    if expected_type in (int, float) and isinstance(value, (int, float, str)) and not is_bool:
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number) and (expected_type is float or number == int(number)):
            return expected_type(number)
    raise ConfigError(f'{source}: {name}: expected {expected_type.__name__}, found {describe(value)}')


def describe(value):
    return 'nothing' if value is None else f'{repr(value)[:200]} ({type(value).__name__})'


def save_config(path, config):
    """Writes a config so that `load_config` reads the same again."""
    with atomic_write(path) as file:
        file.write(yaml.safe_dump(config, sort_keys=False).encode())
