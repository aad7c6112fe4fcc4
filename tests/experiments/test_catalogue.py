"""The catalogue, cell by cell, as the paper describes its tables and figures."""
from source.experiments.catalogue import EXPERIMENTS, Variant, variants_of

import pytest

METHODS = 'weight_clipping', 'gan_gp', 'wgan_gp', 'batch', 'layer', 'weight', 'orthonormal', 'spectral', 'none'


def grid(*methods):
    return [f'cnn-{method}-{setting}' for method in methods for setting in 'ABCDEF']


REPARAMETRIZED = [f'cnn-wgan_gp-A{norm}' for norm in (
    '', '-frobenius-use_gamma', '-weight-use_gamma', '-spectral-use_gamma')]
GULRAJANI = ['wgan_gp', 'wgan_gp-spectral-use_gamma', 'wgan_gp-spectral-use_gamma-scale_1.5']
CELLS = {
    'table2': grid(*METHODS),
    'table2_further': [
        'cnn-spectral-C-hinge',
        'cnn-spectral-B-updates_2',  # footnote 4: SN's best on STL-10 is B
        'cnn-orthonormal-C-updates_2',  # section 4.1.2: orthonormal regularization's is C
        'cnn-spectral-B-hinge-updates_2', 'resnet-spectral', 'resnet-orthonormal'],
    **dict.fromkeys(('figure_1', 'figure_2', 'figure_3'), grid(*METHODS)),
    'figure_4': [f'cnn-{method}-C{size}' for method in ('spectral', 'orthonormal') for size in (
        '-final_scale_0.5', '', '-final_scale_2', '-final_scale_4', '-final_scale_8')],
    'figure_5': ['resnet_concat-spectral', 'resnet_concat-orthonormal'],
    'figure_6': grid('wgan_gp', 'weight', 'spectral'),
    'figure_9': ['cnn-spectral-C'],
    'figure_10': [f'cnn-{method}-A-timed-at_most_100' for method in ('wgan_gp', 'weight', 'spectral', 'none')],
    'figure_11': [f'cnn-{method}-D{n_dis}-at_most_10000' for method in ('weight', 'spectral') for n_dis in (
        '-n_dis_1', '-n_dis_2', '', '-n_dis_10', '-n_dis_20')],  # setting D has 5
    'figure_12': grid('gan_gp', 'layer', 'batch'),
    'figure_13': [f'{network}-{method}' for network in ('resnet', 'resnet_projection')
                  for method in ('spectral', 'orthonormal')],
    'figure_15': [name for name in REPARAMETRIZED if 'frobenius' not in name],
    'table7': [*REPARAMETRIZED, *(f'resnet_wgan_gp-{name}' for name in GULRAJANI)],
    'table8': [f'resnet_ac_wgan_gp-{name}' for name in GULRAJANI],
}


@pytest.mark.parametrize('name', sorted({*CELLS, *EXPERIMENTS}))
def test_cells(name):
    assert [variant.name for variant in EXPERIMENTS[name].variants] == CELLS[name]


def test_each_once():
    variants = variants_of(['figure_9', 'table2', 'figure_1'])
    assert variants[:2] == [Variant('cnn', 'spectral', 'C'), Variant('cnn', 'weight_clipping', 'A')]
    assert len(variants) == 54 and len(variants_of(EXPERIMENTS)) == len({v.name for v in variants_of(EXPERIMENTS)})
    assert dict(variants_of(['table2_further'])[3].options) == {'loss_type': 'hinge', 'updates': 2.}
    with pytest.raises(ValueError, match="no experiment 'figure_7'; known are table2, table2_further, figure_1"):
        variants_of(['figure_7'])
