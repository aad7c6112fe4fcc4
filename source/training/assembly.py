"""A trainer with what every training has: updater, learning rates, log, scores, and a stop where it diverges."""
import contextlib
from dataclasses import dataclass
from pathlib import Path

from source.command_line.devices import gpu_index
from source.command_line.standard_streams import tell
from source.config import build, paper_batches
from source.config.agreement import check_agreement, check_classes, empty_classes
from source.config.learning_rates import learning_rates
from source.datasets.cached_download import WouldDownload
from source.datasets.folder import FolderDataset
from source.extensions.calc_scores import CalcScores
from source.extensions.divergence import StopWhenDiverged
from source.extensions.log import Log
from source.functions.precision import bfloat16
from source.processes import ALONE, AverageLosses, RequireAgreement
from source.scoring.statistics_cache import cached_statistics
from source.training.first_batch import check_first_batch
from source.training.kept_random_states import kept_random_states
from source.training.triggers import EveryAndLast

import chainer
import numpy as np
from chainer import training
from chainer.training import extensions


@dataclass
class Assembly:
    """A `trainer`, and of what it is made; `log` and `network` are None where nothing is logged or scored."""

    trainer: object
    gen: object
    dis: object
    dataset: object
    log: object = None
    network: object = None

    @property
    def generators(self):
        """[(generator, what stands behind the names of its files)]: the one trained and, where kept, its average."""
        return [(self.gen, '')] + ([(self.averaged, '_ema')] if self.averaged else [])

    @property
    def averaged(self):
        """The generator of averaged weights, or None."""
        ema = getattr(self.trainer.updater, 'ema', None)
        return ema and ema.gen


def assemble(config, config_path, device, out, until, data_dir=None, processes=ALONE, logged=None, scores=True):
    """Return the Assembly of a training, to which whoever trains adds what it is to leave.

    Args:
        config: as `load_config` returns it.
        config_path: where it was read, for messages.
        device: a Chainer device.
        out: the folder to write into; nothing is before the trainer runs.
        until: the trainer's stop trigger.
        data_dir: folder of the data, for datasets that take one.
        processes: those that train together; all but the first one's log and score nothing.
        logged: trigger of the log; by default every `display_interval` iterations and the last one.
        scores: whether samples are scored, where the config names a feature network.

    Raises ConfigError, and ValueError for a results folder among the images.
    """
    gen, dis, dataset, updater = build_training(config, config_path, device, data_dir, processes)
    _check_is_outside(out, dataset)
    trainer = training.Trainer(updater, until, out=str(out))
    last = config['iteration']
    _extend_with_linear_decay(trainer, config)
    trainer.extend(StopWhenDiverged([gen, dis], config['display_interval'], last))
    if processes.size > 1:
        trainer.extend(AverageLosses(processes), trigger=lambda trainer: True)  # which keeps nothing in snapshots
        trainer.extend(RequireAgreement(processes, [gen, dis]),
                       trigger=EveryAndLast(config['snapshot_interval'], last))
    assembly = Assembly(trainer, gen, dis, dataset)
    if not processes.is_first:
        return assembly
    if scores:
        assembly.network = build.build_feature_network(config, config_path, gpu_index(device))
    if assembly.network is not None:
        _extend_with_scores(assembly, config, config_path)
    assembly.log = Log(trigger=logged or EveryAndLast(config['display_interval'], last))
    trainer.extend(assembly.log, name='log')
    return assembly


def _check_is_outside(results_dir, dataset):
    if isinstance(dataset, FolderDataset) and Path(dataset.root).resolve() in Path(results_dir, 'x').resolve().parents:
        raise ValueError(f'{results_dir}: expected a results folder outside the folder of the images, {dataset.root}, '
                         'which would take the sheets in it for more images')


def _extend_with_scores(assembly, config, config_path):
    statistics = _statistics_of(assembly.dataset, assembly.network, config, config_path)
    evaluation = config['evaluation']
    for generator, suffix in assembly.generators:
        assembly.trainer.extend(
            CalcScores(generator, assembly.network, statistics, evaluation['n_images'], evaluation['splits'],
                       (config['seed'], 3), suffix[1:]),
            name=f'CalcScores{suffix}', trigger=EveryAndLast(config['evaluation_interval'], config['iteration']))


def _statistics_of(dataset, network, config, config_path):
    """A function that returns the statistics of the real images, or None where there is nothing to compute them of.

    A user's data set may draw when it is read: what it draws from is kept, so that scoring changes no bit of training.
    """
    if dataset is None:
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
    """(gen, dis, dataset, updater) of a config, seeded and on the device; arguments are those of `assemble`.

    A first batch is read and checked. The dataset is None where it would have to be downloaded within `no_downloads`.
    Raises ConfigError.
    """
    about_batch = paper_batches.settle(config, config_path, processes.size)
    build.use_kernels(config, device)
    if config['precision'] == 'bfloat16' and device.xp is not np:
        bfloat16()  # says here what is missing, rather than in the first iteration
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


def _extend_with_linear_decay(trainer, config):
    """Adam's alpha falls linearly to 0 from `iteration_decay_start` on."""
    for kind, alpha in learning_rates(config).items():
        name = f'opt_{kind}'
        optimizer = trainer.updater.get_optimizer(name)
        trainer.extend(extensions.LinearShift('alpha', (alpha, 0.),
                                              (config['iteration_decay_start'], config['iteration']), optimizer),
                       name=f'linear_decay_{name}')
