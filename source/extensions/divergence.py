from source.links.weights import effective_weights

import chainer
import numpy as np
from chainer.training import extension


class DivergedError(ArithmeticError):
    """Training whose losses or parameters are no numbers any more; `iteration` says since when it was seen."""

    def __init__(self, iteration, what):
        super().__init__(f'{what} is not finite at iteration {iteration}')
        self.iteration = iteration


class StopWhenDiverged(extension.Extension):
    """Raises DivergedError as soon as a loss is NaN or infinite; every `interval` iterations, and at `last`, if a
    parameter or a persistent array is.

    These are looked at by code that is not compiled to take every number for finite, as the CPU kernels are: there a
    NaN may pass a ReLU as 0, and the loss be none the worse. On a GPU losses are looked at every `interval` iterations
    too, as each look waits for it; what is raised still names the first iteration.
    """

    trigger = 1, 'iteration'
    priority = extension.PRIORITY_WRITER + 100  # before anything is computed from the models

    def __init__(self, models, interval=100, last=None):
        self.models, self.interval, self.last = models, interval, last
        self._first_bad = {}  # of losses on a GPU: {name: the first iteration that was not finite, or infinity}

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        at_interval = iteration % self.interval == 0 or iteration == self.last
        for name, value in trainer.observation.items():
            if 'loss' in name:
                self._look_at(name, value, iteration, at_interval)
        if at_interval:
            require_finite(self.models, iteration)

    def _look_at(self, name, value, iteration, at_interval):
        xp = chainer.backend.get_array_module(value)
        if xp is np:
            if not np.isfinite(value).all():
                raise DivergedError(iteration, name)
            return
        bad = xp.where(xp.isfinite(value).all(), np.inf, float(iteration))
        self._first_bad[name] = xp.minimum(self._first_bad.get(name, np.inf), bad)
        if at_interval and float(self._first_bad[name]) < np.inf:
            raise DivergedError(int(self._first_bad[name]), name)


def require_finite(models, iteration):
    """Raises DivergedError if a parameter or a persistent array of a model is not finite."""
    for model in models:
        arrays = [(path, parameter.array) for path, parameter in model.namedparams()]
        arrays += [(f'{path.rstrip("/")}/{name}', getattr(link, name)) for path, link in model.namedlinks()
                   for name in sorted(link._persistent)]
        for path, array in arrays:
            xp = chainer.backend.get_array_module(array)
            if array is not None and not bool(xp.isfinite(xp.asarray(array)).all()):
                raise DivergedError(iteration, f'{type(model).__name__}{path}')


def describe_norms(models):
    """One line for each model: the spectral norm of every layer's weight as the layer uses it, on the CPU."""
    lines = []
    for model in models:
        norms = []
        for path, W in effective_weights(model):
            W = chainer.backends.cuda.to_cpu(W)
            norm = f'{np.linalg.norm(W.astype(float), 2):.3g}' if np.isfinite(W).all() else 'not finite'
            norms.append(f'{path.strip("/")} {norm}')
        lines.append(f'spectral norms, {type(model).__name__}: {", ".join(norms)}')
    return lines
