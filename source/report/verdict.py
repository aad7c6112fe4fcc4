"""Whether a run is well, as a list of checks anyone can follow."""
import math
from dataclasses import dataclass

from source.command_line.commands_to_copy import plain_command
from source.report.run import BETTER
from source.scoring.score_titles import SCORE_TITLES

HELD = .1  # how far above 1 a spectral norm may lie, as one power iteration follows weights that move
RECOGNIZED = .5  # least share of samples that the judge reads as their class
WORSE = .1  # a last score worse than the best by this share is told


@dataclass
class Check:
    good: bool
    text: str


@dataclass
class LargestNorm:
    """The largest spectral norm of a discriminator's normalized weights, and the snapshot that it was computed of."""

    value: float | None  # None: one is not finite
    iteration: int
    sha256: str  # of the file


def largest_norm(spectra, iteration, sha256):
    """The LargestNorm in what `spectra_of` says; None where that is of no spectral normalization."""
    if spectra['normalization'] != 'spectral':
        return None
    sigmas = [layer['values'][0] for layer in spectra['layers'].values()]
    return LargestNorm(None if None in sigmas else max(sigmas), iteration, sha256)


def checks_of(run, norm=None):
    """The checks of a run, [Check]; `norm` is the LargestNorm of its last discriminator, or None."""
    checks = [_finished(run), *_finite(run), *_scores(run)]
    if norm:
        good, when = norm.value is not None and norm.value <= 1 + HELD, run.when(norm.iteration)
        checks.append(Check(good, f'a spectral norm is not finite {when}' if norm.value is None else
                            f'spectral norms of the normalized weights are {"held at" if good else "not held at"} 1: '
                            f'the largest is {norm.value:.3f} {when}'))
    return checks


def _finished(run):
    total = run.config['iteration']
    if run.is_finished:
        return Check(True, f'finished all {total:,} iterations')
    options = '--config', run.path / 'config.yml', '--results_dir', run.path, '--resume', 'auto'
    return Check(False, f'made {run.n_done:,} of {total:,} iterations; to go on: {plain_command("train.py", *options)}')


def _finite(run):
    for name in run.losses():
        for entry in run.log:
            value = entry.get(name)
            if isinstance(value, float) and not math.isfinite(value):
                return [Check(False, f'{name} is not finite from iteration {entry["iteration"]:,} on: it diverged')]
    return [Check(True, 'losses stayed finite')] if run.losses() else []


def _scores(run):
    for score, names in run.score_names().items():
        points = run.series(names[0])
        if score == 'recognized' and points:
            iteration, share = points[-1]
            yield Check(share >= RECOGNIZED,
                        f'the judge reads {share:.1%} of the samples as their class {run.when(iteration)}'
                        + ('' if share >= RECOGNIZED else ': classes are not learned (yet)'))
            continue
        if score not in BETTER:
            continue
        if len(points) < 2:
            continue
        pick = max if BETTER[score] == 'higher' else min
        iteration, best = pick(points, key=lambda p: p[1])
        last_iteration, last = points[-1]
        what = f'{SCORE_TITLES[score]} {last:.4g} {run.when(last_iteration)}'
        if abs(last - best) <= WORSE * abs(best):
            yield Check(True, f'{what}, '
                        + ('its best' if last == best else f'near its best ({best:.4g}, iteration {iteration:,})'))
        else:
            yield Check(False, f'{what} is worse than {best:.4g} at iteration {iteration:,}: that snapshot may be the '
                        'better one')
