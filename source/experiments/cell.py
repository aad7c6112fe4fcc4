"""One cell of a comparison, a variant under a seed and a budget, and the config it is trained with."""
import os
from dataclasses import dataclass
from pathlib import Path

from source.config.checks import ConfigError
from source.config.yaml_utils import load_config
from source.experiments.budget import CONFIGS, PAPER_CH, Budget
from source.experiments.catalogue import EXPERIMENTS, Variant, variants_of
from source.files.atomic import atomic_write

import yaml

OPTIONS = {  # name: the config's key; `updates` multiplies the iterations, `at_most` limits them, `timed`: see Cell
    'n_dis': 'updater.args.n_dis',
    'loss_type': 'updater.args.loss_type',
    'alpha': 'adam.alpha',
    'norm': 'models.discriminator.args.norm',
    'use_gamma': 'models.discriminator.args.use_gamma',
    'scale': 'models.discriminator.args.scale',
    'final_scale': 'models.discriminator.args.final_scale',
    'updates': None,
    'at_most': None,
    'timed': None,
}
N_LOGGED = 20  # points of the log over a cell, and those of its beginning


@dataclass(frozen=True)
class Cell:
    """A training run of a comparison."""

    variant: Variant
    seed: int
    budget: Budget

    @property
    def name(self):
        """What its folder and its record are called."""
        return f'{self.variant.name}-seed{self.seed}'

    @property
    def iteration(self):
        return self.variant.iterations(self.budget.iteration)

    @property
    def timed(self):
        """Whether it is there for its seconds: trained alone, in one go, with nothing measured in between."""
        return dict(self.variant.options).get('timed', False)


def cells_of(variants, seeds, budget):
    """All cells, every variant under the first seed before any under the second.

    Raises ConfigError for a network that the data set has no config for.
    """
    for variant in variants:
        if variant.network not in budget.bases:
            raise ConfigError(f'{variant.name}: no network {variant.network} for {budget.dataset}; '
                              f'there is {", ".join(budget.bases)}')
    return [Cell(variant, seed, budget) for seed in seeds for variant in variants]


def variants_on(names, budget):
    """What a data set has networks for.

    Args:
        names: of experiments, or ['all'].
        budget: a `Budget`.

    Returns:
        (variants, line): the variants of these experiments whose network the data set has, each once, and a line that
        names what is left out, or None.

    Raises:
        ValueError: an unknown name.
        ConfigError: an experiment asked for by its name of which nothing is left.
    """
    every = names == ['all']
    names = list(EXPERIMENTS) if every else names
    variants = variants_of(names)
    lacking = list(dict.fromkeys(v.network for v in variants if v.network not in budget.bases))
    if not lacking:
        return variants, None
    left = {name: [v for v in EXPERIMENTS[name].variants if v.network in budget.bases] for name in names}
    without = [name for name in names if not left[name]]
    if without and not every:
        raise ConfigError(f'{without[0]}: no network {EXPERIMENTS[without[0]].variants[0].network} for '
                          f'{budget.dataset}; there is {", ".join(budget.bases)}')
    parts = [name for name in names if 0 < len(left[name]) < len(EXPERIMENTS[name].variants)]
    what = [', '.join(without)] * bool(without) + [f'parts of {", ".join(parts)}'] * bool(parts)
    return ([v for v in variants if v.network in budget.bases],
            f'no network {", ".join(lacking)} for {budget.dataset}: without {" and ".join(what)}')


def write_cell_config(folder, cell):
    """Writes `cell.yml` into a folder, a config of its own that extends those in configs/; returns its path."""
    path = Path(folder) / 'cell.yml'
    text = (f'# {cell.name} of the comparison on {cell.budget.dataset}\n'
            + yaml.safe_dump(_config(cell, path.parent), sort_keys=False))
    with atomic_write(path) as file:
        file.write(text.encode())
    return path


def _config(cell, folder):
    variant, budget = cell.variant, cell.budget
    base_path = budget.bases[variant.network]
    base, data = load_config(base_path), load_config(budget.data_base)['dataset']
    parts = [Path(base_path)]
    if variant.setting:
        parts.append(CONFIGS / 'settings' / f'{variant.setting}.yml')
    if 'wgan_gp' not in variant.network:  # whose configs are of that method already
        parts.append(CONFIGS / 'methods' / f'{variant.method}.yml')
    scale = budget.ch / PAPER_CH
    own_ch = {kind: PAPER_CH if variant.network == 'cnn' else base['models'][kind]['args']['ch']
              for kind in ('generator', 'discriminator')}
    n_parts = base['paper']['processes'] or 1
    n_parts = 1 if budget.batchsize % n_parts else n_parts
    config = {
        'extends': [os.path.relpath(part, folder.resolve()) for part in parts],
        'batchsize': budget.batchsize // n_parts,
        'accumulate': n_parts,
        'paper': None,
        'iteration': cell.iteration,
        'iteration_decay_start': cell.iteration * base['iteration_decay_start'] // base['iteration'],
        'seed': cell.seed,
        'display_interval': max(1, cell.iteration // N_LOGGED),
        'snapshot_interval': max(1, cell.iteration // budget.n_scored),
        'evaluation_interval': max(1, cell.iteration // budget.n_scored),
        'results_dir': '.',
        'paper_row': None,
        'models': {kind: {'args': {'ch': max(1, round(ch * scale))}} for kind, ch in own_ch.items()},
        'dataset': {**data, 'args': {**dict.fromkeys(base['dataset']['args']), **data['args']}},
        'updater': {'args': {'n_gen_samples':
                             budget.batchsize * base['updater']['args']['n_gen_samples'] // base['batchsize']
                             // n_parts}},
        'evaluation': {'network': budget.feature_network, 'n_images': budget.n_images, 'splits': budget.splits,
                       'weights': budget.weights},
    }
    for name, value in variant.options:
        if OPTIONS[name]:
            _set(config, OPTIONS[name], value)
    return config


def _set(config, key, value):
    *parents, last = key.split('.')
    for parent in parents:
        config = config.setdefault(parent, {})
    config[last] = value
