from pathlib import Path

from source.miscs.snapshots import save_snapshot

from chainer.training import extension


class SaveSnapshots(extension.Extension):
    """Writes `snapshot_iter_<iteration>` of the whole training and `<class name>_<iteration>.npz` of each model."""

    priority = extension.PRIORITY_READER - 200  # after everything that changes state or writes the log

    def __init__(self, models):
        self.models = models

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        for model in self.models:
            save_snapshot(Path(trainer.out) / f'{type(model).__name__}_{iteration}.npz', model)
        save_snapshot(Path(trainer.out) / f'snapshot_iter_{iteration}', trainer)
