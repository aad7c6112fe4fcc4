"""How a training iteration and its parts are timed, for every peer alike; needs nothing but Python."""
import functools
import resource
import sys
import time
from collections import defaultdict


class Stopwatch:
    """Seconds spent in named functions since the last `reset`, and how often they were called."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.seconds, self.calls = defaultdict(float), defaultdict(int)

    def timed(self, part, function):
        """The function, its time counted under the name `part`."""
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[part] += time.perf_counter() - start
                self.calls[part] += 1
        return wrapped

    def wrap(self, owner, method, part):
        """Times a method of one object."""
        setattr(owner, method, self.timed(part, getattr(owner, method)))


def measure(variants, stopwatch, seconds, at_least=3):
    """Runs iterations, the variants in turn, for as many rounds as fit in `seconds`.

    Args:
        variants: {name: function that runs one iteration}. Each runs once more before, to warm up.
        stopwatch: a Stopwatch of the parts.
        seconds: of all rounds together; the warm-up is not counted.
        at_least: rounds, however long they take.

    Returns:
        {name: [{'iteration': seconds, part: seconds of all its calls, …} of each round]}.
    """
    for iterate in variants.values():
        iterate()
    records = {name: [] for name in variants}
    start, rounds, longest = time.perf_counter(), 0, 0.
    while rounds < at_least or time.perf_counter() - start + longest <= seconds:
        round_start = time.perf_counter()
        for name, iterate in variants.items():
            stopwatch.reset()
            iteration_start = time.perf_counter()
            iterate()
            records[name].append({'iteration': time.perf_counter() - iteration_start, **stopwatch.seconds})
        rounds, longest = rounds + 1, max(longest, time.perf_counter() - round_start)
    return records


def peak_bytes():
    """The most memory this process has held at once."""
    unit = 1 if sys.platform == 'darwin' else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
