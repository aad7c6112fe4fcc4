import chainer
from chainer.training import extension


class DivergedError(ArithmeticError):
    """Training whose losses or parameters are no numbers any more; `iteration` says since when it was seen."""

    def __init__(self, iteration, what):
        super().__init__(f'{what} is not finite at iteration {iteration}')
        self.iteration = iteration


class StopWhenDiverged(extension.Extension):
    """Raises DivergedError as soon as a loss is NaN or infinite; every `interval` iterations, and at `last`, if a
    parameter is.
    """

    trigger = 1, 'iteration'
    priority = extension.PRIORITY_WRITER + 100  # before anything is computed from the models

    def __init__(self, models, interval=100, last=None):
        self.models, self.interval, self.last = models, interval, last

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        for name, value in trainer.observation.items():
            if 'loss' in name and not _is_finite(value):
                raise DivergedError(iteration, name)
        if iteration % self.interval == 0 or iteration == self.last:
            for model in self.models:
                for path, parameter in model.namedparams():
                    if parameter.array is not None and not _is_finite(parameter.array):
                        raise DivergedError(iteration, f'{type(model).__name__}{path}')


def _is_finite(value):
    xp = chainer.backend.get_array_module(value)
    return bool(xp.isfinite(xp.asarray(value)).all())
