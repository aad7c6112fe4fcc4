"""Which cells the paper's tables and figures are made of."""
from source.experiments.catalogue import EXPERIMENTS, METHODS, N_DIS, RELATIVE_SIZES, SETTINGS, Variant, variants_of

import pytest


def names(experiment):
    return [variant.name for variant in EXPERIMENTS[experiment].variants]


def test_every_experiment_of_the_issue_is_there():
    figures = {f'figure_{k}' for k in (1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 15)}
    assert set(EXPERIMENTS) == figures | {'table2', 'table2_further', 'table7', 'table8'}


def test_grid():
    assert names('table2') == [f'cnn-{method}-{setting}' for method in METHODS for setting in SETTINGS]
    assert len(names('table2')) == 54
    assert names('figure_1') == names('figure_2') == names('figure_3') == names('table2')


def test_cells_are_shared():
    """An option that is no change makes no cell of its own."""
    grid = set(names('table2'))
    for name in ('figure_6', 'figure_9', 'figure_12'):
        assert set(names(name)) <= grid
    assert set(names('figure_4')) & grid == {'cnn-spectral-C', 'cnn-orthonormal-C'}
    assert not set(names('figure_11')) & grid  # after fewer updates
    assert not set(names('figure_10')) & grid  # which are not trained alone
    assert set(names('figure_15')) < set(names('table7'))
    assert len(variants_of(['table2', 'figure_1', 'figure_9'])) == 54
    assert len({variant.name for variant in variants_of(EXPERIMENTS)}) == len(variants_of(EXPERIMENTS))


def test_options():
    sizes = [dict(v.options).get('final_scale', 1.) for v in EXPERIMENTS['figure_4'].variants]
    assert sizes == [*RELATIVE_SIZES, *RELATIVE_SIZES]
    n_dis = [dict(v.options).get('n_dis', 5) for v in EXPERIMENTS['figure_11'].variants]
    assert n_dis == [*N_DIS, *N_DIS]
    assert names('table7') == [
        'cnn-wgan_gp-A', 'cnn-wgan_gp-A-frobenius-use_gamma', 'cnn-wgan_gp-A-weight-use_gamma',
        'cnn-wgan_gp-A-spectral-use_gamma', 'resnet_wgan_gp-wgan_gp', 'resnet_wgan_gp-wgan_gp-spectral-use_gamma',
        'resnet_wgan_gp-wgan_gp-spectral-use_gamma-scale_1.5']
    assert Variant('cnn', 'weight', 'D', (('n_dis', 10), ('updates', 2.))).name == 'cnn-weight-D-n_dis_10-updates_2'


def test_unknown_name():
    with pytest.raises(ValueError, match="no experiment 'figure_7'; known are table2"):
        variants_of(['figure_7'])
