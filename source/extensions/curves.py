from pathlib import Path

from source.miscs.files import atomic_write

from chainer.training import extension


class Curves(extension.Extension):
    """Draws the log: `losses.png`, and `scores.png` where there are scores."""

    priority = extension.PRIORITY_READER - 150  # after the log has been extended

    def __init__(self, log_report):
        self.log_report = log_report

    def __call__(self, trainer):
        draw_curves(self.log_report.log, Path(trainer.out))


def draw_curves(log, folder):
    """Draws losses in one panel and every score in one of its own, over iterations."""
    names = list(dict.fromkeys(name for entry in log for name in entry))
    losses = [n for n in names if n.startswith('loss_')]
    scores = [n for n in names if n not in (*losses, 'epoch', 'iteration', 'elapsed_time') and not n.endswith('_std')]
    if losses:
        _draw(folder / 'losses.png', log, [losses], 'loss')
    if scores:
        _draw(folder / 'scores.png', log, [[name] for name in scores], None)


def _draw(path, log, panels, ylabel):
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here, as it takes a second to import
    from matplotlib.figure import Figure
    figure = Figure(figsize=(4.8 * len(panels), 3.6), layout='constrained')
    FigureCanvasAgg(figure)
    for axes, names in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for name in names:
            points = [(entry['iteration'], entry[name]) for entry in log if name in entry]
            axes.plot(*zip(*points, strict=True), label=name, linewidth=1.5, marker='.' if len(points) < 50 else None)
        axes.set_xlabel('iteration')
        axes.set_ylabel(ylabel or names[0].replace('_', ' '))
        axes.grid(alpha=.3)
        axes.spines[['top', 'right']].set_visible(False)
        if len(names) > 1:
            axes.legend(frameon=False)
    with atomic_write(path) as file:
        figure.savefig(file, dpi=120, format='png')
