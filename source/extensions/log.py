import contextlib
import json
from pathlib import Path

from source.files.atomic import atomic_write
from source.files.line_log import LineLog

from chainer.training import extensions


class Log(extensions.LogReport):
    """Chainer's log of mean reported values, in two files of the same entries.

    `log.jsonl` is append-only and loses nothing when a run is killed; `log.json`, to which the authors' name `log`
    points, is a list, written anew with each entry. Snapshots hold the entries too: resumed, both files continue those.
    """

    def __init__(self, trigger):
        super().__init__(trigger=trigger)
        self._log_name = None  # Chainer's own way of writing leaves a folder behind when it is killed
        self._lines = None

    def initialize(self, trainer):
        self._lines = LineLog(Path(trainer.out) / 'log.jsonl')
        if self._lines.entries and self._lines.entries != self._log:
            iteration = trainer.updater.iteration
            is_ours = [e for e in self._lines.entries if e['iteration'] <= iteration] == self._log
            self._lines.append({'resumed_at': iteration if is_ours else 0})
        for entry in self._log[len(self._lines.entries):]:
            self._lines.append(entry)
        if self._log:
            self._write(trainer)

    def __call__(self, trainer):
        n_entries = len(self._log)
        super().__call__(trainer)
        if len(self._log) == n_entries:
            return
        if self._lines is None:
            self.initialize(trainer)
        else:
            self._lines.append(self._log[-1])
            self._write(trainer)

    def _write(self, trainer):
        with atomic_write(Path(trainer.out) / 'log.json') as file:
            file.write(json.dumps(self._log, indent=4).encode())
        link = Path(trainer.out) / 'log'
        if not link.exists():
            with contextlib.suppress(OSError):  # some file systems know no links
                link.unlink(missing_ok=True)
                link.symlink_to('log.json')

    def serialize(self, serializer):
        super().serialize(serializer)
        if not (isinstance(self._log, list) and all(isinstance(e, dict) and 'iteration' in e for e in self._log)):
            raise ValueError('expected a list of entries as the log')
