"""The catalogue, cell by cell, as the paper describes its tables and figures."""
from source.experiments.catalogue import EXPERIMENTS

import pytest

METHODS = 'weight_clipping', 'gan_gp', 'wgan_gp', 'batch', 'layer', 'weight', 'orthonormal', 'spectral', 'none'


def cnn(method, setting, **options):
    return 'cnn', method, setting, options


def resnet(method, network='resnet', **options):
    return network, method, None, options


def grid(*methods):
    return [cnn(method, setting) for method in methods for setting in 'ABCDEF']


SIZES = [{'final_scale': .5}, {}, {'final_scale': 2.}, {'final_scale': 4.}, {'final_scale': 8.}]  # Figure 4's axis
N_DIS = [{'n_dis': 1}, {'n_dis': 2}, {}, {'n_dis': 10}, {'n_dis': 20}]  # setting D has 5
GAMMA = {'use_gamma': True}
WIDER = {'norm': 'spectral', 'scale': 1.5, **GAMMA}
CELLS = {
    'table2': grid(*METHODS),
    'table2_further': [
        cnn('spectral', 'C', loss_type='hinge'),
        cnn('spectral', 'B', updates=2.),  # footnote 4: SN's best on STL-10 is B
        cnn('orthonormal', 'C', updates=2.),  # section 4.1.2: orthonormal regularization's is C
        cnn('spectral', 'B', loss_type='hinge', updates=2.),
        resnet('spectral'), resnet('orthonormal')],
    'figure_1': grid(*METHODS),
    'figure_2': grid(*METHODS),
    'figure_3': grid(*METHODS),
    'figure_4': [cnn(method, 'C', **size) for method in ('spectral', 'orthonormal') for size in SIZES],
    'figure_5': [resnet(method, 'resnet_concat') for method in ('spectral', 'orthonormal')],
    'figure_6': grid('wgan_gp', 'weight', 'spectral'),
    'figure_9': [cnn('spectral', 'C')],
    'figure_10': [cnn(method, 'A', timed=True, at_most=100)  # n_dis 5
                  for method in ('wgan_gp', 'weight', 'spectral', 'none')],
    'figure_11': [cnn(method, 'D', **n_dis, at_most=10000) for method in ('weight', 'spectral') for n_dis in N_DIS],
    'figure_12': grid('gan_gp', 'layer', 'batch'),
    'figure_13': [resnet(method, network) for network in ('resnet', 'resnet_projection')
                  for method in ('spectral', 'orthonormal')],
    'figure_15': [cnn('wgan_gp', 'A'), cnn('wgan_gp', 'A', norm='weight', **GAMMA),
                  cnn('wgan_gp', 'A', norm='spectral', **GAMMA)],
    'table7': [
        cnn('wgan_gp', 'A'), *(cnn('wgan_gp', 'A', norm=norm, **GAMMA) for norm in ('frobenius', 'weight', 'spectral')),
        resnet('wgan_gp', 'resnet_wgan_gp'), resnet('wgan_gp', 'resnet_wgan_gp', norm='spectral', **GAMMA),
        resnet('wgan_gp', 'resnet_wgan_gp', **WIDER)],
    'table8': [
        resnet('wgan_gp', 'resnet_ac_wgan_gp'), resnet('wgan_gp', 'resnet_ac_wgan_gp', norm='spectral', **GAMMA),
        resnet('wgan_gp', 'resnet_ac_wgan_gp', **WIDER)],
}


def test_all_are_here():
    assert set(CELLS) == set(EXPERIMENTS)


@pytest.mark.parametrize('name', CELLS)
def test_cells(name):
    assert [(v.network, v.method, v.setting, dict(v.options)) for v in EXPERIMENTS[name].variants] == CELLS[name]
