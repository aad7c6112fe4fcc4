import contextlib
import signal


class StopRequest:
    """SIGINT and SIGTERM as a wish to stop: the first is noted, the second ends the process at once.

    `made` becomes true between iterations only, when `look` is called; so whoever asks in one iteration sees the same.
    `agree`, where given, makes of the answer of this process that of several.
    """

    SIGNALS = signal.SIGINT, signal.SIGTERM

    def __init__(self, agree=None):
        self.made = False
        self._noted = None
        self._agree = agree

    @property
    def name(self):
        """'SIGINT' or 'SIGTERM', where this process got one."""
        return signal.Signals(self._noted).name if self._noted else 'a signal to another process'

    def look(self):
        self.made = self._noted is not None if self._agree is None else self._agree(self._noted is not None)
        return self.made

    def _note(self, number, frame):
        self._noted = number
        for other in self.SIGNALS:
            signal.signal(other, signal.SIG_DFL)

    @contextlib.contextmanager
    def listening(self):
        """Takes the signals within the block; outside the main thread, where Python allows none, it does nothing."""
        try:
            before = {number: signal.signal(number, self._note) for number in self.SIGNALS}
        except ValueError:
            before = {}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
