"""The trainer of `train.py`: what it prints, draws and saves."""
from source.command_line.standard_streams import tell
from source.config.build import class_names_of
from source.extensions.curves import Curves
from source.extensions.forecast import Forecast
from source.extensions.progress import Progress
from source.extensions.sample_sheet import SampleSheet
from source.extensions.save_snapshots import SaveSnapshots
from source.extensions.tensorboard import TensorBoard
from source.processes import ALONE
from source.scoring.comparison import PUBLISHED, check_row, load_published
from source.training.assembly import assemble
from source.training.stop_request import StopRequest
from source.training.triggers import EveryAndLast, EveryLastAndStopped, Until

from chainer.training import extension


def build_trainer(config, config_path, device, results_dir, data_dir=None, resume=None, processes=ALONE):
    """Return a trainer ready to run; it stops at its last iteration or, with a snapshot, at a signal.

    Args:
        config, config_path, device, data_dir: as for `assemble`.
        results_dir: where everything is written; nothing is before the trainer runs.
        resume: a snapshot that is never removed.
        processes: those that train together; all but the first one's trainers write nothing.

    Raises as `assemble` does.
    """
    if config['paper_row'] is not None:
        check_row(config_path, config['paper_row'], {p.row for p in load_published(PUBLISHED)})
    last = config['iteration']
    stop = StopRequest(processes.any if processes.size > 1 else None)
    assembly = assemble(config, config_path, device, results_dir, Until(last, stop), data_dir, processes)
    snapshots = EveryLastAndStopped(config['snapshot_interval'], last, stop)
    if processes.is_first:
        _extend_with_output(assembly, config, config_path, snapshots, resume)
    else:
        assembly.trainer.extend(lambda trainer: None, 'stop', snapshots, extension.PRIORITY_READER - 200)
    return assembly.trainer


def _extend_with_output(assembly, config, config_path, snapshots, resume):
    trainer, log, network, last = assembly.trainer, assembly.log, assembly.network, config['iteration']
    evaluated = EveryAndLast(config['evaluation_interval'], last)
    names = class_names_of(config, config_path) if assembly.gen.n_classes else None
    for generator, suffix in assembly.generators:
        trainer.extend(SampleSheet(generator, seed=(config['seed'], 4), folder=f'preview{suffix}', names=names),
                       name=f'SampleSheet{suffix}', trigger=evaluated)
    foreign = network and network.foreign
    if foreign:
        tell(f'note: {foreign}: scores by it say little of the images')
    trainer.extend(Progress(last, log, config['progressbar_interval'] or 1, foreign and network.name))
    n_scorings = evaluated.n_after if network is not None else lambda iteration: 0
    trainer.extend(Forecast(last, n_scorings), trigger=lambda trainer: True)  # which keeps nothing in snapshots
    trainer.extend(Curves(log), trigger=evaluated)
    if config['tensorboard']:
        trainer.extend(TensorBoard(log))
    trainer.extend(SaveSnapshots([assembly.gen, assembly.dis], assembly.averaged, **config['snapshots'],
                                 score=network and f'{network.name}_fid', spared=[resume] if resume else []),
                   trigger=snapshots)
