"""Every row of the printed tables: the paper's numbers beside it, and the cells that its own numbers are of."""
import experiments
from source.experiments.records import read_records
from tests.narrow import run

import numpy as np
import pytest

PAPER = 'paper: IS CIFAR-10', 'paper: IS STL-10', 'paper: FID CIFAR-10', 'paper: FID STL-10'
TABLE_2 = {
    'Real data': ('11.24 +- 0.12', '26.08 +- 0.26', '7.8', '7.9'),
    'Weight clipping': ('6.41 +- 0.11', '7.57 +- 0.10', '42.6', '64.2'),
    'GAN-GP': ('6.93 +- 0.08', '', '37.7', ''),
    'WGAN-GP': ('6.68 +- 0.06', '8.42 +- 0.13', '40.2', '55.1'),
    'Batch Norm.': ('6.27 +- 0.10', '', '56.3', ''),
    'Layer Norm.': ('7.19 +- 0.12', '7.61 +- 0.12', '33.9', '75.6'),
    'Weight Norm.': ('6.84 +- 0.07', '7.16 +- 0.10', '34.7', '73.4'),
    'Orthonormal': ('7.40 +- 0.12', '8.56 +- 0.07', '29.0', '46.7'),
    'SN-GANs': ('7.42 +- 0.08', '8.28 +- 0.09', '29.3', '53.1'),
    'no normalization': ('', '', '', ''),
}
METHODS = {  # rows: what their cells are called
    'Weight clipping': 'weight_clipping', 'GAN-GP': 'gan_gp', 'WGAN-GP': 'wgan_gp', 'Batch Norm.': 'batch',
    'Layer Norm.': 'layer', 'Weight Norm.': 'weight', 'Orthonormal': 'orthonormal', 'SN-GANs': 'spectral',
    'no normalization': 'none'}
FURTHER = {  # of Table 2; row: cell, setting, the paper's numbers
    'SN-GANs, Eq.(17)': ('cnn-spectral-C-hinge', 'C', ('7.58 +- 0.12', '', '25.5', '')),
    'SN-GANs (2x updates)': ('cnn-spectral-B-updates_2', 'B', ('', '8.69 +- 0.09', '', '47.5')),
    'Orthonormal (2x updates)': ('cnn-orthonormal-C-updates_2', 'C', ('', '8.67 +- 0.08', '', '44.2')),
    'SN-GANs, Eq.(17) (2x updates)': ('cnn-spectral-B-hinge-updates_2', 'B', ('', '8.79 +- 0.14', '', '43.2')),
    'ResNet: SN-GANs, Eq.(17)': ('resnet-spectral', 'its own', (
        '8.22 +- 0.05', '9.10 +- 0.04', '21.7 +- 0.21', '40.1 +- 0.50')),
    'ResNet: Orthonormal, Eq.(17)': ('resnet-orthonormal', 'its own', (
        '7.92 +- 0.04', '8.72 +- 0.06', '23.8 +- 0.58', '42.4 +- 0.99')),
}
CITED = {  # of Table 2, without numbers of ours
    'DCGAN': ('6.64 +- 0.14', '7.84 +- 0.07', '', ''), 'LR-GANs': ('7.17 +- 0.07', '', '', ''),
    'Warde-Farley et al.': ('7.72 +- 0.13', '8.51 +- 0.13', '', ''), 'WGAN-GP (ResNet)': ('7.86 +- 0.08', '', '', '')}
GROUPS = {'-Standard CNN-': '', '-ResNet-': 'ResNet: ', '-cited by the paper-': ''}  # what rows below are called here
SINGLE = {  # table: row: cell, setting, the paper's numbers
    'Table 7': {
        'WGAN-GP (Standard CNN)': ('cnn-wgan_gp-A', 'A', ('6.68 +- 0.06', '', '40.1', '')),
        'w/ Frobenius Norm.': ('cnn-wgan_gp-A-frobenius-use_gamma', 'A', ('collapsed', '', 'collapsed', '')),
        'w/ Weight Norm.': ('cnn-wgan_gp-A-weight-use_gamma', 'A', ('6.36 +- 0.04', '', '42.4', '')),
        'w/ Spectral Norm.': ('cnn-wgan_gp-A-spectral-use_gamma', 'A', ('7.20 +- 0.08', '', '32.0', '')),
        'WGAN-GP (ResNet)': ('resnet_wgan_gp-wgan_gp', 'its own', ('7.80 +- 0.11', '', '24.5', '')),
        'w/ Spectral norm.': ('resnet_wgan_gp-wgan_gp-spectral-use_gamma', 'its own', ('7.85 +- 0.06', '', '23.6', '')),
        'w/ Spectral norm. (1.5x feature maps in D)': (
            'resnet_wgan_gp-wgan_gp-spectral-use_gamma-scale_1.5', 'its own', ('7.96 +- 0.06', '', '22.5', '')),
    },
    'Table 8': {
        'AC-WGAN-GP': ('resnet_ac_wgan_gp-wgan_gp', 'its own', ('8.29 +- 0.12', '', '19.5', '')),
        'w/ Spectral norm.': (
            'resnet_ac_wgan_gp-wgan_gp-spectral-use_gamma', 'its own', ('8.59 +- 0.12', '', '18.6', '')),
        'w/ Spectral norm. (1.5x feature maps in D)': (
            'resnet_ac_wgan_gp-wgan_gp-spectral-use_gamma-scale_1.5', 'its own', ('8.60 +- 0.08', '', '17.5', '')),
    },
}


@pytest.fixture
def tables(results, capsys):
    """{title: {row: {column: text}}} of what the command prints."""
    assert run(experiments.main, 'table', '--markdown', '--results_dir', results.root) == 0
    tables, heading = {}, None
    for text in capsys.readouterr().out.splitlines():
        if text.startswith('**'):
            rows, heading, group = tables.setdefault(text.strip('*').partition(':')[0], {}), None, ''
        elif text.startswith('| '):
            cells = [cell.strip() for cell in text.strip('|').split('|')]
            if heading is None:
                heading = cells
            elif cells[0] in GROUPS:
                group = GROUPS[cells[0]]
                assert not any(cells[1:])
            elif set(cells[0]) != {'-'}:
                assert group + cells[0] not in rows
                rows[group + cells[0]] = dict(zip(heading, cells, strict=True))
    return tables


def measured(results, variant, score, digits):
    """Mean and deviation over both seeds, as printed."""
    records = read_records(results)
    values = [records[f'{variant}-seed{seed}']['scores'][score] for seed in (0, 1)]
    return f'{np.mean(values):.{digits}f} +- {np.std(values):.{digits}f}'


def test_titles(tables):
    assert list(tables) == ['Table 2', *SINGLE]


def test_table_2(tables, results):
    rows = tables['Table 2']
    assert list(rows) == [*TABLE_2, *FURTHER, *CITED]
    for name, numbers in {**TABLE_2, **CITED}.items():
        assert tuple(rows[name][column] for column in PAPER) == numbers, name
    assert not any(rows[name][column] for name in CITED for column in ('setting', 'IS digits', 'FID digits'))
    real = rows['Real data']
    assert (real['IS digits'], real['FID digits']) == ('9.88', '71.5')
    for name, method in METHODS.items():
        settings = 'ABCD' if method == 'gan_gp' else 'ABCDEF'  # E and F diverged
        records = read_records(results)
        best, lowest = (sorted(settings, key=lambda setting: np.mean([
            records[f'cnn-{method}-{setting}-seed{seed}']['scores'][score] for seed in (0, 1)]))[place]
            for score, place in (('is_mean', -1), ('fid', 0)))
        row = rows[name]
        assert row['setting'] == best
        assert row['IS digits'] == measured(results, f'cnn-{method}-{best}', 'is_mean', 2)
        assert row['FID digits'] == measured(results, f'cnn-{method}-{best}', 'fid', 1)
        assert row['lowest FID (setting)'] == f'{measured(results, f"cnn-{method}-{lowest}", "fid", 1)} ({lowest})'


@pytest.mark.parametrize('title, expected', [('Table 2', FURTHER), *SINGLE.items()], ids=['Table 2', *SINGLE])
def test_single_rows(tables, results, title, expected):
    rows = tables[title]
    assert title == 'Table 2' or list(rows) == list(expected)
    for name, (variant, setting, paper) in expected.items():
        row = rows[name]
        assert tuple(row.get(column, '') for column in PAPER) == paper, name
        assert row['setting'] == setting
        assert row['IS digits'] == measured(results, variant, 'is_mean', 2), name
        assert row['FID digits'] == measured(results, variant, 'fid', 1), name
