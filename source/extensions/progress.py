import sys
import time

from source.command_line.progress_bar import draws_bars
from source.command_line.short_texts import duration

from chainer.training import extension
from tqdm import tqdm


class Progress(extension.Extension):
    """A line for every new entry of the log, and in a terminal a bar below with iterations per second and time left.

    Elsewhere the lines say how long is left. `foreign` is the name of a feature network that is foreign to the data, or
    None; scores by it are marked.
    """

    trigger = 1, 'iteration'
    priority = extension.PRIORITY_READER - 100  # after the log has been extended

    def __init__(self, n_iterations, log_report, update_interval=1, foreign=None):
        self.n_iterations, self.log_report, self.update_interval = n_iterations, log_report, update_interval
        self.foreign = foreign
        self.bar = None

    def initialize(self, trainer):
        self.first, self.start = trainer.updater.iteration, time.monotonic()
        self.n_shown = len(self.log_report.log)
        if draws_bars():
            self.bar = tqdm(total=self.n_iterations, initial=self.first, unit='it', dynamic_ncols=True, smoothing=.1,
                            miniters=self.update_interval)

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        if self.bar is not None:
            self.bar.update(iteration - self.bar.n)
        for entry in self.log_report.log[self.n_shown:]:
            line = format_entry(entry, self.foreign)
            if self.bar is not None:
                self.bar.write(line, file=sys.stdout)
            else:
                left = (time.monotonic() - self.start) / (iteration - self.first) * (self.n_iterations - iteration)
                print(f'{line}  left {duration(left)}', flush=True)
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
