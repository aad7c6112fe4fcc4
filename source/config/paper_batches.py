"""The batches that the paper's numbers were made with, and whether those of a run are the same.

An update's batch has `processes` × `accumulate` parts: each has `batchsize` real images in a discriminator's update and
`n_gen_samples` generated ones in a generator's. Parts whose batch statistics are synchronized are one. A config's
`paper` says what there was for the paper: authors who trained on 4 GPUs had 4 parts.
"""
from source.command_line.commands_to_copy import plain_command
from source.config.checks import ConfigError

UNKNOWN = 'not known: '  # how an `other_batch` begins that tells no difference


def settle(config, config_path, n_processes):
    """Put the number of processes into a config, and where it names no `accumulate`, one that makes the paper's batch.

    Where there are fewer processes than the paper had, that is. Return what is to be said of the batch, a list of at
    most one line. Raises ConfigError for parts whose batch statistics are to be synchronized.
    """
    config['processes'], config['earlier_batches'] = n_processes, {}
    chosen, paper = config['accumulate'], paper_of(config)
    if chosen is None:
        config['accumulate'] = 1
        if paper and n_processes < paper[0] and not config['synchronized_batch_norm']:
            times, rest = divmod(paper[0] * paper[1], n_processes * config['batchsize'])
            config['accumulate'] = 1 if rest else max(times, 1)
    elif chosen > 1 and config['synchronized_batch_norm']:
        raise ConfigError(f'{config_path}: accumulate: expected 1 where synchronized_batch_norm is true, as statistics '
                          f'of all parts are not to be had one after another; found {chosen}')
    other = other_batch(config)
    what = f'accumulate: {config["accumulate"]}: ' if chosen is None and config['accumulate'] > 1 else ''
    if other and paper:
        return [f"note: {config_path}: {what}{other}; for those: {_ways(config, paper)}"]
    if other:
        row = config['paper_row']
        return [f'note: {config_path}: whether its batches are those of the numbers of {row} is {other}']
    as_papers = "as the paper's" if config['paper_row'] else 'as `paper` in its config says'
    return [f'{config_path}: {what}each update of {batch_text(config)}, {as_papers}'] if what else []


def batch_of(config):
    """(parts of an update, real images, generated images of each), or None where their number is not known."""
    n_generated = generated_of(config)
    if None in (config['processes'], config['accumulate']) or not isinstance(n_generated, int):
        return None
    n_parts, sizes = config['processes'] * config['accumulate'], (config['batchsize'], n_generated)
    return (1, *(n_parts * size for size in sizes)) if config['synchronized_batch_norm'] else (n_parts, *sizes)


def generated_of(config):
    return config['updater']['args'].get('n_gen_samples', 64)


def paper_of(config):
    """What `batch_of` would be for the paper, or None where the config does not say."""
    paper = tuple(config['paper'].values())
    return None if None in paper else paper


def other_batch(config):
    """How the batches of a run differ from those that the paper's numbers were made with, a line, or None.

    Where one of them is not known, the line begins with UNKNOWN. None also of a config that is not of the paper.
    """
    found, paper, earlier = batch_of(config), paper_of(config), config['earlier_batches']
    if paper is None:
        return config['paper_row'] and f'{UNKNOWN}its config has no `paper`, which says with which these were made'
    papers = "the paper's" if config['paper_row'] else 'by `paper` in its config'
    if found is None:
        return (f'{UNKNOWN}its config does not say by how many processes it was trained; {papers} are updates of '
                f'{_text(*paper)}')
    if found == paper and not earlier:
        return None
    before = ''.join(f'until iteration {iteration} of {batch}, then ' for iteration, batch in earlier.items())
    return f'each update {before}of {_text(*found)}, {papers} of {_text(*paper)}'


def batch_text(config):
    """An update's batch in words, or None where it is not known."""
    found = batch_of(config)
    return found and _text(*found)


def note_earlier(config, resumed, iteration):
    """Put into a config which batches a run had until this iteration, `resumed` being its config; return the last ones.

    None where they were the same, or where they are not known and the config is not of the paper.
    """
    before, now = batch_text(resumed), batch_text(config)
    config['earlier_batches'] = dict(resumed['earlier_batches'])  # until which iteration: what
    if before == now or before is None and paper_of(config) is None:
        return None
    before = before or 'a number of images that is not known'
    config['earlier_batches'][iteration] = before
    return before


def _text(n_parts, n_real, n_generated):
    parts = f'{n_parts} parts, each of ' if n_parts > 1 else ''
    return f'{parts}{n_real} real and {n_generated} generated images'


def _ways(config, paper):
    n_processes, (n_parts, n_real, n_generated) = config['processes'], paper
    settings = [f'--set {key}={wanted}' for key, found, wanted in (
        ('batchsize', config['batchsize'], n_real),
        ('updater.args.n_gen_samples', generated_of(config), n_generated),
        ('synchronized_batch_norm', config['synchronized_batch_norm'], False)) if found != wanted]
    ways = []
    if n_parts % n_processes == 0:
        ways.append(' '.join([*settings, f'--set accumulate={n_parts // n_processes}']))
    if n_parts != n_processes:
        train = plain_command('train.py')
        start = f'mpiexec -n {n_parts} {train}' if n_parts > 1 else f'{train} in one process'
        ways.append(' '.join([start, *settings, '--set accumulate=1']))
    return ', or '.join(ways).replace('=False', '=false')
