import json
import os
from pathlib import Path

from source.files.folders import make_folder
from source.files.plain_json import loads, one_line


class Journal:
    """Results of a long run, one JSON line each as it is found, after a line of `settings` that says what they are of.

    `entries` is {entry[key]: entry}. A last line cut short, as by a machine switched off, is dropped. Raises
    ValueError for a file of other settings, which is left as it is.
    """

    def __init__(self, path, key, settings):
        self.path, self.key, self.entries = Path(path), key, {}
        settings = json.loads(json.dumps(settings))
        content = self.path.read_bytes() if self.path.exists() else b''
        whole = content[:content.rfind(b'\n') + 1]
        if not whole and _line(settings).startswith(content):
            make_folder(self.path.parent)
            self.path.write_bytes(_line(settings))
            return
        try:
            found, *entries = map(loads, whole.splitlines())
            differing = [name for name in {**found, **settings} if found.get(name) != settings.get(name)]
            self.entries = {entry[key]: entry for entry in entries}
        except (ValueError, TypeError, KeyError):
            raise ValueError(f'{self.path}: expected the journal of an interrupted run, found something else; '
                             'move it away to start anew') from None
        if differing:
            name = differing[0]
            raise ValueError(f'{self.path}: is of another run: {one_line(name)}: expected '
                             f'{one_line(settings.get(name))}, found {one_line(found.get(name))}; '
                             'move it away to start anew')
        os.truncate(self.path, len(whole))

    def add(self, entry):
        with open(self.path, 'ab') as file:
            file.write(_line(entry))
            file.flush()
            os.fsync(file.fileno())
        self.entries[entry[self.key]] = entry


def _line(value):
    return json.dumps(value).encode() + b'\n'
