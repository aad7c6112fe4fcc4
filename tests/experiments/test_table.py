"""The paper's numbers, in the file and beside our rows of the printed tables, and the cells that our numbers are of."""
import contextlib
import io

import experiments
from source.experiments.records import Results, identity, write_record
from source.experiments.table import PUBLISHED
from source.scoring.comparison import load_published
from tests.experiments.made_records import make_records
from tests.experiments.test_catalogue import CELLS, METHODS
from tests.narrow import run

import numpy as np
import pytest

COLUMNS = ('is', 'CIFAR-10'), ('is', 'STL-10'), ('fid', 'CIFAR-10'), ('fid', 'STL-10')
PAPER = {  # title: row, as the file calls it, the paper's numbers for COLUMNS
    'Table 2': '''
        Real data | real | 11.24±.12 26.08±.26 7.8 7.9
        Weight clipping | cnn_weight_clipping | 6.41±.11 7.57±.10 42.6 64.2
        GAN-GP | cnn_gan_gp | 6.93±.08 - 37.7 -
        WGAN-GP | cnn_wgan_gp | 6.68±.06 8.42±.13 40.2 55.1
        Batch Norm. | cnn_batch_norm | 6.27±.10 - 56.3 -
        Layer Norm. | cnn_layer_norm | 7.19±.12 7.61±.12 33.9 75.6
        Weight Norm. | cnn_weight_norm | 6.84±.07 7.16±.10 34.7 73.4
        Orthonormal | cnn_orthonormal | 7.40±.12 8.56±.07 29.0 46.7
        SN-GANs | cnn_sn | 7.42±.08 8.28±.09 29.3 53.1
        no normalization | - | - - - -
        SN-GANs, Eq.(17) | cnn_sn_hinge | 7.58±.12 - 25.5 -
        SN-GANs (2x updates) | cnn_sn_2x | - 8.69±.09 - 47.5
        Orthonormal (2x updates) | cnn_orthonormal_2x | - 8.67±.08 - 44.2
        SN-GANs, Eq.(17) (2x updates) | cnn_sn_hinge_2x | - 8.79±.14 - 43.2
        ResNet: SN-GANs, Eq.(17) | resnet_sn_hinge | 8.22±.05 9.10±.04 21.7±.21 40.1±.50
        ResNet: Orthonormal, Eq.(17) | resnet_orthonormal_hinge | 7.92±.04 8.72±.06 23.8±.58 42.4±.99
        DCGAN | dcgan_cited | 6.64±.14 7.84±.07 - -
        LR-GANs | lr_gan_cited | 7.17±.07 - - -
        Warde-Farley et al. | warde_farley_cited | 7.72±.13 8.51±.13 - -
        WGAN-GP (ResNet) | wgan_gp_resnet_cited | 7.86±.08 - - -
    ''',
    'Table 7': '''
        WGAN-GP (Standard CNN) | cnn_wgan_gp_table7 | 6.68±.06 - 40.1 -
        w/ Frobenius Norm. | cnn_wgan_gp_frobenius | N/A - N/A -
        w/ Weight Norm. | cnn_wgan_gp_weight_norm | 6.36±.04 - 42.4 -
        w/ Spectral Norm. | cnn_wgan_gp_sn | 7.20±.08 - 32.0 -
        WGAN-GP (ResNet) | resnet_wgan_gp | 7.80±.11 - 24.5 -
        w/ Spectral norm. | resnet_wgan_gp_sn | 7.85±.06 - 23.6 -
        w/ Spectral norm. (1.5x feature maps in D) | resnet_wgan_gp_sn_15x | 7.96±.06 - 22.5 -
    ''',
    'Table 8': '''
        AC-WGAN-GP | resnet_ac_wgan_gp | 8.29±.12 - 19.5 -
        w/ Spectral norm. | resnet_ac_wgan_gp_sn | 8.59±.12 - 18.6 -
        w/ Spectral norm. (1.5x feature maps in D) | resnet_ac_wgan_gp_sn_15x | 8.60±.08 - 17.5 -
    ''',
}
OURS = {  # title: our cells of each row, in each of the settings A to F where none is named
    'Table 2': [None, *(f'cnn-{method}' for method in METHODS), *CELLS['table2_further'], *[None] * 4],
    'Table 7': CELLS['table7'], 'Table 8': CELLS['table8'],
}
NOT_PRINTED = {  # table: (row, data set, score): number
    'Table 8': {('cifar10_ac_wgan_gp_cited', 'CIFAR-10', 'is'): '8.42±.10'},
    'Section 4.2': {('imagenet_concat', 'ImageNet 128', 'is'): '21.1±.35',
                    ('imagenet_concat', 'ImageNet 128', 'ms_ssim'): '0.101',
                    ('imagenet_ac_gan_cited', 'ImageNet 128', 'ms_ssim'): '0.25'},
    'Figure 10': {(f'{row}_time', data, 'seconds_per_100_updates'): seconds for row, data, seconds in (  # off the bars
        ('cifar10_vanilla', 'CIFAR-10', '28'), ('cifar10_weight_norm', 'CIFAR-10', '30'),
        ('cifar10_sn', 'CIFAR-10', '31'), ('cifar10_wgan_gp', 'CIFAR-10', '40'), ('stl10_vanilla', 'STL-10', '61'),
        ('stl10_weight_norm', 'STL-10', '62'), ('stl10_sn', 'STL-10', '63'), ('stl10_wgan_gp', 'STL-10', '90'))},
}
TABLES = {title: [[part.strip() for part in line.split('|')] for line in text.strip().splitlines()]
          for title, text in PAPER.items()}
GROUPS = {'-Standard CNN-': '', '-ResNet-': 'ResNet: ', '-cited by the paper-': ''}  # what rows below are called here


def test_numbers_of_the_file():
    """All that it has of the SN-GAN paper, as the paper prints them."""
    expected = {title: {**NOT_PRINTED.get(title, {})} for title in (*TABLES, *NOT_PRINTED)}
    for title, rows in TABLES.items():
        for _, row, numbers in rows:
            expected[title].update({(f'{data.replace("-", "").lower()}_{row}', data, score): number for (score, data),
                                    number in zip(COLUMNS, numbers.split(), strict=True) if number != '-'})
    found = {}
    for p in load_published(PUBLISHED):
        if p.publication == 'SN-GAN':
            number = p.value + (f'±{p.plus_minus.removeprefix("0")}' if p.plus_minus else '')
            found.setdefault(p.table, {})[p.row, p.dataset, p.score] = 'N/A' if p.note == 'collapsed' else number
            if p.table == 'Table 2' and p.plus_minus and 'cited' not in p.row:
                # Section B.1: ten sample sets; footnote 5: ResNets' are over seeds.
                assert p.over == ('seeds' if 'resnet' in p.row else 'sample sets'), p
    assert found == expected


def output(results, *arguments):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert run(experiments.main, 'table', *arguments, '--results_dir', results.root) == 0
    return text.getvalue()


def tables_in(text):
    """{title: {row: {column: text}}} of what the command prints as Markdown."""
    tables, heading = {}, None
    for each in text.splitlines():
        if each.startswith('**'):
            rows, heading, group = tables.setdefault(each.strip('*').partition(':')[0], {}), None, ''
        elif each.startswith('| '):
            cells = [cell.strip() for cell in each.strip('|').split('|')]
            if heading is None:
                heading = cells
            elif cells[0] in GROUPS:
                group = GROUPS[cells[0]]
                assert not any(cells[1:])
            elif set(cells[0]) != {'-'}:
                assert group + cells[0] not in rows
                rows[group + cells[0]] = dict(zip(heading, cells, strict=True))
    return tables


@pytest.mark.parametrize('title', TABLES)
def test_rows(results, records, title):
    tables = tables_in(output(results, '--markdown'))
    rows = tables[title]
    assert list(tables) == list(TABLES) and list(rows) == [name for name, _, _ in TABLES[title]]

    def measured(variant, score, digits):
        values = [records[f'{variant}-seed{seed}']['scores'][score] for seed in (0, 1)]
        return np.mean(values), f'{np.mean(values):.{digits}f} +- {np.std(values):.{digits}f}'

    for (name, _, numbers), cells in zip(TABLES[title], OURS[title], strict=True):
        row = rows[name]
        for (score, data), number in zip(COLUMNS, numbers.split(), strict=True):
            expected = {'-': '', 'N/A': 'collapsed'}.get(number, number.replace('±', ' +- 0'))
            assert row.get(f'paper: {score.upper()} {data}', '') == expected, name
        if cells is None:
            expected = ('', '9.88', '71.5') if name == 'Real data' else ('', '', '')
        elif cells.count('-') == 1 and cells.startswith('cnn'):
            variants = [f'{cells}-{setting}' for setting in ('ABCD' if name == 'GAN-GP' else 'ABCDEF')]  # E, F diverged
            best = max(variants, key=lambda variant: measured(variant, 'is_mean', 2)[0])
            lowest = min(variants, key=lambda variant: measured(variant, 'fid', 1)[0])
            assert row['lowest FID (setting)'] == f'{measured(lowest, "fid", 1)[1]} ({lowest[-1]})', name
            expected = best[-1], measured(best, 'is_mean', 2)[1], measured(best, 'fid', 1)[1]
        else:
            setting = cells.split('-')[2] if cells.startswith('cnn') else 'its own'
            expected = setting, measured(cells, 'is_mean', 2)[1], measured(cells, 'fid', 1)[1]
        assert (row['setting'], row['IS digits'], row['FID digits']) == expected, name
    if title == 'Table 2':
        assert [(name, row['not finished']) for name, row in rows.items() if row['not finished']] == [
            ('GAN-GP', 'E: 2 diverged, F: 2 diverged')]


def test_footnote_and_columns(results):
    text = output(results)
    assert text.endswith(
        "digits, ch 8 (the paper's is 64), 700 generator updates, batch 32; 1000 images in 10 splits, FID against all "
        "training images; seeds 0, 1; +- over seeds (the paper's: over sample sets). Scores by the network \"digits\" "
        'are not Inception scores: compare the order of methods within a column, not numbers across columns.\n'
        'Real data: 360 held-out images in 3 splits, FID of all against 1437 training images.\n')
    heading, line = text.splitlines()[1:3]
    assert heading.startswith('Method'.ljust(line.index(' ')) + '  setting  IS digits')


def test_one_seed_and_a_method_that_always_diverged(tmp_path):
    results = Results(tmp_path / 'comparison')
    for cell in make_records(results, ['figure_6'], seeds=(0,)):
        if cell.variant.method == 'weight':
            status = 'crashed: x' if cell.variant.setting == 'B' else 'diverged: x'
            write_record(results.record(cell), {**identity(cell), 'status': status, 'scores': {}})
    rows = tables_in(output(results, '--markdown'))['Table 2']
    assert list(rows['Weight Norm.'].values())[1:6] == [
        '-', '-', '-', '-', 'A: 1 diverged, B: 1 crashed, C: 1 diverged, D: 1 diverged, E: 1 diverged, F: 1 diverged']
    assert list(rows['Batch Norm.'].values())[1:6] == ['not run', '-', '-', '-', '']
    assert list(rows['Real data'].values())[1:4] == ['', '-', '-']
    assert '+-' not in rows['SN-GANs']['IS digits'] + rows['SN-GANs']['FID digits'] != ''


def test_made_scores_differ(records):
    """Else a row or a figure that mixes up cells would pass."""
    found = [record['scores']['is_mean'] for record in records.values() if record['scores']]
    assert len(set(found)) == len(found) > 150
