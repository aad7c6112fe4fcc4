"""A cell's config is the one that the paper's text and configs/ say."""
from source.experiments.budget import DATASETS, Budget, load_budget
from source.experiments.catalogue import EXPERIMENTS, Variant, variants_of
from source.experiments.cell import Cell, cells_of, variants_on, write_cell_config
from source.yaml_utils import ConfigError, load_config

import pytest


def config_of(tmp_path, variant, dataset='digits', seed=0, **changes):
    budget, _ = load_budget(dataset, **changes)
    return load_config(write_cell_config(tmp_path, Cell(variant, seed, budget)))


def test_digits(tmp_path):
    config = config_of(tmp_path, Variant('cnn', 'wgan_gp', 'E'), seed=3)
    assert config['adam'] == {'alpha': 1e-3, 'beta1': .5, 'beta2': .999}
    assert config['updater']['args'] == {'n_dis': 5, 'n_gen_samples': 32, 'conditional': False,
                                         'loss_type': 'wasserstein', 'penalties': {'gradient': {'weight': 10.}}}
    assert config['models']['generator']['args']['ch'] == config['models']['discriminator']['args']['ch'] == 8
    assert config['models']['discriminator']['args']['norm'] == 'none'
    assert config['dataset'] == {'dataset_fn': 'datasets/digits.py', 'dataset_name': 'DigitsDataset',
                                 'args': {'size': 32}}
    assert (config['batchsize'], config['iteration'], config['iteration_decay_start'], config['seed']) == (
        32, 700, 700, 3)
    assert (config['display_interval'], config['evaluation_interval'], config['snapshot_interval']) == (35, 175, 175)
    assert config['evaluation'] == {'network': 'digits', 'n_images': 1000, 'splits': 10, 'weights': None}


@pytest.mark.parametrize('options, key, expected', [
    ({'n_dis': 20}, 'updater.args.n_dis', 20),
    ({'final_scale': 8.}, 'models.discriminator.args.final_scale', 8.),
    ({'loss_type': 'hinge'}, 'updater.args.loss_type', 'hinge'),
    ({'norm': 'weight', 'use_gamma': True}, 'models.discriminator.args.use_gamma', True),
    ({'updates': 2.}, 'iteration', 1400),
])
def test_options(tmp_path, options, key, expected):
    value = config_of(tmp_path, Variant('cnn', 'spectral', 'D', tuple(options.items())))
    for name in key.split('.'):
        value = value[name]
    assert value == expected


def test_resnets_are_narrowed_by_the_same_factor(tmp_path):
    """Table 4's widths are 256 and 128; linear decay stays; the data are the digits."""
    config = config_of(tmp_path, Variant('resnet', 'orthonormal'), ch=8)
    assert [config['models'][kind]['args']['ch'] for kind in ('generator', 'discriminator')] == [32, 16]
    assert config['models']['discriminator']['args']['norm'] == 'orthonormal'
    assert (config['iteration'], config['iteration_decay_start']) == (700, 0)
    assert config['dataset']['args'] == {'size': 32}
    assert config['updater']['args']['n_gen_samples'] == 64
    assert config['adam'] == {'alpha': 2e-4, 'beta1': 0., 'beta2': .9}


def test_ac_wgan_gp(tmp_path):
    config = config_of(tmp_path, EXPERIMENTS['table8'].variants[2])
    assert config['updater']['name'] == 'ACUpdater' and config['updater']['args']['conditional']
    args = config['models']['discriminator']['args']
    assert (args['norm'], args['use_gamma'], args['scale'], args['ch']) == ('spectral', True, 1.5, 16)


@pytest.mark.parametrize('dataset', DATASETS)
def test_every_cell_has_a_config(tmp_path, dataset):
    budget, seeds = load_budget(dataset)
    variants = [v for v in variants_of(EXPERIMENTS) if v.network in budget.bases]
    assert 'resnet' in budget.bases and ('cnn' in budget.bases) == (dataset != 'imagenet') and seeds
    for cell in cells_of(variants, [0], budget):
        config = load_config(write_cell_config(tmp_path, cell))
        assert config['dataset'] == load_config(next(iter(budget.bases.values())))['dataset']
        assert config['evaluation']['network'] == budget.feature_network


def test_paper_widths(tmp_path):
    """On CIFAR-10 and STL-10 a cell is the config of configs/ but for how often it reports."""
    for dataset, name in (('cifar10', 'cnn_cifar10/weight'), ('stl10', 'cnn_stl10/weight')):
        budget, _ = load_budget(dataset)
        config = config_of(tmp_path, Variant('cnn', 'weight', 'C'), dataset)
        expected = load_config(str(budget.bases['cnn']).rpartition('configs')[0] + f'configs/{name}.yml')
        for key in ('models', 'adam', 'updater', 'dataset', 'batchsize', 'iteration', 'iteration_decay_start'):
            assert config[key] == expected[key], key


def test_order_is_by_seed_first():
    budget, _ = load_budget('digits')
    cells = cells_of(variants_of(['figure_9', 'figure_10']), [0, 1], budget)
    assert [cell.seed for cell in cells] == [0] * 5 + [1] * 5
    assert cells[0].name == 'cnn-spectral-C-seed0'


def test_no_such_network():
    budget, _ = load_budget('stl10')
    with pytest.raises(ConfigError, match='no network resnet_wgan_gp for stl10; there is cnn, resnet'):
        cells_of(variants_of(['table7']), [0], budget)


def test_decay_starts_as_late_as_in_the_config_it_comes_from(tmp_path):
    """On ImageNet after 400 of 450 thousand; the CNN of Table 3 has none."""
    config = config_of(tmp_path, Variant('resnet', 'spectral'), 'imagenet', iteration=900)
    assert (config['iteration'], config['iteration_decay_start']) == (900, 800)
    config = config_of(tmp_path, Variant('cnn', 'spectral', 'B', (('updates', 2.),)), 'stl10', iteration=900)
    assert (config['iteration'], config['iteration_decay_start']) == (1800, 1800)


def names_on(dataset, *names):
    variants, line = variants_on(list(names), load_budget(dataset)[0])
    return {variant.name for variant in variants}, line


def test_all_of_what_a_data_set_has_networks_for():
    every = {v.name for v in variants_of(EXPERIMENTS)}
    assert names_on('digits', 'all') == (every, None)
    variants, line = names_on('stl10', 'all')
    assert variants == {name for name in every if name.startswith(('cnn-', 'resnet-'))}
    assert line == ('no network resnet_concat, resnet_projection, resnet_wgan_gp, resnet_ac_wgan_gp for stl10: without '
                    'figure_5, table8 and parts of figure_13, table7')
    variants, line = names_on('photo_tiles', 'all')
    assert variants == {name for name in every if name.startswith(('cnn-', 'resnet-', 'resnet_wgan_gp-'))}
    assert line == ('no network resnet_concat, resnet_projection, resnet_ac_wgan_gp for photo_tiles: without '
                    'figure_5, table8 and parts of figure_13')
    variants, line = names_on('imagenet', 'all')
    assert variants == {f'resnet{head}-{method}' for head in ('', '_concat', '_projection')
                        for method in ('spectral', 'orthonormal')}
    assert line.startswith('no network cnn, ') and line.endswith(' and parts of table2_further')


def test_half_of_figure_13_and_none_of_figure_5():
    assert names_on('stl10', 'figure_13') == (
        {'resnet-spectral', 'resnet-orthonormal'},
        'no network resnet_projection for stl10: without parts of figure_13')
    assert names_on('imagenet', 'figure_5', 'figure_13')[1] is None
    for names in (['figure_5'], ['figure_13', 'figure_5']):
        with pytest.raises(ConfigError, match='figure_5: no network resnet_concat for stl10; there is cnn, resnet'):
            names_on('stl10', *names)
    with pytest.raises(ValueError, match="no experiment 'figure_7'"):
        names_on('stl10', 'figure_7')


@pytest.mark.parametrize('changes, message', [
    ({'iteration': 0}, 'iteration: expected at least 1, found 0'),
    ({'n_images': 1}, 'n_images: expected at least 2'),
    ({'splits': 2000}, r'splits: expected at most n_images \(1000\), found 2000'),
])
def test_bad_budget(changes, message):
    with pytest.raises(ConfigError, match=message):
        load_budget('digits', **changes)


def test_unknown_dataset():
    with pytest.raises(ConfigError, match='--dataset mnist: expected one of cifar10, digits'):
        load_budget('mnist')


def test_budget_is_what_cells_share():
    budget, seeds = load_budget('digits', ch=3)
    assert isinstance(budget, Budget) and budget.ch == 3 and seeds == [0, 1]
    assert budget.as_record() == {'dataset': 'digits', 'iteration': 700, 'ch': 3, 'batchsize': 32,
                                  'feature_network': 'digits', 'n_images': 1000, 'splits': 10}
