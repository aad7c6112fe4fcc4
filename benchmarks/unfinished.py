"""Runs of a measurement that takes longer than a command may: kept beside its results until each row is complete."""
import json
from pathlib import Path

from source.files.atomic import atomic_write


class Unfinished:
    """{row: {side: [answers]}} of rows still to be measured, in a file that is written after every run.

    Args:
        out: the results' file; this one lies beside it as `<name>.unfinished.json`, and goes with the last row.
        conditions: what runs of one row must have in common, as JSON has it.
    """

    def __init__(self, out, conditions):
        self.path = Path(out).with_suffix('.unfinished.json')
        self.conditions, self.rows = conditions, {}

    def begin(self, rows):
        """rows: {row: its sides}. What was unfinished before is forgotten."""
        self.rows = {row: {side: [] for side in sides} for row, sides in rows.items()}
        self.write()

    def resume(self, rows):
        """Goes on from the file with those of these rows that are in it. Raises ValueError where there is nothing, or
        what was measured otherwise."""
        if not self.path.exists():
            raise ValueError(f'--continue: nothing is unfinished, {self.path} is missing')
        try:
            found = json.loads(self.path.read_text(encoding='utf-8'))
            conditions, self.rows = found['conditions'], found['rows']
            sides = {row: list(runs) for row, runs in self.rows.items()}
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'{self.path}: nothing to continue from: {error!r}') from None
        if conditions != self.conditions:
            raise ValueError(f'{self.path}: was begun with {conditions}, found {self.conditions}')
        for row in sides:
            if row in rows and sides[row] != rows[row]:
                raise ValueError(f'{self.path}: {row}: expected the sides {rows[row]}, found {sides[row]}')
        if not set(sides) & set(rows):
            raise ValueError(f'--continue: of {", ".join(rows)} nothing is unfinished in {self.path}')

    def write(self):
        text = json.dumps({'conditions': self.conditions, 'rows': self.rows}, indent=1) + '\n'
        with atomic_write(self.path) as file:
            file.write(text.encode())

    def finish(self, row):
        del self.rows[row]
        if self.rows:
            self.write()
        else:
            self.path.unlink()
