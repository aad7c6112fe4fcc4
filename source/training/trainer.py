"""From a config to a trainer, and what is said when it is done."""
import contextlib
from pathlib import Path

from source.command_line.commands_to_copy import python_command
from source.command_line.devices import gpu_index
from source.command_line.short_texts import duration
from source.command_line.standard_streams import tell
from source.config import build, paper_batches
from source.config.agreement import check_agreement, check_classes, empty_classes
from source.config.learning_rates import learning_rates
from source.datasets.cached_download import WouldDownload
from source.datasets.folder import FolderDataset
from source.extensions.calc_scores import CalcScores
from source.extensions.curves import Curves
from source.extensions.divergence import StopWhenDiverged
from source.extensions.forecast import Forecast
from source.extensions.log import Log
from source.extensions.progress import Progress
from source.extensions.sample_sheet import SampleSheet
from source.extensions.save_snapshots import SaveSnapshots
from source.extensions.tensorboard import TensorBoard
from source.processes import ALONE, AverageLosses, RequireAgreement
from source.scoring.comparison import PUBLISHED, check_row, load_published
from source.scoring.statistics_cache import cached_statistics
from source.training.first_batch import check_first_batch
from source.training.kept_random_states import kept_random_states
from source.training.stop_request import StopRequest

import chainer
from chainer import training
from chainer.training import extension, extensions


def build_trainer(config, config_path, device, results_dir, data_dir=None, resume=None, processes=ALONE):
    """A trainer ready to run: updater, linear decay, log, progress bar, snapshots, sheets, scores and curves.

    Args:
        config: as `load_config` returns it.
        config_path: the config's path, for messages.
        device: a Chainer device.
        results_dir: where everything is written; nothing is before the trainer runs.
        data_dir: folder of the data, for datasets that take one.
        resume: a snapshot that is never removed.
        processes: those that train together; all but the first one's trainers write nothing.
    """
    if config['paper_row'] is not None:
        check_row(config_path, config['paper_row'], {p.row for p in load_published(PUBLISHED)})
    gen, dis, dataset, updater = build_training(config, config_path, device, data_dir, processes)
    if isinstance(dataset, FolderDataset) and Path(dataset.root).resolve() in Path(results_dir, 'x').resolve().parents:
        raise ValueError(f'{results_dir}: expected a results folder outside the folder of the images, {dataset.root}, '
                         'which would take the sheets in it for more images')
    iterations = config['iteration']
    stop = StopRequest(processes.any if processes.size > 1 else None)
    trainer = training.Trainer(updater, Until(iterations, stop), out=str(results_dir))

    def every(key):
        return EveryAndLast(config[key], iterations)

    extend_with_linear_decay(trainer, config)
    trainer.extend(StopWhenDiverged([gen, dis], config['display_interval'], iterations))
    snapshots = EveryLastAndStopped(config['snapshot_interval'], iterations, stop)
    if processes.size > 1:
        trainer.extend(AverageLosses(processes), trigger=lambda trainer: True)  # which keeps nothing in snapshots
        trainer.extend(RequireAgreement(processes, [gen, dis]), trigger=every('snapshot_interval'))
    if not processes.is_first:
        trainer.extend(lambda trainer: None, 'stop', snapshots, extension.PRIORITY_READER - 200)
        return trainer
    evaluation = config['evaluation']
    ema = getattr(updater, 'ema', None) and updater.ema.gen
    generators = [(gen, '')] + ([(ema, '_ema')] if ema else [])
    network = build.build_feature_network(config, config_path, gpu_index(device))
    real_statistics = _statistics_of(dataset, network, config, config_path)
    names = build.class_names_of(config, config_path) if gen.n_classes else None
    for generator, suffix in generators:
        if network is not None:
            trainer.extend(CalcScores(generator, network, real_statistics, evaluation['n_images'],
                                      evaluation['splits'], (config['seed'], 3), suffix[1:]),
                           name=f'CalcScores{suffix}', trigger=every('evaluation_interval'))
        trainer.extend(SampleSheet(generator, seed=(config['seed'], 4), folder=f'preview{suffix}', names=names),
                       name=f'SampleSheet{suffix}', trigger=every('evaluation_interval'))
    log = Log(trigger=every('display_interval'))
    trainer.extend(log, name='log')
    foreign = network and network.foreign
    if foreign:
        tell(f'note: {foreign}: scores by it say little of the images')
    trainer.extend(Progress(iterations, log, config['progressbar_interval'] or 1, foreign and network.name))
    n_scorings = every('evaluation_interval').n_after if network is not None else lambda iteration: 0
    trainer.extend(Forecast(iterations, n_scorings), trigger=lambda trainer: True)  # which keeps nothing in snapshots
    trainer.extend(Curves(log), trigger=every('evaluation_interval'))
    if config['tensorboard']:
        trainer.extend(TensorBoard(log))
    trainer.extend(SaveSnapshots([gen, dis], ema, **config['snapshots'], score=network and f'{network.name}_fid',
                                 spared=[resume] if resume else []), trigger=snapshots)
    return trainer


def _statistics_of(dataset, network, config, config_path):
    """A function that returns the statistics of the real images, or None where there is nothing to compute them of.

    A user's data set may draw when it is read: what it draws from is kept, so that scoring changes no bit of training.
    """
    if network is None or dataset is None:
        return None
    try:
        with kept_random_states(dataset):
            real = build.as_real_images(dataset, config, config_path)
    except WouldDownload:
        return None

    def statistics():
        with kept_random_states(dataset):
            if real is not dataset and real.n_classes:  # whose labels are known only now
                line, _ = empty_classes(real.labels, real.n_classes)
                if line:
                    tell(f'warning: {config_path}: dataset: {line}')
            return cached_statistics(real, network)
    return statistics


def build_training(config, config_path, device, data_dir=None, processes=ALONE):
    """(gen, dis, dataset, updater) of a config, seeded and on the device; arguments are those of `build_trainer`.

    A first batch is read and checked. The dataset is None where it would have to be downloaded within `no_downloads`.
    Raises ConfigError.
    """
    about_batch = paper_batches.settle(config, config_path, processes.size)
    build.use_kernels(config, device)
    build.seed_everything(config['seed'], device)
    dataset = None
    if build.counts_classes(config):
        dataset = _build_dataset(config, config_path, data_dir, processes)
        build.note_data(config, config_path, dataset)
    gen, dis = build.build_models(config, config_path)
    if dataset is None:
        with contextlib.suppress(WouldDownload):
            dataset = _build_dataset(config, config_path, data_dir, processes)
            build.note_data(config, config_path, dataset)
    if dataset is not None:
        check_agreement(config, config_path, gen, dis, dataset)
        check_classes(config, config_path, gen, dataset, processes.is_first)
    is_shared = config['synchronized_batch_norm'] and processes.size > 1
    chainer.global_config.batch_norm_processes = processes if is_shared else None
    updater = build.build_updater(config, config_path, gen, dis, dataset, device, processes)
    for line in about_batch if processes.is_first else ():
        tell(line)
    if dataset is not None:
        with contextlib.suppress(WouldDownload):
            check_first_batch(config, config_path, gen, dataset, updater, processes.is_first)
    return gen, dis, dataset, updater


def _build_dataset(config, config_path, data_dir, processes):
    if not processes.is_first:
        processes.wait()  # for what the first may have to download
    dataset = needed = None
    try:
        dataset = build.build_dataset(config, config_path, data_dir)
    except WouldDownload as download:
        needed = download
    if processes.is_first:
        processes.wait()
    if needed is not None:
        raise needed
    return dataset


def extend_with_linear_decay(trainer, config):
    """Adam's alpha falls linearly to 0 from `iteration_decay_start` on."""
    for kind, alpha in learning_rates(config).items():
        name = f'opt_{kind}'
        optimizer = trainer.updater.get_optimizer(name)
        trainer.extend(extensions.LinearShift('alpha', (alpha, 0.),
                                              (config['iteration_decay_start'], config['iteration']), optimizer),
                       name=f'linear_decay_{name}')


class EveryAndLast:
    """A trigger for every `interval`-th iteration and the last one."""

    def __init__(self, interval, last):
        self.interval, self.last = interval, last

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        return iteration % self.interval == 0 or iteration == self.last

    def n_after(self, iteration):
        """Return how many of these iterations come after `iteration`."""
        return -(-self.last // self.interval) - iteration // self.interval if iteration < self.last else 0


class EveryLastAndStopped(EveryAndLast):
    """Also the iteration in which a signal to stop was seen; the one place that looks for it."""

    def __init__(self, interval, last, stop):
        super().__init__(interval, last)
        self.stop = stop

    def __call__(self, trainer):
        return self.stop.look() or super().__call__(trainer)


class Until:
    """The trainer's stop trigger: the last iteration is made, or that of a signal to stop."""

    def __init__(self, last, stop):
        self.last, self.stop = last, stop

    def __call__(self, trainer):
        return self.stop.made or trainer.updater.iteration >= self.last


def summary(trainer, config, data_dir=None):
    """What a finished run left and what to do with it, as text; `data_dir` is what the run was given."""
    out = Path(trainer.out)
    last = trainer.updater.iteration
    kind, of = ('_ema', ' of averaged weights') if getattr(trainer.updater, 'ema', None) else ('', '')
    snapshot = out / f'{type(trainer.updater.gen).__name__}{kind}_{last}.npz'
    columns = ', one column per class' if trainer.updater.conditional else ''
    curves = [name for name in ('losses.png', 'scores.png') if (out / name).exists()]  # there are none of one point
    lines = [
        f'Done: {last} iterations in {duration(trainer.elapsed_time)}. In {out}/:',
        f'  preview{kind}/{last:08d}.png    samples{of}{columns}',
        *(f'  {name:23} curves' for name in [', '.join(curves)] if name),
        '  log.json, config.yml    every number; the config and the versions it ran with',
        f'  {snapshot.name}, snapshot_iter_{last}  the generator{of}; everything, to go on from',
        'Next:',
        f'  {python_command("evaluations/gen_images.py", "--snapshot", snapshot)}',
    ]
    data = ('--data_dir', Path(data_dir)) if data_dir else ()
    lines.append(f'  {python_command("evaluations/report.py", out, *data)}')
    if config['evaluation']['network']:
        lines.append(f'  {python_command("evaluations/calc_inception.py", "--snapshot", snapshot, *data)}')
    return '\n'.join(lines)
