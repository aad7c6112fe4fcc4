"""What a comparison is run with: data, widths, updates, images scored; configs/experiments/*.yml has the defaults."""
from dataclasses import asdict, dataclass, field, fields, replace

from source.command_line.commands_to_copy import CONFIGS
from source.config.checks import ConfigError, check_names, check_ranges, convert
from source.scoring.protocols import PROTOCOLS

import yaml

FOLDER = CONFIGS / 'experiments'
DATASETS = tuple(sorted(path.stem for path in FOLDER.glob('*.yml')))
PAPER_CH = 64


@dataclass(frozen=True)
class Budget:
    """What all cells of a comparison have in common.

    Attributes:
        dataset: one of DATASETS.
        bases: {network: path of the config it starts from}; the data of all are those of the first.
        iteration: generator updates of a cell.
        ch: unit of width of the CNN; 64 in the paper. Other networks are scaled by the same factor.
        batchsize: real images in a batch.
        feature_network: what scores; `weights` is its file, None for its own.
        n_images, splits: images scored, in so many splits, during training.
        n_scored: so many times, the last at the end; snapshots are taken as often.
        protocol: of source/scoring/protocols.py, by which a finished cell is scored in the end; None: as during
            training.
    """

    dataset: str
    bases: dict = field(hash=False)
    iteration: int
    ch: int
    batchsize: int
    feature_network: str
    n_images: int
    splits: int
    n_scored: int = 4
    protocol: str | None = None
    weights: str | None = None

    @property
    def data_base(self):
        """The config whose data all cells have."""
        return next(iter(self.bases.values()))

    def as_record(self):
        """What two cells must share to be compared, as a dict."""
        return {name: value for name, value in asdict(self).items()
                if name not in ('bases', 'weights', 'n_scored') and value is not None}


def load_budget(dataset, **changes):
    """(Budget, seeds) of a data set; `changes` that are not None replace the file's values.

    Raises ConfigError for an unknown data set, key or value.
    """
    path = FOLDER / f'{dataset}.yml'
    if dataset not in DATASETS:
        raise ConfigError(f'--dataset {dataset}: expected one of {", ".join(DATASETS)}')
    values = yaml.safe_load(path.read_text(encoding='utf-8'))
    known = [f.name for f in fields(Budget) if f.name != 'dataset'] + ['seeds']
    check_names(values, known, str(path), '')
    seeds = values.pop('seeds')
    values['bases'] = {network: str((path.parent / base).resolve()) for network, base in values['bases'].items()}
    budget = Budget(dataset=dataset, **values)
    budget = replace(budget, **{name: value for name, value in changes.items() if value is not None})
    numbers = 'iteration', 'ch', 'batchsize', 'n_images', 'splits', 'n_scored'
    for name in numbers:
        convert(getattr(budget, name), int, f'experiments on {dataset}', name)
    check_ranges(asdict(budget), {**dict.fromkeys(numbers, (1, float('inf'))), 'n_images': (2, float('inf'))},
                 f'experiments on {dataset}', '')
    if budget.splits > budget.n_images:
        raise ConfigError(f'experiments on {dataset}: splits: expected at most n_images ({budget.n_images}), '
                          f'found {budget.splits}')
    if budget.protocol not in (None, *PROTOCOLS):
        raise ConfigError(f'experiments on {dataset}: protocol: expected one of {", ".join(PROTOCOLS)}, '
                          f'found {budget.protocol}')
    return budget, seeds
