"""Going on from a snapshot, and what a config trains otherwise than the one beside it."""
from pathlib import Path

from source.command_line.short_texts import difference
from source.command_line.standard_streams import tell
from source.config.checks import ConfigError
from source.config.paper_batches import batch_text, note_earlier
from source.config.yaml_utils import load_config
from source.results_folder.snapshots import load_newest, load_trainer

# Sections of a config that say how it is trained; batches are told apart from them.
SETTINGS = 'seed', 'iteration', 'iteration_decay_start', 'adam', 'updater', 'dataset'


def resume(wanted, folder, trainer, processes):
    """Loads the snapshot `wanted`, or with 'auto' the newest of a folder; returns its path, or None for none.

    Of several processes all have to load the same. Raises SnapshotError.
    """
    if wanted == 'auto':
        wanted = load_newest(folder, trainer, print if processes.is_first else lambda line: None)
        if processes.is_first:
            tell(f'{folder}: goes on from {wanted.name}' if wanted else
                 f'{folder}: no snapshot to go on from; training starts from the beginning')
    elif wanted:
        load_trainer(wanted, trainer)
    if processes.size > 1:
        processes.agree(str(wanted), 'the snapshot that each can read')
    return wanted


def check_same_data(config, config_path, snapshot, iteration, is_first):
    """Raise ConfigError where the config beside a snapshot names other classes than this one; labels count them.

    Where it names other images, or had other batches until this iteration, the first process says so. Such batches are
    put into `config`.
    """
    path = Path(snapshot).with_name('config.yml')
    if not path.is_file():
        return
    resumed = load_config(path)
    before, now = resumed['dataset']['args'], config['dataset']['args']
    classes = before.get('classes'), now.get('classes')
    if None not in classes and classes[0] != classes[1]:
        raise ConfigError(f'{config_path}: dataset: expected the {len(classes[0])} classes that {snapshot} was '
                          f'trained on, found {len(classes[1])}, {difference(*classes)}')
    images = before.get('images'), now.get('images')
    if is_first and None not in images and images[0] != images[1]:
        tell(f'{config_path}: dataset: {images[1]}; {snapshot} was trained on others: {images[0]}')
    changes = changed_settings(resumed, config)
    if is_first and changes:
        tell(f'{config_path}: {snapshot} was trained with other settings: {", ".join(changes)}')
    before = note_earlier(config, resumed, iteration)
    if is_first and before is not None:
        tell(f'{config_path}: each update of {batch_text(config)}; {snapshot} was trained with {before}')


def changed_settings(before, now):
    """Return what two configs train differently, a list of texts 'adam.beta1 0.0, now 0.5'.

    More iterations are the same training where the learning rate does not decay.
    """
    told = SETTINGS
    if all(config['iteration'] == config['iteration_decay_start'] for config in (before, now)):
        told = [name for name in SETTINGS if not name.startswith('iteration')]
    before, now = (dict(_flat({name: config[name] for name in told})) for config in (before, now))
    return [f'{key} {before.get(key)}, now {now.get(key)}' for key in {**before, **now}
            if before.get(key) != now.get(key) and not key.endswith(('fn', 'args.classes', 'args.images'))]


def _flat(section, prefix=''):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f'{prefix}{key}.')
        else:
            yield prefix + key, value
