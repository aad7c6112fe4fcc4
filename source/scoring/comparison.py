"""Published numbers, measured ones, and which measured one answers which published one."""
import csv
import difflib
from dataclasses import dataclass, fields
from pathlib import Path

from source.config.paper_batches import UNKNOWN
from source.files.plain_json import read_json
from source.scoring.protocols import GIVEN

SCORES = {'is': 'is_mean', 'fid': 'fid', 'intra_fid': 'intra_fid', 'ms_ssim': 'ms_ssim'}  # published: in our records
PUBLISHED = Path(__file__).resolve().parents[2] / 'evaluations' / 'published_numbers.csv'
COMPARABLE = 'inception', None  # feature networks; None: scores that need none


@dataclass(frozen=True)
class Published:
    """A published number, as it was printed; `row` is what configs name as `paper_row`."""

    row: str
    publication: str
    table: str
    method: str
    dataset: str
    score: str
    value: str  # '': the run collapsed
    plus_minus: str
    protocol: str
    over: str  # what the ± is over, where that is said
    note: str

    @property
    def number(self):
        """Its value, or None."""
        return float(self.value) if self.value else None

    @property
    def error(self):
        """Its ±, or None."""
        return float(self.plus_minus) if self.plus_minus else None


@dataclass(frozen=True)
class Measured:
    """A score of ours, from a record that a command line wrote."""

    row: str | None
    score: str
    value: float
    std: float | None
    protocol: str
    network: str | None
    other_batch: str | None  # how the batches of its run differ from those of the published numbers
    other_iteration: str | None  # of which iteration it is, where the published numbers are of another
    file: str

    @property
    def batches(self):
        """'other batches', 'batches unknown', or None where they are those of the published numbers."""
        if self.other_batch is None:
            return None
        return 'batches unknown' if self.other_batch.startswith(UNKNOWN) else 'other batches'

    @property
    def unlike(self):
        """What of its run is not as for the published numbers: 'other iteration' and its `batches`."""
        return [text for text in ('other iteration' if self.other_iteration else None, self.batches) if text]


@dataclass(frozen=True)
class Comparison:
    """A published number with the measured one that answers it, or None."""

    published: Published
    measured: Measured | None

    @property
    def same_protocol(self):
        return self.measured is not None and self.measured.protocol == self.published.protocol

    @property
    def differs(self):
        """What of a measured number is not as it was published, first 'protocols differ', then `unlike`; or None."""
        if self.measured is None:
            return None
        if not self.same_protocol:
            return 'protocols differ'
        return next(iter(self.measured.unlike), None)

    @property
    def difference(self):
        """Measured − published, or None."""
        if self.measured is None or self.published.number is None:
            return None
        return self.measured.value - self.published.number

    @property
    def inside(self):
        """Whether it lies inside the published ±; None where there is none or it `differs`."""
        if self.differs or self.difference is None or self.published.error is None:
            return None
        return abs(self.difference) <= self.published.error * (1 + 1e-9)  # 8.27 - 8.22 is not quite .05


def load_published(path):
    """Return all Published of a CSV file with their fields as its columns; raises ValueError for another file."""
    with open(path, newline='', encoding='utf-8-sig') as file:
        rows = list(csv.DictReader(file))
    names = [field.name for field in fields(Published)]
    if not rows or list(rows[0]) != names:
        raise ValueError(f'{path}: expected columns {",".join(names)}, found {",".join(rows[0]) if rows else "none"}')
    return [Published(**row) for row in rows]


def read_measured(paths, rows):
    """Return all Measured in the records at `paths`: JSON files, or folders of them, whose other files are passed over.

    Raises ValueError for a path without a record and for a record of a `paper_row` that is not among `rows`.
    """
    measured = []
    for path in map(Path, paths):
        files = sorted(path.glob('*.json')) if path.is_dir() else [path]
        records = [(file, score_record(file)) for file in files]
        records = [(file, record) for file, record in records if record is not None]
        if not records:
            raise ValueError(f'{path}: expected a record (.json) that a scoring command wrote, or a folder of them')
        for file, record in records:
            check_row(file, record.get('paper_row'), rows)
            measured += measured_of(record, file)
    return measured


def measured_of(record, file):
    """All Measured in the record, a dict, of this file."""
    return [Measured(record.get('paper_row'), score, record[name], _std(record) if score == 'is' else None,
                     _protocol(record, score), record.get('feature_network'),
                     record.get('other_batch', f'{UNKNOWN}an earlier version wrote the record'),
                     record.get('other_iteration'), str(file))
            for score, name in SCORES.items() if _number(record.get(name)) is not None]


def _std(record):
    # Of a single split there is none, though earlier versions wrote 0.
    return None if record.get('splits') == 1 else _number(record.get('is_std'))


def check_row(path, row, rows):
    """Raise ValueError where `row`, what the file `path` has as paper_row, is neither None nor among `rows`."""
    if row is not None and row not in rows:
        near = difflib.get_close_matches(str(row), rows, 1)
        hint = f'; did you mean {near[0]!r}?' if near else ''
        raise ValueError(f'{path}: paper_row: no row {row!r} among the published numbers{hint}')


def _number(value):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and (isinstance(value, float) or abs(value) < 1e300) else None  # what fits into a float


def score_record(path):
    """The record in a JSON file that a command in evaluations/ wrote, a dict, or None where the file is another's.

    Raises ValueError where it cannot be read or what it is of is no text.
    """
    try:
        record = read_json(path)
    except OSError as error:
        raise ValueError(f'{path}: cannot be read: {error.strerror}') from None
    except ValueError:
        return None
    if not isinstance(record, dict) or not {'samples', 'protocol', 'feature_network'} <= set(record):
        return None
    for name in ('samples', 'protocol', 'feature_network', 'paper_row', 'other_batch', 'other_iteration'):
        value = record.get(name)
        if not isinstance(value, str) and (value is not None or name in ('samples', 'protocol')):
            raise ValueError(f'{path}: {name}: expected text, found {type(value).__name__}')
    return record


def _protocol(record, score):
    # A distance from other real images than the protocol asks for is of a protocol of its own.
    expected = {'paper': 10000}.get(record['protocol'])
    if score == 'fid' and expected and record.get('n_real') != expected:
        return f'{record["protocol"]}, {record.get("n_real") or "unknown"} real'
    return record['protocol'].removesuffix(GIVEN) if score == 'is' else record['protocol']


def compare(published, measured):
    """Return (comparisons, apart): a Comparison or more for each Published in order, and what none of them has.

    A number is answered by measured ones of its row and score: those of its protocol or, where there are none and no
    other publication of the same row has their protocol, those of another. Scores under another network than
    Inception, of no row, and against real images that a user gave stay apart.
    """
    fitting = [m for m in measured if m.row is not None and m.network in COMPARABLE and not m.protocol.endswith(GIVEN)]
    apart = [m for m in measured if m not in fitting]
    comparisons = []
    for number in published:
        same = [m for m in fitting if (m.row, m.score) == (number.row, number.score)]
        own = [m for m in same if m.protocol == number.protocol]
        taken = {p.protocol for p in published if (p.row, p.score) == (number.row, number.score)}
        answers = own or [m for m in same if m.protocol not in taken]
        comparisons += [Comparison(number, m) for m in answers] or [Comparison(number, None)]
    answered = [c.measured for c in comparisons]
    return comparisons, apart + [m for m in fitting if m not in answered]
