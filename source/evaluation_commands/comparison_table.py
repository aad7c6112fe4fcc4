"""Measured scores beside the published ones, as lines of text: what compare_paper and the scoring commands print."""
import textwrap

from source.scoring.comparison import PUBLISHED, SCORES, compare, load_published, measured_of

COLUMNS = ('where', 'method', 'data', 'score', 'published', 'protocol', 'measured', 'its protocol', 'difference',
           'inside +-')
OF_ONE_RECORD = 'where', 'score', 'published', 'protocol', 'measured', 'difference', 'inside +-'  # fits 120 columns
NAMES = {'is': 'IS', 'fid': 'FID', 'intra_fid': 'intra-FID', 'ms_ssim': 'MS-SSIM'}


def cells(comparison):
    """A line of the table, a text for each of COLUMNS."""
    published, measured = comparison.published, comparison.measured
    value = published.value or 'collapsed'
    if published.plus_minus:
        value += f' +- {published.plus_minus}' + (f' over {published.over}' if published.over else '')
    inside = comparison.differs or {True: 'yes', False: 'no', None: '-'}[comparison.inside]
    return (f'{published.publication} {published.table}'.strip(), published.method, published.dataset,
            NAMES.get(published.score, published.score), value, published.protocol,
            with_error(measured.value, measured.std) if measured else 'not measured',
            measured.protocol if measured else '-',
            '-' if comparison.difference is None else f'{comparison.difference:+.3g}', inside)


def with_error(value, error):
    text = f'{value:.3f}' if abs(value) < 1 else f'{value:.2f}'
    return text if error is None else f'{text} +- {error:.2f}'


def print_columns(columns, lines):
    widths = [max(map(len, column)) for column in zip(columns, *lines)]
    for line in (columns, tuple('-' * width for width in widths), *lines):
        print('  '.join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def print_published(record, file):
    """Print the published numbers beside the scores of a record, which a command has written to `file`.

    Print nothing where its config names no `paper_row`, or another network judged than for the published numbers.
    """
    published = [p for p in load_published(PUBLISHED) if p.row == record['paper_row'] and p.score in SCORES]
    comparisons = [c for c in compare(published, measured_of(record, file))[0] if c.measured]
    if comparisons:
        print(f'Published of {record["paper_row"]} ({comparisons[0].published.dataset}), and measured here:')
        shown = [COLUMNS.index(name) for name in OF_ONE_RECORD]
        print_columns(OF_ONE_RECORD, [[cells(c)[i] for i in shown] for c in comparisons])
        for name, what in (('other_iteration', 'iteration'), ('other_batch', 'batches')):
            if why := getattr(comparisons[0].measured, name):
                print(textwrap.fill(f'{what}: {why}', 120, subsequent_indent='  '))
