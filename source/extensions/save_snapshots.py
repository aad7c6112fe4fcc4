from pathlib import Path

from source.miscs.snapshots import save_snapshot

from chainer.training import extension


class SaveSnapshots(extension.Extension):
    """Writes `snapshot_iter_<iteration>` of the whole training and `<class name>_<iteration>.npz` of each model.

    A generator of averaged weights, `ema`, is `<class name>_ema_<iteration>.npz`.
    """

    priority = extension.PRIORITY_READER - 200  # after everything that changes state or writes the log

    def __init__(self, models, ema=None):
        self.models, self.ema = models, ema

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        for model in self.models:
            save_snapshot(Path(trainer.out) / f'{type(model).__name__}_{iteration}.npz', model)
        if self.ema is not None:
            save_snapshot(Path(trainer.out) / f'{type(self.ema).__name__}_ema_{iteration}.npz', self.ema)
        save_snapshot(Path(trainer.out) / f'snapshot_iter_{iteration}', trainer)
