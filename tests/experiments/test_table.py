"""The paper's numbers, in the file and beside our rows of the printed tables, and the cells that our numbers are of."""
import experiments
from source.experiments.records import Results, identity, write_record
from source.experiments.table import PUBLISHED
from source.scoring.comparison import load_published
from tests.experiments.figures.drawn import scores
from tests.experiments.made_records import make_records
from tests.narrow import run

import numpy as np
import pytest

COLUMNS = ('is', 'CIFAR-10'), ('is', 'STL-10'), ('fid', 'CIFAR-10'), ('fid', 'STL-10')
PAPER = {  # title: row, as the file calls it, the paper's numbers for COLUMNS
    'Table 2': '''
        Real data | real | 11.24±.12 26.08±.26 7.8 7.9
        -Standard CNN- | - | - - - -
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
        -ResNet- | - | - - - -
        SN-GANs, Eq.(17) | resnet_sn_hinge | 8.22±.05 9.10±.04 21.7±.21 40.1±.50
        Orthonormal, Eq.(17) | resnet_orthonormal_hinge | 7.92±.04 8.72±.06 23.8±.58 42.4±.99
        -cited by the paper- | - | - - - -
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
REPARAMETRIZED = ['wgan_gp', 'wgan_gp-spectral-use_gamma', 'wgan_gp-spectral-use_gamma-scale_1.5']
OURS = {  # title: our cells of each row, in each of the settings A to F where none is named
    'Table 2': [
        None, None, 'cnn-weight_clipping', 'cnn-gan_gp', 'cnn-wgan_gp', 'cnn-batch', 'cnn-layer', 'cnn-weight',
        'cnn-orthonormal', 'cnn-spectral', 'cnn-none', 'cnn-spectral-C-hinge',
        'cnn-spectral-B-updates_2',  # footnote 4: SN's best on STL-10 is B
        'cnn-orthonormal-C-updates_2',  # section 4.1.2: orthonormal regularization's is C
        'cnn-spectral-B-hinge-updates_2', None, 'resnet-spectral', 'resnet-orthonormal', *[None] * 5],
    'Table 7': ['cnn-wgan_gp-A', *(f'cnn-wgan_gp-A-{norm}-use_gamma' for norm in ('frobenius', 'weight', 'spectral')),
                *(f'resnet_wgan_gp-{name}' for name in REPARAMETRIZED)],
    'Table 8': [f'resnet_ac_wgan_gp-{name}' for name in REPARAMETRIZED]}
TABLES = {title: [[part.strip() for part in line.split('|')] for line in text.strip().splitlines()]
          for title, text in PAPER.items()}


def test_further_numbers_of_the_file():
    """Those of the SN-GAN paper that no table prints; Figure 10's are read off its bars."""
    found = [p for p in load_published(PUBLISHED) if p.publication == 'SN-GAN']
    printed = {(title, row) for title, rows in TABLES.items() for _, row, _ in rows}
    further = [p for p in found if (p.table, p.row.partition('_')[2]) not in printed]
    assert {f'{p.row} {p.value} {p.plus_minus}'.strip() for p in further} == {
        'cifar10_ac_wgan_gp_cited 8.42 0.10', 'imagenet_concat 21.1 0.35', 'imagenet_concat 0.101',
        'imagenet_ac_gan_cited 0.25',
        'cifar10_vanilla_time 28', 'cifar10_weight_norm_time 30', 'cifar10_sn_time 31', 'cifar10_wgan_gp_time 40',
        'stl10_vanilla_time 61', 'stl10_weight_norm_time 62', 'stl10_sn_time 63', 'stl10_wgan_gp_time 90'}
    for p in found:
        assert p.row.startswith(p.dataset.partition(' ')[0].replace('-', '').lower() + '_'), p
        if p.table == 'Table 2' and p.plus_minus and 'cited' not in p.row:  # section B.1, and of ResNets footnote 5
            assert p.over == ('seeds' if 'resnet' in p.row else 'sample sets'), p


def output(capsys, results, *arguments):
    assert run(experiments.main, 'table', *arguments, '--results_dir', results.root) == 0
    return capsys.readouterr().out


def tables_in(text):
    """{title: [{column: text} of each row]} of what the command prints as Markdown."""
    tables = {}
    for title, *lines in (part.splitlines() for part in f'\n{text}'.split('\n**')[1:]):
        cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines if line.startswith('|')]
        tables[title.strip('*').partition(':')[0]] = [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]
    return tables


@pytest.mark.parametrize('title', TABLES)
def test_rows(results, capsys, title):
    tables = tables_in(output(capsys, results, '--markdown'))
    assert list(tables) == list(TABLES)

    def measured(variant, score, digits):
        values = scores(results, variant, score)
        return np.mean(values), f'{np.mean(values):.{digits}f} +- {np.std(values):.{digits}f}'
    for (name, _, numbers), cells, row in zip(TABLES[title], OURS[title], tables[title], strict=True):
        assert row['Method'] == name
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
        failed = 'E: 2 diverged, F: 2 diverged' if name == 'GAN-GP' else ''
        assert row.get('not finished', '') == failed, name


FOOTNOTE = (
    "digits, ch 8 (the paper's is 64), 700 generator updates, batch 32; 1000 images in 10 splits, FID against all "
    "training images; seeds 0, 1; +- over seeds (the paper's: over sample sets). Scores by the network \"digits\" "
    'are not Inception scores: compare the order of methods within a column, not numbers across columns.\n'
    'Real data: 360 held-out images in 3 splits, FID of all against 1437 training images.\n')


def test_footnote_and_columns(results, capsys):
    """A terminal has 120 columns: what was measured, then the same rows in the paper."""
    assert output(capsys, results, '--markdown').endswith(FOOTNOTE)
    text = output(capsys, results)
    assert ' '.join(text.split()).endswith(' '.join(FOOTNOTE.split()))
    assert text.isascii() and max(map(len, text.splitlines())) <= 120
    title, heading = text.splitlines()[:2]
    assert title == 'Table 2: each method in the setting of its highest IS' and ' cells' not in text.split('\n\n')[0]
    assert heading.split() == 'Method setting IS digits FID digits lowest FID (setting)'.split()
    measured, papers = (part.splitlines() for part in text.split('\n\n')[:2])
    assert papers[:2] == ['The same in the paper', 'Method'.ljust(papers[2].index(' ')) + (
        '  IS CIFAR-10    IS STL-10      FID CIFAR-10  FID STL-10')]
    assert measured[-1] == '-Standard CNN- GAN-GP: not finished: E: 2 diverged, F: 2 diverged'
    names = [[line[:29].strip() for line in lines[3:]] for lines in (measured[:-1], papers[1:])]
    rows = [name for name, *_ in TABLES['Table 2']]
    assert 'Real data' == names[0][0] and names[0] == rows[:rows.index('-cited by the paper-')]
    assert names[1] == [name for name in rows if name != 'no normalization'][1:]


def test_one_seed_and_a_method_that_always_diverged(tmp_path, capsys):
    results = Results(tmp_path / 'comparison')
    for cell in make_records(results, ['figure_6'], seeds=(0,)):
        if cell.variant.method == 'weight':
            status = 'crashed: x' if cell.variant.setting == 'B' else 'diverged: x'
            write_record(results.record(cell), {**identity(cell), 'status': status, 'scores': {}})
    rows = {row['Method']: row for row in tables_in(output(capsys, results, '--markdown'))['Table 2']}
    assert list(rows['Weight Norm.'].values())[1:6] == [
        '-', '-', '-', '-', 'A: 1 diverged, B: 1 crashed, C: 1 diverged, D: 1 diverged, E: 1 diverged, F: 1 diverged']
    text = output(capsys, results)
    assert '-Standard CNN- Weight Norm.: not finished: A: 1 diverged, B: 1 crashed, C: 1 diverged, D: 1 ' in text
    assert max(map(len, text.splitlines())) <= 120
    assert list(rows['Batch Norm.'].values())[1:6] == ['not run', '-', '-', '-', '']
    assert list(rows['Real data'].values())[1:4] == ['', '-', '-']
    assert '+-' not in rows['SN-GANs']['IS digits'] + rows['SN-GANs']['FID digits'] != ''
