"""An append-only log: one JSON object a line, on the disk before the next is written.

What stands in it is never changed. A line `{"resumed_at": iteration}` takes back the entries of later iterations, which
the run lost when it ended and makes again. A last line that was cut short, as by a machine switched off, is removed.
"""
import json
import os
from pathlib import Path

from source.files.plain_json import loads


class LineLogError(ValueError):
    """A file that is no log of this kind."""


class LineLog:
    """The file at `path`; `entries` are those that count, each a dict with `iteration`."""

    def __init__(self, path):
        self.path, self.entries = Path(path), []
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content[:content.rfind(b'\n') + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                self._take(loads(line))
            except (ValueError, TypeError, KeyError):
                raise LineLogError(f'{self.path}, line {number}: expected an entry of a training log') from None
        if len(whole) < len(content):
            os.truncate(self.path, len(whole))

    def _take(self, entry):
        if 'resumed_at' in entry:
            self.entries = [e for e in self.entries if e['iteration'] <= int(entry['resumed_at'])]
        else:
            int(entry['iteration'])
            self.entries.append(entry)

    def append(self, entry):
        """Writes an entry whole or, with an OSError that names the file, not at all."""
        n_bytes = self.path.stat().st_size if self.path.exists() else 0
        try:
            with open(self.path, 'ab', buffering=0) as file:
                line = json.dumps(entry).encode() + b'\n'
                written = file.write(line)
                if written < len(line):
                    file.write(line[written:])
                os.fsync(file.fileno())
        except OSError as error:
            if self.path.exists() and self.path.stat().st_size > n_bytes:
                os.truncate(self.path, n_bytes)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._take(entry)
