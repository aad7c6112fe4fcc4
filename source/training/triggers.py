"""When a trainer's extensions run, and when it stops."""


class EveryAndLast:
    """A trigger for every `interval`-th iteration and the last one."""

    def __init__(self, interval, last):
        self.interval, self.last = interval, last

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        return iteration % self.interval == 0 or iteration == self.last

    def n_after(self, iteration):
        """Return how many of these iterations come after `iteration`."""
        return -(-self.last // self.interval) - iteration // self.interval if iteration < self.last else 0


class EveryLastAndStopped(EveryAndLast):
    """Also the iteration in which a signal to stop was seen; the one place that looks for it."""

    def __init__(self, interval, last, stop):
        super().__init__(interval, last)
        self.stop = stop

    def __call__(self, trainer):
        return self.stop.look() or super().__call__(trainer)


class Until:
    """The trainer's stop trigger: the last iteration is made, or that of a signal to stop."""

    def __init__(self, last, stop):
        self.last, self.stop = last, stop

    def __call__(self, trainer):
        return self.stop.made or trainer.updater.iteration >= self.last
