"""Training one cell, from its start or its newest snapshot, and writing its record."""
import json
import math
import time
from pathlib import Path

from source.command_line.devices import get_device
from source.config import build
from source.config.yaml_utils import load_config
from source.experiments.budget import Budget
from source.experiments.catalogue import Variant
from source.experiments.cell import Cell, write_cell_config
from source.experiments.records import (
    FINISHED,
    Results,
    as_job,
    check_same_budget,
    identity,
    read_record,
    write_record,
)
from source.extensions.divergence import DivergedError
from source.extensions.held_out_loss import HeldOutLoss
from source.extensions.save_snapshots import SaveSnapshots
from source.extensions.spectral_norms import SpectralNorms
from source.files.atomic import remove_leftovers
from source.files.folders import make_folder
from source.files.plain_json import read_json
from source.links.weights import singular_values
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.pictures.image_sheets import save_sheet
from source.results_folder.results_dir import newest_snapshot, snapshots_in
from source.results_folder.snapshots import load_trainer, save_snapshot
from source.scoring.image_sources import GeneratedImages
from source.scoring.judging import judge, scores_of
from source.scoring.protocols import PROTOCOLS
from source.scoring.reference import RealImages
from source.training.assembly import assemble
from source.training.triggers import EveryAndLast

import numpy as np

JOB = 'cell.json'
SHEET = 5  # rows and columns of the samples kept
N_HELD_OUT = 200


def write_job(results, cell, data_dir=None, threads=None):
    """Makes a cell's folder with all a worker needs: `cell.yml`, its config, and `cell.json`."""
    folder = make_folder(results.folder(cell))
    write_cell_config(folder, cell)
    (folder / JOB).write_text(json.dumps(as_job(cell, data_dir, threads), indent=1) + '\n', encoding='utf-8')
    return folder


def check_job(results, cell):
    """Raises ValueError where a cell of another budget was begun in the folder that `cell` would go on in."""
    folder = results.folder(cell)
    if newest_snapshot(folder) is None or not (folder / JOB).is_file():
        return
    begun, _, _ = read_job(folder)
    check_same_budget(folder, identity(begun)['budget'], cell)


def read_job(folder):
    """(cell, data_dir, threads) of a cell's folder; raises ValueError where its file says something else."""
    path = Path(folder) / JOB
    try:
        job = read_json(path)
        variant = {**job['variant'], 'options': tuple((name, value) for name, value in job['variant']['options'])}
        cell = Cell(Variant(**variant), job['seed'], Budget(**job['budget']))
        identity(cell)
        return cell, job['data_dir'], job['threads']
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f'{path}: expected what a cell is, found something else '
                         f'({type(error).__name__}: {" ".join(str(error).split())[:100]})') from None


def run_cell(folder, gpu=None, should_stop=lambda: False):
    """Trains the cell of a folder on from its newest snapshot.

    Args:
        folder: as `write_job` left it, at `<results>/cells/<cell>`.
        gpu: as train.py's.
        should_stop: asked before every iteration; once it is true, a snapshot is written and training left. A timed
            cell leaves none: it starts anew, so that its seconds are of one go.

    Returns:
        The record, or None where training was left before its end. A cell whose losses or parameters stop being
        numbers gets a record too.
    """
    folder = Path(folder)
    remove_leftovers(folder)
    cell, data_dir, threads = read_job(folder)
    results = Results(folder.parent.parent)
    config_path = str(folder / 'cell.yml')
    config = load_config(config_path)
    assembly = _assemble(config, config_path, get_device(gpu), folder, data_dir, cell.timed, should_stop)
    trainer, network, last = assembly.trainer, assembly.network, config['iteration']
    snapshot = newest_snapshot(folder)
    if snapshot:
        load_trainer(snapshot, trainer)
    status = FINISHED
    try:
        trainer.run(show_loop_exception_msg=False)
    except DivergedError as error:
        status = f'diverged: {error}'
    if status == FINISHED and trainer.updater.iteration < last:
        if trainer.updater.iteration > 0 and not cell.timed:  # optimizers have no state to keep before
            trainer.get_extension('SaveSnapshots')(trainer)
        return None
    record = make_record(cell, status, trainer, assembly.log.log, network, config, threads)
    make_folder(results.samples(cell.name).parent)
    if status == FINISHED:
        if cell.budget.protocol and not cell.timed:
            record['scores'], record['protocol'] = _scores_by_protocol(
                cell, trainer.updater.gen, network, config, config_path, data_dir)
        save_sheet(results.samples(cell.name), _samples(trainer.updater.gen, cell.seed), SHEET, SHEET)
        for model in (trainer.updater.gen, trainer.updater.dis):
            save_snapshot(folder / f'{type(model).__name__}_{last}.npz', model)
    write_record(results.record(cell), record)
    _remove_snapshots(folder)
    return record


def _assemble(config, config_path, device, folder, data_dir, timed, should_stop):
    """The Assembly of a cell: with spectral norms, losses on held-out data and a single snapshot.

    None of these in a `timed` one, and no scores, as they would be in its seconds.
    """
    last = config['iteration']
    logged = _Logged(config['display_interval'], last)
    assembly = assemble(config, config_path, device, folder,
                        lambda trainer: trainer.updater.iteration >= last or should_stop(), data_dir, logged=logged,
                        scores=not timed)
    if timed:
        return assembly
    trainer = assembly.trainer
    trainer.extend(SpectralNorms(assembly.dis), trigger=logged)
    held_out = build.build_dataset(config, config_path, data_dir, test=True)
    if held_out is not None:
        trainer.extend(HeldOutLoss(trainer.updater, assembly.dataset, held_out, N_HELD_OUT, seed=(config['seed'], 6)),
                       trigger=logged)
    trainer.extend(SaveSnapshots([], keep_last=1), trigger=EveryAndLast(config['snapshot_interval'], last))
    return assembly


class _Logged(EveryAndLast):
    """Iterations 1, 2, 5, 10, 20, … too, up to the first interval: Figure 9 is about the beginning."""

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        leading = iteration / 10 ** math.floor(math.log10(iteration)) if iteration else 0
        return (iteration < self.interval and leading in (1, 2, 5)) or super().__call__(trainer)


def _remove_snapshots(folder):
    for path in snapshots_in(folder):
        path.unlink()


def _scores_by_protocol(cell, gen, network, config, config_path, data_dir):
    protocol = PROTOCOLS[cell.budget.protocol]
    real = RealImages(build.real_images_of(config, config_path, data_dir), protocol.real, protocol.n_real)
    judged = judge(GeneratedImages(gen, (cell.seed, 7)).batches(protocol.n_images), network, protocol.n_images,
                   protocol.n_compared, desc='samples')
    scores = scores_of(judged, network, reference=real.statistics(network), splits=protocol.splits)
    return ({name: float(score) for name, score in scores.items()},
            f'{protocol.n_images} images in {protocol.splits} splits, FID of the first {protocol.n_compared} against '
            f'{real.text}')


def _samples(gen, seed):
    sampler = NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, (seed, 4))
    labels = np.arange(SHEET ** 2) % gen.n_classes if gen.n_classes > 0 else None
    return generate_ims(gen, SHEET ** 2, sampler, labels)[0]


def make_record(cell, status, trainer, log, network, config, threads):
    """The record of a cell that ended, as `records.py` describes it."""
    evaluation = config['evaluation']
    prefix = f'{network.name}_' if network else None
    curve = [{'iteration': entry['iteration'],
              **{name.removeprefix(prefix): value for name, value in entry.items() if name.startswith(prefix)}}
             for entry in log if prefix and f'{prefix}fid' in entry]
    names = dict.fromkeys(name for entry in log for name in entry)
    dis = trainer.updater.dis
    finished = status == FINISHED
    scores = {name: value for name, value in curve[-1].items() if name != 'iteration'} if finished and curve else {}
    return {
        **identity(cell),
        'status': status,
        'iterations_done': trainer.updater.iteration,
        'feature_network': network and network.name,
        'network_sha256': network and network.digest,
        'protocol': network and f'{evaluation["n_images"]} images in {evaluation["splits"]} splits, '
                                'FID against all training images',
        'scores': scores,
        'seconds': round(trainer.elapsed_time, 1),
        'seconds_per_100_updates': seconds_per_100_updates(log, prefix),
        'threads': threads,
        'device': 'CPU' if dis.xp is np else 'GPU',
        'curve': {name: [entry[name] for entry in curve] for name in (curve[0] if curve else ())
                  if all(name in entry for entry in curve)},  # a std of one split is in logs of earlier versions alone
        'log': {name: [entry.get(name) for entry in log] for name in names
                if name == 'iteration' or name.startswith(('loss', 'critic_loss'))},
        'spectral_norms': {name.removeprefix('sigma/'): [entry.get(name) for entry in log]
                           for name in names if name.startswith('sigma/')},
        'squared_singular_values': {name: (values.astype(float) ** 2).tolist()
                                    for name, values in singular_values(dis).items()} if finished else {},
        'ended': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
    }


def seconds_per_100_updates(log, prefix=None):
    """The median over the log's intervals without scoring, or None where there are none."""
    rates = [(after['elapsed_time'] - before['elapsed_time']) / (after['iteration'] - before['iteration'])
             for before, after in zip(log, log[1:])
             if not (prefix and any(name.startswith(prefix) for name in after))]
    return round(100 * float(np.median(rates)), 3) if rates else None


def record_crash(folder, line):
    """The record of a cell that could not be trained on: `line` says why."""
    cell, _, threads = read_job(folder)
    results = Results(Path(folder).parent.parent)
    snapshot = newest_snapshot(folder)
    done = int(snapshot.name.rpartition('_')[2]) if snapshot else 0
    record = {**identity(cell), 'status': f'crashed: {line}', 'iterations_done': done, 'scores': {},
              'threads': threads, 'ended': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}
    write_record(results.record(cell), record)
    return read_record(results.record(cell))
