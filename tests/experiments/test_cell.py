"""A cell's config is the one that the paper's text and configs/ say; and which cells a data set has."""
import itertools

from source.config.checks import ConfigError
from source.config.yaml_utils import load_config
from source.experiments.budget import DATASETS, load_budget
from source.experiments.catalogue import EXPERIMENTS, Variant, variants_of
from source.experiments.cell import Cell, cells_of, variants_on, write_cell_config

import pytest

GRADIENT = {'gradient': {'weight': 10.}}  # eq. 29; section 4.1: λ is 10
METHODS = {  # section 4.1: norm of the discriminator, loss, penalties, constraints
    **{norm: (norm, 'dcgan', {}, {}) for norm in ('batch', 'layer', 'weight', 'spectral', 'none')},
    'weight_clipping': ('none', 'dcgan', {}, {'clipping': {'c': .01}}),
    'gan_gp': ('none', 'dcgan', GRADIENT, {}), 'wgan_gp': ('none', 'wasserstein', GRADIENT, {}),
    'orthonormal': ('orthonormal', 'dcgan', {'orthonormal': {'weight': 1.}}, {})}
SETTINGS = {  # Table 1: alpha, beta1, beta2, n_dis
    'A': (1e-4, .5, .9, 5), 'B': (1e-4, .5, .999, 1), 'C': (2e-4, .5, .999, 1), 'D': (1e-3, .5, .9, 5),
    'E': (1e-3, .5, .999, 5), 'F': (1e-3, .9, .999, 5)}
RESNET = 2e-4, 0., .9, 5  # appendix B.2 and B.3
SPECTRAL = {'norm': 'spectral', 'use_gamma': True}
KINDS = 'generator', 'discriminator'


def config_of(folder, variant, dataset='digits', seed=0, **changes):
    budget, _ = load_budget(dataset, **changes)
    return load_config(write_cell_config(folder, Cell(variant, seed, budget)))


def widths(config):
    return [config['models'][kind]['args']['ch'] for kind in KINDS]


def assert_trained_with(config, norm, loss_type, penalties, constraints, setting, **further):
    """`further` arguments of the discriminator."""
    updater, dis = config['updater']['args'], config['models']['discriminator']['args']
    assert {key: value for key, value in dis.items() if key not in ('ch', 'n_classes')} == {'norm': norm, **further}
    assert (*(config['adam'][key] for key in ('alpha', 'beta1', 'beta2')), updater['n_dis']) == setting
    assert updater['loss_type'] == loss_type
    assert (updater.get('penalties', {}), updater.get('constraints', {})) == (penalties, constraints)


@pytest.mark.parametrize('dataset, batchsize', {
    'digits': 32, 'cifar10': 64, 'fashion_mnist': 64, 'photo_tiles': 32, 'stl10': 64, 'svhn': 64}.items())
def test_methods_and_settings(tmp_path, dataset, batchsize):
    """Whatever the config that cells start from; on the digits the whole grid."""
    several = zip(METHODS, 'ABCDEFABC', strict=True)
    for method, setting in itertools.product(METHODS, SETTINGS) if dataset == 'digits' else several:
        config = config_of(tmp_path, Variant('cnn', method, setting), dataset)
        assert_trained_with(config, *METHODS[method], SETTINGS[setting])
        assert config['batchsize'] == config['updater']['args']['n_gen_samples'] == batchsize
        assert config['updater']['args']['conditional'] is False
        assert dataset not in ('cifar10', 'stl10') or widths(config) == [64, 64]  # the paper's


@pytest.mark.parametrize('network, dataset, decay', [
    ('resnet', 'cifar10', (100000, 0)), ('resnet', 'stl10', (100000, 0)), ('resnet_projection', 'cifar10', (100000, 0)),
    ('resnet_concat', 'cifar10', (100000, 0)), ('resnet', 'imagenet', (450000, 400000)),
    ('resnet_projection', 'imagenet', (450000, 400000)), ('resnet_concat', 'imagenet', (450000, 400000))])
def test_resnets(tmp_path, network, dataset, decay):
    """Of Table 2 and Figures 5 and 13: hinge loss."""
    for method in ('spectral', 'orthonormal'):
        norm, _, penalties, constraints = METHODS[method]
        config = config_of(tmp_path, Variant(network, method), dataset)
        further = {'dim_emb': 128} if network == 'resnet_concat' and dataset == 'cifar10' else {}
        assert_trained_with(config, norm, 'hinge', penalties, constraints, RESNET, **further)
        assert (config['iteration'], config['iteration_decay_start']) == decay
        assert config['updater']['args']['conditional'] == (network != 'resnet')
        n_classes = 0 if network == 'resnet' else 1000 if dataset == 'imagenet' else 10
        assert {config['models'][kind]['args']['n_classes'] for kind in KINDS} == {n_classes}
        assert (config['batchsize'], config['updater']['args']['n_gen_samples']) == (
                (16, 32) if dataset == 'imagenet' else (64, 128))


@pytest.mark.parametrize('experiment, network, setting, updater, further', [
    ('table7', 'cnn', SETTINGS['A'], 'Updater', [  # appendix E: reparametrized, so with multipliers
        {}, *({'norm': norm, 'use_gamma': True} for norm in ('frobenius', 'weight', 'spectral'))]),
    ('table7', 'resnet_wgan_gp', RESNET, 'Updater', [{}, SPECTRAL, {**SPECTRAL, 'scale': 1.5}]),
    ('table8', 'resnet_ac_wgan_gp', RESNET, 'ACUpdater', [{}, SPECTRAL, {**SPECTRAL, 'scale': 1.5}])])
def test_tables_7_and_8(tmp_path, experiment, network, setting, updater, further):
    variants = [v for v in EXPERIMENTS[experiment].variants if v.network == network]
    for variant, arguments in zip(variants, further, strict=True):
        config = config_of(tmp_path, variant, 'cifar10')
        assert_trained_with(config, **{'norm': 'none', **arguments}, loss_type='wasserstein', penalties=GRADIENT,
                            constraints={}, setting=setting)
        assert config['updater']['name'] == updater
        assert (config['iteration'], config['iteration_decay_start']) == (100000, 100000 if network == 'cnn' else 0)
        assert network == 'cnn' or config['models']['discriminator']['fn'] == 'dis_models/gulrajani_32.py'


def test_digits(tmp_path):
    """The CNN of an eighth of the widths, and the ResNet, Table 4's, whose are 256 and 128, of as much."""
    config = config_of(tmp_path, Variant('cnn', 'wgan_gp', 'E'), seed=3)
    assert widths(config) == [8, 8] and config['dataset'] == {
        'dataset_fn': 'datasets/digits.py', 'dataset_name': 'DigitsDataset', 'args': {'size': 32}}
    assert (config['iteration'], config['iteration_decay_start'], config['seed']) == (700, 700, 3)
    assert (config['display_interval'], config['evaluation_interval'], config['snapshot_interval']) == (35, 175, 175)
    assert config['evaluation'] == {'network': 'digits', 'n_images': 1000, 'splits': 10, 'weights': None}
    config = config_of(tmp_path, Variant('resnet', 'orthonormal'), iteration=10, n_scored=20)
    assert widths(config) == [32, 16]
    assert config['dataset']['args'] == {'size': 32} and config['updater']['args']['n_gen_samples'] == 64
    assert (config['display_interval'], config['evaluation_interval'], config['snapshot_interval']) == (1, 1, 1)


def test_options(tmp_path):
    options = {'n_dis': 20, 'final_scale': 8., 'loss_type': 'hinge', 'alpha': 1e30, 'updates': 2.}
    config = config_of(tmp_path, Variant('cnn', 'spectral', 'D', tuple(options.items())))
    assert_trained_with(config, 'spectral', 'hinge', {}, {}, (1e30, .5, .9, 20), final_scale=8.)
    assert (config['iteration'], config['iteration_decay_start']) == (1400, 1400)
    config = config_of(tmp_path, Variant('cnn', 'spectral', 'D', (('timed', True), ('at_most', 100))))
    assert (config['iteration'], config['display_interval']) == (100, 5)


@pytest.mark.parametrize('dataset', DATASETS)
def test_every_network_has_a_config(tmp_path, dataset):
    budget, seeds = load_budget(dataset)
    variants = {v.network: v for v in variants_of(EXPERIMENTS) if v.network in budget.bases}
    assert seeds and 'resnet' in variants and ('cnn' in variants) == (dataset != 'imagenet')
    ending = {'imagenet': 'resnet.py', 'stl10': '_48.py'}.get(dataset, '_32.py')  # networks for images of its size
    for cell in cells_of(variants.values(), seeds, budget):
        config = load_config(write_cell_config(tmp_path, cell))
        assert config['dataset'] == load_config(budget.data_base)['dataset']
        assert config['dataset']['dataset_fn'] == f'datasets/{dataset}.py'
        assert all(config['models'][kind]['fn'].endswith(ending) for kind in KINDS)
        assert config['evaluation']['network'] == budget.feature_network


@pytest.mark.parametrize('dataset, names, networks, said', [
    ('digits', ['all'], {*load_budget('digits')[0].bases}, None),
    ('stl10', ['all'], {'cnn', 'resnet'}, 'no network resnet_concat, resnet_projection, resnet_wgan_gp, '
     'resnet_ac_wgan_gp for stl10: without figure_5, table8 and parts of figure_13, table7'),
    ('stl10', ['figure_13'], {'resnet'}, 'no network resnet_projection for stl10: without parts of figure_13')])
def test_what_a_data_set_has_networks_for(dataset, names, networks, said):
    variants = [v for v in variants_of(EXPERIMENTS if names == ['all'] else names) if v.network in networks]
    assert variants_on(names, load_budget(dataset)[0]) == (variants, said)


def test_cells_are_by_seed_first_and_nothing_is_left_of_figure_5():
    cells = cells_of(variants_of(['figure_9', 'figure_10']), [0, 1], load_budget('digits')[0])
    assert [cell.seed for cell in cells] == [0] * 5 + [1] * 5
    assert cells[0].name == 'cnn-spectral-C-seed0' and [cell.timed for cell in cells[:5]] == [False, *[True] * 4]
    budget, _ = load_budget('stl10')
    with pytest.raises(ConfigError, match='figure_5: no network resnet_concat for stl10; there is cnn, resnet'):
        variants_on(['figure_13', 'figure_5'], budget)
    with pytest.raises(ConfigError, match='no network resnet_wgan_gp for stl10; there is cnn, resnet'):
        cells_of(variants_of(['table7']), [0], budget)


@pytest.mark.parametrize('dataset, changes, message', [
    ('digits', {'iteration': 0}, 'iteration: expected at least 1, found 0'),
    ('digits', {'n_images': 1}, 'n_images: expected at least 2'),
    ('digits', {'splits': 2000}, r'splits: expected at most n_images \(1000\), found 2000'),
    ('digits', {'protocol': 'papre'}, 'protocol: expected one of paper, modern, found papre'),
    ('mnist', {}, '--dataset mnist: expected one of cifar10, digits')])
def test_bad_budget(dataset, changes, message):
    load_budget('digits', n_images=2, splits=2)
    with pytest.raises(ConfigError, match=message):
        load_budget(dataset, **changes)
