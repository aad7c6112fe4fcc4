import json
import math
from pathlib import Path

from source.extensions.divergence import require_finite
from source.results_folder.results_dir import iteration_of, snapshots_in
from source.results_folder.snapshot_names import model_snapshots
from source.results_folder.snapshots import save_snapshot

from chainer.training import extension


class SaveSnapshots(extension.Extension):
    """Writes `snapshot_iter_<iteration>` of the whole training and `<class name>_<iteration>.npz` of each model.

    After that, older ones are removed. Never those of later iterations than the present one, which are of another
    course of the training, and never before the new ones are on the disk.

    Args:
        models: whose files are written; if one is not finite, DivergedError is raised and nothing written.
        ema: a generator of averaged weights, whose file is `<class name>_ema_<iteration>.npz`, or None.
        keep_last: snapshots of the whole training to keep, counted from the present one; 0 is all.
        keep_best: so many are kept besides, of those with the lowest `score`.
        keep_models: as `keep_last`, of the models' files; those beside a snapshot that is kept are kept too.
        score: what is reported in an iteration whose snapshot may be among the best; lower is better.
        spared: paths never removed, as the snapshot that a user named to go on from.
    """

    # Differs from sngan_projection, which keeps every snapshot.
    priority = extension.PRIORITY_READER - 200  # after everything that changes state or writes the log

    def __init__(self, models, ema=None, keep_last=0, keep_best=0, keep_models=0, score=None, spared=()):
        self.models = {type(model).__name__: model for model in models}
        if ema is not None:
            self.models[f'{type(ema).__name__}_ema'] = ema
        self.score = score
        self.keep_last, self.keep_best, self.keep_models = keep_last, keep_best, keep_models
        self.spared = {Path(path).resolve() for path in spared}
        self.newest = None  # the last one written
        self._scores = {}

    def __call__(self, trainer):
        iteration, out = trainer.updater.iteration, Path(trainer.out)
        require_finite(self.models.values(), iteration)
        score = float(trainer.observation.get(self.score, math.nan))
        if math.isfinite(score):
            self._scores[iteration] = score
        for name, model in self.models.items():
            save_snapshot(out / f'{name}_{iteration}.npz', model)
        path = out / f'snapshot_iter_{iteration}'
        save_snapshot(path, trainer)
        self.newest = path
        self._remove_older(out, iteration)

    def _remove_older(self, out, iteration):
        found = [p for p in snapshots_in(out) if iteration_of(p) <= iteration]
        scored = sorted((p for p in found if iteration_of(p) in self._scores),
                        key=lambda p: self._scores[iteration_of(p)])
        kept = {iteration_of(p) for p in [*found[:self.keep_last or None], *scored[:self.keep_best]]}
        kept |= {iteration_of(p) for p in found if p.resolve() in self.spared}
        for path in found:
            if iteration_of(path) not in kept:
                path.unlink(missing_ok=True)
        if self.keep_models:
            for name in self.models:
                self._remove_older_models(out, name, iteration, kept)

    def _remove_older_models(self, out, name, iteration, kept):
        found = {number: path for number, path in model_snapshots(out, name).items() if number <= iteration}
        for number, path in list(found.items())[:-self.keep_models]:
            if number not in kept and path.resolve() not in self.spared:
                path.unlink(missing_ok=True)

    def serialize(self, serializer):
        try:
            scores = json.loads(str(serializer('scores', json.dumps(self._scores))))
        except KeyError:  # a snapshot of before there were scores in it
            scores = {}
        self._scores = {int(iteration): float(score) for iteration, score in scores.items()}
