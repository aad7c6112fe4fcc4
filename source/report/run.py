"""What a results folder holds."""
import functools
from dataclasses import dataclass, field
from pathlib import Path

from source.command_line.short_texts import printable
from source.config.build import foreign_judge
from source.config.learning_rates import learning_rates
from source.config.paper_batches import batch_of
from source.config.yaml_utils import load_config
from source.files.plain_json import read_json
from source.results_folder.snapshot_names import model_snapshots
from source.scoring.comparison import score_record

LARGEST = 1e300
BETTER = {'is_mean': 'higher', 'fid': 'lower', 'recognized': 'higher'}


@dataclass
class Run:
    """A results folder; `log` is log.json, `records` are {file name: what a scoring command wrote}.

    `name` is the folder's or, beside others of that name, as much of its path as tells them apart; `damaged` says which
    records cannot be used and why, a line each.
    """

    path: Path
    config: dict
    log: list
    previews: dict  # {iteration: path of the sample sheet}
    previews_ema: dict
    records: dict = field(default_factory=dict)
    name: str = ''
    damaged: list = field(default_factory=list)

    @property
    def folder(self):
        """The folder's own name, whatever leads to it."""
        return printable(self.path.resolve().name)

    @property
    def network(self):
        return self.config['evaluation']['network']

    @functools.cached_property
    def foreign(self):
        """Why the judge is foreign to the data, a line, or None."""
        return self.network and foreign_judge(self.config, str(self.path / 'config.yml'), self.network)

    @property
    def n_done(self):
        return max((entry['iteration'] for entry in self.log), default=0)

    @property
    def is_finished(self):
        return self.n_done >= self.config['iteration']

    def when(self, iteration):
        """'at the end' of an iteration that is the last of a finished run, else 'at iteration N'."""
        is_end = self.is_finished and iteration == self.n_done
        return 'at the end' if is_end else f'at iteration {iteration:,}'

    @property
    def seconds(self):
        return self.log[-1].get('elapsed_time', 0.) if self.log else 0.

    def series(self, name):
        """[(iteration, value)] of what the log holds under a name; values that are not finite are left out."""
        return [(entry['iteration'], entry[name]) for entry in self.log if is_number(entry.get(name))]

    def score_names(self):
        """{score: [names in the log]}: 'fid' and so on, of the generator and, where it is there, its average."""
        found = {}
        for entry in self.log if self.network else ():
            for key in entry:
                for prefix in (f'{self.network}_ema_', f'{self.network}_'):
                    if key.startswith(prefix):
                        score = key.removeprefix(prefix)
                        if score == 'recognized' and self.foreign:
                            break  # logged before judges said which classes they know
                        if not score.endswith('_std') and key not in found.setdefault(score, []):
                            found[score].append(key)
                        break
        return found

    def losses(self):
        return list(dict.fromkeys(name for entry in self.log for name in entry if name.startswith('loss_')))

    def alpha(self):
        """{network: [(iteration, α)]} of Adam, corners alone, as the config says; one 'α' where both have the same."""
        gen, dis = learning_rates(self.config).values()
        alphas = {'α': gen} if gen == dis else {'α, generator': gen, 'α, discriminator': dis}
        return {name: self._decay(alpha) for name, alpha in alphas.items()}

    def _decay(self, alpha):
        start, end = self.config['iteration_decay_start'], self.config['iteration']
        done = max(self.n_done, 1)
        if done <= start:
            return [(0, alpha), (done, alpha)]
        return [(0, alpha), (start, alpha), (done, alpha * (end - done) / max(end - start, 1))]

    def images_per_second(self):
        """[(iteration, real images trained on in a second)] of the log's intervals without scoring.

        Those before a `--resume` with another batch are left out.
        """
        n_parts, n_real, _ = batch_of(self.config) or (1, self.config['batchsize'], None)
        per_iteration = n_parts * n_real * self.config['updater']['args'].get('n_dis', 5)
        scored = {name for names in self.score_names().values() for name in names}
        start = max((k for k in self.config['earlier_batches'] if isinstance(k, int)), default=0)
        rates = []
        for before, after in zip(self.log, self.log[1:]):
            seconds = after.get('elapsed_time', 0) - before.get('elapsed_time', 0)
            if seconds > 0 and before['iteration'] >= start and not scored & set(after):
                n = after['iteration'] - before['iteration']
                rates.append((after['iteration'], n * per_iteration / seconds))
        return rates

    def generators(self, ema=False):
        return model_snapshots(self.path, self.config['models']['generator']['name'] + '_ema' * ema)

    def discriminators(self):
        return model_snapshots(self.path, self.config['models']['discriminator']['name'])


def is_number(value):
    """Whether it is a finite number, and not so large that computing with it overflows, as a damaged file may have."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST


def _found(value):
    return 'nothing' if value is None else repr(value)[:50]


def _checked(log):
    """The entries of a log in order; raises ValueError where it is no list of numbers by iteration."""
    if not isinstance(log, list) or not all(isinstance(entry, dict) for entry in log):
        raise ValueError('no list of entries')
    for k, entry in enumerate(log):
        for name, value in (('iteration', entry.get('iteration')), ('elapsed_time', entry.get('elapsed_time', 0.))):
            if not is_number(value):
                raise ValueError(f'entry {k}: {name}: expected a number, found {_found(value)}')
    return sorted(log, key=lambda entry: entry['iteration'])


def _check_counts(config, path):
    """Raises ValueError where what the report computes with, and `load_config` leaves to the classes, is no number."""
    of_updater, of_gen = config['updater']['args'], config['models']['generator']['args']
    for name, value in (('updater.args.n_dis', of_updater.get('n_dis', 5)),
                        ('updater.args.n_gen_samples', of_updater.get('n_gen_samples', 64)),
                        ('updater.args.ema', of_updater.get('ema') or 0),
                        ('models.generator.args.n_classes', of_gen.get('n_classes', 0))):
        if not is_number(value):
            raise ValueError(f'{path}: {name}: expected a number, found {_found(value)}')


def read_run(path):
    """Read a results folder; raises ValueError, one line, where it holds no run or a damaged log."""
    path = Path(path)
    if path.is_file():
        raise ValueError(f'{path}: expected the results folder of a run, found a file')
    if not path.is_dir():
        raise ValueError(f'{path}: no such results folder')
    if not (path / 'config.yml').is_file():
        raise ValueError(f'{path}: no config.yml in it: expected the results folder of a run')
    config = load_config(path / 'config.yml')
    _check_counts(config, path / 'config.yml')
    log = []
    if (path / 'log.json').is_file():
        try:
            log = _checked(read_json(path / 'log.json'))
        except ValueError as error:
            raise ValueError(f'{path / "log.json"}: expected a log of training, found something else '
                             f'({error})') from None
    records, damaged = {}, []
    for file in sorted(path.glob('*.json')):
        try:
            record = score_record(file)
        except ValueError as error:
            damaged.append(f'No scores of {printable(file.name)}: {error}')
            continue
        if record is not None:
            records[file.name] = record
    run = Run(path, config, log, _sheets(path / 'preview'), _sheets(path / 'preview_ema'), records, damaged=damaged)
    run.name = run.folder
    return run


def read_runs(paths):
    """Read several, with the shortest names that tell them apart; raises ValueError where a folder is given twice."""
    runs = [read_run(path) for path in paths]
    given = {}
    for run in runs:
        first = given.setdefault(run.path.resolve(), run.path)
        if first is not run.path:
            raise ValueError(f'{run.path}: given more than once' + (f', also as {first}' if first != run.path else ''))
    for run, end in zip(runs, distinct_ends([path.parts for path in given]), strict=True):
        run.name = printable(str(Path(*end)))
    return runs


def distinct_ends(lists):
    """Of each of several different tuples the shortest end, of at least one item, that is no other's end."""
    return [next(a[-n:] for n in range(1, len(a) + 1) if all(b is a or b[-n:] != a[-n:] for b in lists))
            for a in lists]


def _sheets(folder):
    return {int(p.stem): p for p in sorted(folder.glob('*.png')) if p.stem.isdigit()}
