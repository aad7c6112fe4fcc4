"""Signals that ask a training to stop."""
import contextlib
import os
import signal

from source.command_line.one_line_errors import end_by


class StopRequest:
    """SIGINT and SIGTERM as a wish to stop: the first is noted, the second ends the process at once.

    A process forked meanwhile, as one of a data set's, ends at once by SIGTERM, with which whoever forked it ends it.
    `made` becomes true between iterations only, when `look` is called; so whoever asks in one iteration sees the same.
    `agree`, where given, makes of the answer of this process that of several.
    """

    SIGNALS = signal.SIGINT, signal.SIGTERM

    def __init__(self, agree=None):
        self.made = False
        self._noted = None
        self._agree = agree
        self._process = os.getpid()

    @property
    def name(self):
        """'SIGINT' or 'SIGTERM', where this process got one."""
        return signal.Signals(self._noted).name if self._noted else 'a signal to another process'

    def look(self):
        self.made = self._noted is not None if self._agree is None else self._agree(self._noted is not None)
        return self.made

    def _note(self, number, frame):
        if number == signal.SIGTERM and os.getpid() != self._process:
            end_by(number)
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
