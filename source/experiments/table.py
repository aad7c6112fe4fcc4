"""Table 2 of a comparison, each method in its best setting, beside the paper's columns; and Tables 7 and 8."""
import math
import textwrap

from source.command_line.commands_to_copy import called
from source.experiments.catalogue import EXPERIMENTS, METHODS, SETTINGS, Variant
from source.experiments.coverage import cells_among, check_one_budget, part_run, seeds_of
from source.experiments.real_data import NAME as REAL
from source.experiments.records import describe_budget, read_record, read_records
from source.scoring.comparison import PUBLISHED, load_published

import numpy as np

NOT_RUN = 'not run'
NOTES = 'not finished', 'made of'  # columns that --markdown has, and notes below the table else
PAPER = 'paper: '  # so begin the headings of its columns
WIDTH = 120  # of a terminal
PAPER_COLUMNS = ('is', 'CIFAR-10'), ('is', 'STL-10'), ('fid', 'CIFAR-10'), ('fid', 'STL-10')
NAMES = {  # Table 2's own
    'weight_clipping': 'Weight clipping', 'gan_gp': 'GAN-GP', 'wgan_gp': 'WGAN-GP', 'batch': 'Batch Norm.',
    'layer': 'Layer Norm.', 'weight': 'Weight Norm.', 'orthonormal': 'Orthonormal', 'spectral': 'SN-GANs',
    'none': 'no normalization'}
ROWS = {  # method: the rows of published_numbers.csv, without their data set
    'weight_clipping': 'cnn_weight_clipping', 'gan_gp': 'cnn_gan_gp', 'wgan_gp': 'cnn_wgan_gp',
    'batch': 'cnn_batch_norm', 'layer': 'cnn_layer_norm', 'weight': 'cnn_weight_norm',
    'orthonormal': 'cnn_orthonormal', 'spectral': 'cnn_sn', 'none': None}
FURTHER_ROWS = (  # of Table 2, of the variants of table2_further in their order
    ('SN-GANs, Eq.(17)', 'cnn_sn_hinge'), ('SN-GANs (2x updates)', 'cnn_sn_2x'),
    ('Orthonormal (2x updates)', 'cnn_orthonormal_2x'), ('SN-GANs, Eq.(17) (2x updates)', 'cnn_sn_hinge_2x'),
    ('SN-GANs, Eq.(17)', 'resnet_sn_hinge'), ('Orthonormal, Eq.(17)', 'resnet_orthonormal_hinge'))
CITED_ROWS = (  # of Table 2
    ('DCGAN', 'dcgan_cited'), ('LR-GANs', 'lr_gan_cited'), ('Warde-Farley et al.', 'warde_farley_cited'),
    ('WGAN-GP (ResNet)', 'wgan_gp_resnet_cited'))
SINGLE_ROWS = {  # experiment: (title, of its variants in their order: name, row of published_numbers.csv)
    'table7': ('Table 7', (
        ('WGAN-GP (Standard CNN)', 'cnn_wgan_gp_table7'), ('w/ Frobenius Norm.', 'cnn_wgan_gp_frobenius'),
        ('w/ Weight Norm.', 'cnn_wgan_gp_weight_norm'), ('w/ Spectral Norm.', 'cnn_wgan_gp_sn'),
        ('WGAN-GP (ResNet)', 'resnet_wgan_gp'), ('w/ Spectral norm.', 'resnet_wgan_gp_sn'),
        ('w/ Spectral norm. (1.5x feature maps in D)', 'resnet_wgan_gp_sn_15x'))),
    'table8': ('Table 8', (
        ('AC-WGAN-GP', 'resnet_ac_wgan_gp'), ('w/ Spectral norm.', 'resnet_ac_wgan_gp_sn'),
        ('w/ Spectral norm. (1.5x feature maps in D)', 'resnet_ac_wgan_gp_sn_15x'))),
}


class Scores:
    """The scores of a variant over its seeds.

    Attributes:
        n: seeds that finished; `failed` lists the statuses of the others.
    """

    def __init__(self, records):
        finished = [record for record in records if record['status'] == 'finished']
        self.n, self.failed = len(finished), [r['status'] for r in records if r['status'] != 'finished']
        self._values = {name: np.array([r['scores'][name] for r in finished if r['scores'].get(name) is not None])
                        for name in ('is_mean', 'fid', 'recognized')}

    def mean(self, name):
        """Over seeds, or None where none has finished."""
        values = self._values[name]
        return float(values.mean()) if len(values) else None

    def std(self, name):
        """Over seeds (population), or None where fewer than two have finished."""
        values = self._values[name]
        return float(values.std()) if len(values) > 1 else None


def scores_of_variant(records, variant):
    """Scores of a variant from {name: record}."""
    return Scores([r for r in records.values() if r['name'].rpartition('-seed')[0] == variant.name])


def print_table(results, markdown=False):
    """Prints the tables that there are records for; raises ValueError where there are none, or not of one budget."""
    records = read_records(results)
    if not records:
        raise ValueError(called(f'{results.root}: no records; `python experiments.py run table2` makes them'))
    tables = {name: cells for name, cells in _cells_of_tables(records).items() if cells}
    if not tables:
        raise ValueError(called(f'{results.root}: no cells of a table; `python experiments.py run table2` makes them'))
    printed = {key: record for cells in tables.values() for key, record in cells.items()}
    check_one_budget(printed, results, 'the tables')
    records = {record['name']: record for record in printed.values()}
    _check_real(results, next(iter(records.values()))['budget'])
    published = {(p.row, p.score): p for p in load_published(PUBLISHED) if p.publication == 'SN-GAN'}
    print_lines = _print_markdown if markdown else _print_columns
    dataset, network = _of_all(records, 'dataset'), _of_all(records, 'feature_network')
    paper = [f'{PAPER}{score.upper()} {data}' for score, data in PAPER_COLUMNS]
    headings = ('Method', 'setting', f'IS {dataset}', f'FID {dataset}', 'lowest FID (setting)', *NOTES, *paper)
    for i, (name, cells) in enumerate(tables.items()):
        title, rows = SINGLE_ROWS.get(name, ('Table 2: each method in the setting of its highest IS', None))
        part = part_run(cells, EXPERIMENTS[name].variants, seeds_of(cells))
        print('\n' * (i > 0) + _title(title + f' ({part})' * bool(part), markdown))
        print_lines(headings, _table_2(results, records, cells, published) if rows is None else [
            _single(cells, variant, label, row, published)
            for variant, (label, row) in zip(EXPERIMENTS[name].variants, rows, strict=True)])
    text = footnote(records, network, results)
    print('\n' + (text if markdown else '\n'.join(textwrap.fill(line, WIDTH) for line in text.splitlines())))


def _cells_of_tables(records):
    """{name: {(variant, seed): record}} of the tables; none of one whose cells were all trained for Table 2."""
    of_table_2 = cells_among(records, EXPERIMENTS['table2'].variants + EXPERIMENTS['table2_further'].variants)
    tables = {'table2': of_table_2}
    for name in SINGLE_ROWS:
        cells = cells_among(records, EXPERIMENTS[name].variants)
        tables[name] = cells if cells.keys() - of_table_2.keys() else {}
    return tables


def _check_real(results, budget):
    """Raises ValueError where the row "Real data" is of other data, or judged by another network, than all others."""
    path = results.record_of(REAL)
    found = read_record(path)['budget'] if path.exists() else {}
    for name in ('dataset', 'feature_network'):
        if found.get(name, budget[name]) != budget[name]:
            raise ValueError(f'{path}: budget.{name}: expected {budget[name]}, as in the records of cells, found '
                             f'{found[name]}')


def _table_2(results, records, cells, published):
    """All rows of the paper's table, and ours without normalization, in the paper's groups."""
    further = [(variant.network, _single(cells, variant, label, row, published)) for variant, (label, row)
               in zip(EXPERIMENTS['table2_further'].variants, FURTHER_ROWS, strict=True)]
    return [
        _real(results, published),
        _group('-Standard CNN-'),
        *(_method(records, cells, method, published) for method in METHODS),
        *(line for network, line in further if network == 'cnn'),
        _group('-ResNet-'),
        *(line for network, line in further if network != 'cnn'),
        _group('-cited by the paper-'),
        *((label, *[''] * 6, *_paper(published, row)) for label, row in CITED_ROWS)]


def _group(name):
    return name, *[''] * (6 + len(PAPER_COLUMNS))


def _single(cells, variant, label, row, published):
    scores = Scores([record for (v, _), record in cells.items() if v == variant])
    setting = (variant.setting or 'its own') if scores.n or scores.failed else NOT_RUN
    part = '' if setting == NOT_RUN else part_run(cells, [variant], seeds_of(cells))
    return label, setting, *_cells(scores), '', _failed(scores), part, *_paper(published, row)


def footnote(records, network, results):
    """What the numbers are of, in a few lines."""
    some = min(records.values(), key=lambda record: record['budget']['iteration'] if record['scores'] else math.inf)
    seeds = sorted({record['seed'] for record in records.values()})
    text = (f'{describe_budget(some)}; {some.get("protocol", "")}; seeds {", ".join(map(str, seeds))}; +- over seeds '
            "(the paper's: over sample sets).")
    if network != 'inception':
        text += (f' Scores by the network "{network}" are not Inception scores: compare the order of methods within a '
                 'column, not numbers across columns.')
    real = results.record_of(REAL)
    return text + (f'\nReal data: {read_record(real)["protocol"]}.' if real.exists() else '')


def best_setting(records, method, score='is_mean', sign=1):
    """(setting, Scores) of the setting with the highest sign·mean of a score, or (None, None)."""
    found = {setting: scores_of_variant(records, Variant('cnn', method, setting)) for setting in SETTINGS}
    found = {setting: scores for setting, scores in found.items() if scores.mean(score) is not None}
    return max(found.items(), key=lambda item: sign * item[1].mean(score), default=(None, None))


def _method(records, cells, method, published):
    variants = [Variant('cnn', method, setting) for setting in SETTINGS]
    all_scores = [scores_of_variant(records, variant) for variant in variants]
    if not any(scores.n or scores.failed for scores in all_scores):
        return NAMES[method], NOT_RUN, '-', '-', '-', '', '', *_paper(published, ROWS[method])
    setting, best = best_setting(records, method)
    fid_setting, lowest = best_setting(records, method, 'fid', -1)
    failed = ', '.join(f'{setting}: {_failed(scores)}' for setting, scores in zip(SETTINGS, all_scores)
                       if scores.failed)
    return (NAMES[method], setting or '-', *(_cells(best) if best else ('-', '-')),
            f'{_number(lowest, "fid")} ({fid_setting})' if lowest else '-', failed,
            part_run(cells, variants, seeds_of(cells)), *_paper(published, ROWS[method]))


def _real(results, published):
    path = results.record_of(REAL)
    scores = read_record(path)['scores'] if path.exists() else {}
    return ('Real data', '', *(f'{scores[name]:.{digits}f}' if name in scores else '-'
                               for name, digits in (('is_mean', 2), ('fid', 1))), '', '', '',
            *_paper(published, 'real'))


def _cells(scores):
    return _number(scores, 'is_mean'), _number(scores, 'fid')


def _number(scores, name):
    mean, std = scores.mean(name), scores.std(name)
    digits = 1 if name == 'fid' else 2
    return '-' if mean is None else f'{mean:.{digits}f}' + ('' if std is None else f' +- {std:.{digits}f}')


def _failed(scores):
    kinds = [status.partition(':')[0] for status in scores.failed]
    return ' '.join(f'{kinds.count(kind)} {kind}' for kind in dict.fromkeys(kinds))


def _paper(published, row):
    texts = []
    for score, data in PAPER_COLUMNS:
        found = row and published.get((f'{data.replace("-", "").lower()}_{row}', score))
        texts.append('' if not found else 'collapsed' if not found.value else
                     found.value + (f' +- {found.plus_minus}' if found.plus_minus else ''))
    return texts


def _of_all(records, name):
    values = {record['budget'][name] for record in records.values()}
    return ', '.join(sorted(map(str, values)))


def _title(text, markdown):
    return f'**{text}**\n' if markdown else text


def _print_columns(headings, lines):
    """Within 120 columns: what was measured, what there is to note of it in lines of its own, then the paper's."""
    n, group = headings.index(NOTES[0]), ''
    first = n + len(NOTES)
    _print_block(headings[:n], [line[:n] for line in lines])
    for line in lines:
        group = f'{line[0]} ' if _is_group(line) else group
        notes = [f'{name}: {text}' for name, text in zip(NOTES, line[n:first]) if text]
        if notes:
            print(textwrap.fill(f'{group}{line[0]}: {"; ".join(notes)}', WIDTH, subsequent_indent='  '))
    print('\nThe same in the paper')
    _print_block((headings[0], *(heading.removeprefix(PAPER) for heading in headings[first:])),
                 [(line[0], *line[first:]) for line in lines])


def _print_block(headings, lines):
    """Columns without those that are empty; of the lines those that say something, and the names of their groups."""
    shown = []
    for line in reversed(lines):
        if any(line[1:]) or _is_group(line) and shown and not _is_group(shown[-1]):
            shown.append(line)
    keep = [i for i, column in enumerate(zip(*shown)) if any(column)]
    rows = [[row[i] for i in keep] for row in (headings, *reversed(shown))]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in (rows[0], ['-' * width for width in widths], *rows[1:]):
        print('  '.join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def _is_group(line):
    return line[0].startswith('-')


def _print_markdown(headings, lines):
    keep = [i for i, column in enumerate(zip(*lines)) if any(column)]
    for row in (headings, ['---'] * len(headings), *lines):
        print(f'| {" | ".join(row[i] for i in keep)} |')
