import resource
import sys
import time

from source.command_line.short_texts import duration
from source.command_line.standard_streams import tell
from source.config.quick_lengths import QUICK

from chainer.training import extension

LAST = 10  # iteration after which the forecast is made
WARM_UP = 5  # iterations that are not timed: the first ones compile, allocate and, on a GPU, capture
PATIENCE = 12 * 60  # seconds; above, a shorter run is named


class Forecast(extension.Extension):
    """Tells after ten iterations how long the others will take and how much memory the process holds.

    Where that is over PATIENCE it names a shorter run. `n_scorings(iteration)` is how often samples are scored after
    an iteration, which takes time of its own.
    """

    priority = extension.PRIORITY_READER - 150  # after the scores

    def __init__(self, n_iterations, n_scorings=lambda iteration: 0):
        self.n_iterations, self.n_scorings = n_iterations, n_scorings

    def initialize(self, trainer):
        self.first = trainer.updater.iteration

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        if iteration - self.first not in (WARM_UP, LAST):
            return
        device = trainer.updater.gen.device
        if device.xp.__name__ == 'cupy':
            device.xp.cuda.get_current_stream().synchronize()
        if iteration - self.first == WARM_UP:
            self.start = time.perf_counter()
        elif iteration < self.n_iterations:
            seconds = (time.perf_counter() - self.start) / (LAST - WARM_UP)
            for line in forecast(seconds, iteration, self.n_iterations, self.n_scorings(iteration), memory(device)):
                tell(line)


def forecast(seconds, iteration, n_iterations, n_scorings, held):
    """Return the lines that tell of a run of which an iteration takes `seconds`; `held` is `memory`'s text."""
    left = (n_iterations - iteration) * seconds
    scoring = f', besides scoring samples {n_scorings} times' if n_scorings > 1 else ', besides scoring samples'
    lines = [f'{n_iterations - iteration:,} iterations of {seconds:.2g} s to go: about {duration(left)}'
             f'{scoring if n_scorings else ""}; {held}']
    if left > PATIENCE and n_iterations > QUICK:
        lines.append(f'--quick makes {QUICK:,} iterations instead, about {duration(QUICK * seconds)}')
    elif left > PATIENCE:
        lines.append(f'--set iteration={max(1, round(60 / seconds))} takes about {duration(max(60, seconds))}')
    return lines


def memory(device):
    """Return how much memory this process has held at most, as text, and on a GPU how much of that one's."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)
    text = f'{peak / 1e9:.1f} GB of memory are held'
    if device.xp.__name__ == 'cupy':
        text += f', {device.xp.get_default_memory_pool().total_bytes() / 1e9:.1f} GB on the GPU'
    return text
