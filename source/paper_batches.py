"""The batches that the paper's numbers were made with, and whether those of a run are the same.

An update's batch is `processes` × `accumulate` parts of `batchsize` real and `n_gen_samples` generated images each. A
config's `paper` says how many of which there were: authors who trained on 4 GPUs had 4 parts.
"""
from source.miscs.standard_streams import tell
from source.yaml_utils import ConfigError


def settle(config, source, n_processes, is_first=True):
    """Put the number of processes into a config, and where it names no `accumulate`, one that makes the paper's batch.

    Where there are fewer processes than the paper had, that is. It is said, as is a batch that is not the paper's.
    Raises ConfigError for parts whose batch statistics are to be synchronized.
    """
    config['processes'], chosen, paper = n_processes, config['accumulate'], config['paper']
    if chosen is None:
        config['accumulate'] = 1
        if n_processes < (paper['processes'] or 1) and not config['synchronized_batch_norm']:
            times, rest = divmod(paper['processes'] * paper['batchsize'], n_processes * config['batchsize'])
            config['accumulate'] = 1 if rest else max(times, 1)
    elif chosen > 1 and config['synchronized_batch_norm']:
        raise ConfigError(f'{source}: accumulate: expected 1 where synchronized_batch_norm is true, as statistics of '
                          f'all parts are not to be had one after another; found {chosen}')
    other = other_batch(config)
    if is_first and chosen is None and config['accumulate'] > 1:
        tell(f'{source}: accumulate: {config["accumulate"]}: each update of {_text(*batch_of(config))}'
             + ('' if other else ", as the paper's"))
    if is_first and other:
        tell(f"note: {source}: {other}; for the paper's: {_ways(config)}")


def batch_of(config):
    """The parts of an update, or None where their number is not known, and the real and generated images of each."""
    n_parts = config['processes'] and config['processes'] * (config['accumulate'] or 1)
    return n_parts, config['batchsize'], generated_of(config)


def generated_of(config):
    return config['updater']['args'].get('n_gen_samples', 64)


def other_batch(config):
    """How the batches of a run differ from those that the paper's numbers were made with, a line, or None.

    None also where one of them is not known.
    """
    found, paper = batch_of(config), tuple(config['paper'].values())
    if found[0] is None or None in paper or found == paper:
        return None
    return f"each update of {_text(*found)}, the paper's of {_text(*paper)}"


def batch_text(config):
    """An update's batch in words, or None where it is not known."""
    found = batch_of(config)
    return None if found[0] is None else _text(*found)


def _text(n_parts, n_real, n_generated):
    parts = f'{n_parts} parts, each of ' if n_parts > 1 else ''
    return f'{parts}{n_real} real and {n_generated} generated images'


def _ways(config):
    n_processes, (n_parts, n_real, n_generated) = config['processes'], config['paper'].values()
    sizes = [f'--set {key}={wanted}' for key, found, wanted in (
        ('batchsize', config['batchsize'], n_real),
        ('updater.args.n_gen_samples', generated_of(config), n_generated)) if found != wanted]
    ways = []
    if n_parts % n_processes == 0:
        ways.append(' '.join([*sizes, f'--set accumulate={n_parts // n_processes}']))
    if n_parts != n_processes:
        start = f'mpiexec -n {n_parts} python train.py' if n_parts > 1 else 'python train.py in one process'
        ways.append(' '.join([start, *sizes, *['--set accumulate=1'] * (n_parts > 1)]))
    return ', or '.join(ways)
