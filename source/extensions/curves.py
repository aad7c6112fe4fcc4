from collections import Counter
from pathlib import Path

from source.pictures.figure import new_figure, save_figure
from source.scoring.score_titles import LOSS_TITLES, SCORE_TITLES

from chainer.training import extension

LONG = 34  # letters that a panel is about as high as


class Curves(extension.Extension):
    """Draws the log: `losses.png`, and `scores.png` where there are scores; neither of a single point."""

    priority = extension.PRIORITY_READER - 150  # after the log has been extended

    def __init__(self, log_report):
        self.log_report = log_report

    def __call__(self, trainer):
        draw_curves(self.log_report.log, Path(trainer.out))


def draw_curves(log, folder):
    """Draws losses in one panel and every score in one of its own, with that of averaged weights, over iterations.

    What was logged less than twice is left out, and a file of nothing else is not written.
    """
    counts = Counter(name for entry in log for name in entry)
    names = [name for name, n in counts.items() if n > 1]
    losses = [n for n in names if n.startswith('loss_')]
    scores = [n for n in names if n not in (*losses, 'epoch', 'iteration', 'elapsed_time') and not n.endswith('_std')]
    if losses:
        _draw(folder / 'losses.png', log, [losses])
    if scores:
        panels = {}
        for name in scores:
            panels.setdefault(title_of(name), []).append(name)
        _draw(folder / 'scores.png', log, list(panels.values()))


def title_of(name):
    """What people call a name in the log: 'FID (digits network)' for 'digits_fid' and for 'digits_ema_fid'."""
    score = max((score for score in SCORE_TITLES if name.endswith(f'_{score}')), key=len, default=None)
    if score is None:
        return LOSS_TITLES.get(name, name.replace('_', ' '))
    network = name.removesuffix(f'_{score}').removesuffix('_ema')
    return f'{SCORE_TITLES[score]} ({network} network)'


def _label(name):
    """What a curve is called beside others of its panel."""
    if name.startswith('loss_'):
        return title_of(name)
    return 'averaged weights' if '_ema_' in name else 'weights of the iteration'


def _draw(path, log, panels):
    figure = new_figure(4.8 * len(panels), 3.6)
    for axes, names in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name in names:
            points = [(entry['iteration'], entry[name]) for entry in log if name in entry]
            axes.plot(*zip(*points, strict=True), label=_label(name), linewidth=1.5,
                      marker='.' if len(points) < 50 else None)
        title = 'loss' if len(names) > 1 and names[0].startswith('loss_') else title_of(names[0])
        if len(title) > LONG:
            title = title.replace(' (', '\n(')
        axes.set_xlabel('Iteration')
        axes.set_ylabel(title[0].upper() + title[1:])
        axes.grid(alpha=.3)
        axes.spines[['top', 'right']].set_visible(False)
        if len(names) > 1:
            axes.legend(frameon=False)
    save_figure(path, figure)
