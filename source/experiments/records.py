"""Records: what is left of a finished cell, a JSON file of a few kilobytes that everything else is made from."""
import csv
import io
import json
import math
from dataclasses import asdict
from pathlib import Path

from source.experiments.budget import PAPER_CH
from source.experiments.record_checks import check_record
from source.files.atomic import atomic_write
from source.files.folders import make_folder
from source.files.plain_json import read_json
from source.results_folder.results_dir import newest_snapshot

COLUMNS = ('dataset', 'network', 'method', 'setting', 'options', 'seed', 'iteration', 'ch', 'batchsize', 'status',
           'iterations_done', 'is_mean', 'is_std', 'fid', 'recognized', 'seconds', 'seconds_per_100_updates',
           'feature_network', 'protocol')
FINISHED = 'finished'
DIGITS = 5  # significant ones of the numbers in lists, which are for drawing


class Results:
    """Where a comparison's files are.

    `records/<cell>.json` and `samples/<cell>.png` are small and meant to be kept; `cells/<cell>/` holds snapshots and
    logs. The table of all records is the .csv beside the folder.
    """

    def __init__(self, root):
        self.root = Path(root)

    @property
    def csv(self):
        return self.root.parent / f'{self.root.name}.csv'

    def record(self, cell):
        return self.record_of(cell.name)

    def record_of(self, name):
        return self.root / 'records' / f'{name}.json'

    def samples(self, name):
        return self.root / 'samples' / f'{name}.png'

    def folder(self, cell):
        return self.root / 'cells' / cell.name


def identity(cell):
    """What a record is of, as a dict: all that two runs must share to be the same."""
    variant = cell.variant
    return {'name': cell.name, 'network': variant.network, 'method': variant.method, 'setting': variant.setting,
            'options': dict(variant.options), 'seed': cell.seed,
            'budget': {**cell.budget.as_record(), 'iteration': cell.iteration}}


def read_record(path, cell=None):
    """A record; raises ValueError for a file that is none, or not one of `cell`'s budget."""
    try:
        record = check_record(read_json(path))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: expected the record of a cell: {error}') from None
    if record['name'] != path.stem:
        raise ValueError(f"{path}: name: expected {path.stem}, as the file is called, found {record['name']}")
    if cell is not None:
        check_same_budget(path, record['budget'], cell)
    return record


def check_same_budget(path, found, cell):
    """Raises ValueError where `found`, the budget of what `path` holds, is not that of `cell`."""
    expected = identity(cell)['budget']
    for name in (*expected, *found):
        if found.get(name) != expected.get(name):
            raise ValueError(f'{path}: is of another budget: {name}: expected {expected.get(name)}, found '
                             f'{found.get(name)}; give that, or another --results_dir')


def read_records(results, cells=None):
    """{name: record} of those of `cells` that are there, or of all in the folder."""
    paths = sorted((results.root / 'records').glob('*.json')) if cells is None else map(results.record, cells)
    by_path = dict.fromkeys(paths) if cells is None else {results.record(cell): cell for cell in cells}
    records = [read_record(path, cell) for path, cell in by_path.items() if path.exists()]
    return {record['name']: record for record in records if 'method' in record}


def write_record(path, record):
    """Writes a record, a line for each of its entries; numbers that are not finite become null."""
    make_folder(Path(path).parent)
    lines = [f'{json.dumps(name)}: {json.dumps(_plain(value), ensure_ascii=False)}' for name, value in record.items()]
    with atomic_write(path) as file:
        file.write(('{\n' + ',\n'.join(lines) + '\n}\n').encode())


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(float(f'{v:.{DIGITS}g}') if isinstance(v, float) else v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_csv(results, cells):
    """Writes the table of all records in the folder, and of those of `cells` that were begun."""
    rows = [_row(record) for record in read_records(results).values()]
    for cell in cells:
        snapshot = None if results.record(cell).exists() else newest_snapshot(results.folder(cell))
        if snapshot:
            done = snapshot.name.rpartition('_')[2]
            rows.append(_row({**identity(cell), 'status': f'interrupted at iteration {done}', 'iterations_done': done}))
    rows.sort(key=lambda row: (row['network'], row['method'], row['setting'], row['options'], row['seed']))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    make_folder(results.csv.parent)
    with atomic_write(results.csv) as file:
        file.write(text.getvalue().encode())


def _row(record):
    values = {**record['budget'], **record.get('scores', {}), **record,
              'options': ' '.join(f'{name}={value}' for name, value in record['options'].items())}
    return {name: _text(values.get(name)) for name in COLUMNS}


def _text(value):
    return '' if value is None else f'{value:.6g}' if isinstance(value, float) else value


def describe_budget(record):
    """What a caption says of a comparison: data set, unit of width, updates and batch."""
    budget = record['budget']
    widths = f'ch {budget["ch"]}' + (f" (the paper's is {PAPER_CH})" if budget['ch'] != PAPER_CH else '')
    return (f'{budget["dataset"]}, {widths}, {budget["iteration"]:,} generator updates, batch '
            f'{budget["batchsize"]}')


def as_job(cell, data_dir, threads):
    """What a worker is told of a cell, as a dict for JSON."""
    return {'variant': asdict(cell.variant), 'seed': cell.seed, 'budget': asdict(cell.budget), 'data_dir': data_dir,
            'threads': threads}
