import sys

from chainer.training import extension
from tqdm import tqdm


class Progress(extension.Extension):
    """A progress bar with iterations per second and time left, and above it a line for every new entry of the log.

    `foreign` is the name of a feature network that is foreign to the data, or None; scores by it are marked.
    """

    trigger = 1, 'iteration'
    priority = extension.PRIORITY_READER - 100  # after the log has been extended

    def __init__(self, n_iterations, log_report, update_interval=1, foreign=None):
        self.n_iterations, self.log_report, self.update_interval = n_iterations, log_report, update_interval
        self.foreign = foreign
        self.bar = None

    def initialize(self, trainer):
        iteration = trainer.updater.iteration
        self.n_shown = len(self.log_report.log)
        interval = .1 if sys.stderr.isatty() else 30.
        self.bar = tqdm(total=self.n_iterations, initial=iteration, unit='it', mininterval=interval, dynamic_ncols=True,
                        smoothing=.1, miniters=self.update_interval)

    def __call__(self, trainer):
        self.bar.update(trainer.updater.iteration - self.bar.n)
        for entry in self.log_report.log[self.n_shown:]:
            self.bar.write(format_entry(entry, self.foreign), file=sys.stdout)
        self.n_shown = len(self.log_report.log)

    def finalize(self):
        if self.bar is not None:
            self.bar.close()


def format_entry(entry, foreign=None):
    """One line for an entry of the log: iteration, losses, and scores where there are some."""
    values = [f'{name} {value:.4g}' for name, value in entry.items()
              if name not in ('epoch', 'iteration', 'elapsed_time')]
    if foreign and any(name.startswith(f'{foreign}_') for name in entry):
        values.append('(a foreign judge)')
    return f'iteration {entry["iteration"]:>6}  ' + '  '.join(values)
