"""What each cell is trained with, method by method and setting by setting, against what the paper says."""
from source.experiments.budget import load_budget
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.cell import Cell, write_cell_config
from source.yaml_utils import load_config

import pytest

GRADIENT = {'gradient': {'weight': 10.}}  # eq. 29; section 4.1: λ is 10
METHODS = {  # section 4.1: norm of the discriminator, loss, penalties, constraints
    'weight_clipping': ('none', 'dcgan', {}, {'clipping': {'c': .01}}),
    'gan_gp': ('none', 'dcgan', GRADIENT, {}),
    'wgan_gp': ('none', 'wasserstein', GRADIENT, {}),
    'batch': ('batch', 'dcgan', {}, {}),
    'layer': ('layer', 'dcgan', {}, {}),
    'weight': ('weight', 'dcgan', {}, {}),
    'orthonormal': ('orthonormal', 'dcgan', {'orthonormal': {'weight': 1.}}, {}),
    'spectral': ('spectral', 'dcgan', {}, {}),
    'none': ('none', 'dcgan', {}, {}),
}
SETTINGS = {  # Table 1: alpha, beta1, beta2, n_dis
    'A': (1e-4, .5, .9, 5), 'B': (1e-4, .5, .999, 1), 'C': (2e-4, .5, .999, 1), 'D': (1e-3, .5, .9, 5),
    'E': (1e-3, .5, .999, 5), 'F': (1e-3, .9, .999, 5)}
WITH_CNN = {'cifar10': 64, 'digits': 32, 'fashion_mnist': 64, 'photo_tiles': 32, 'stl10': 64, 'svhn': 64}  # batch


def config_of(folder, variant, dataset='digits'):
    return load_config(write_cell_config(folder, Cell(variant, 0, load_budget(dataset)[0])))


def assert_trained_with(config, norm, loss_type, penalties, constraints, setting, **further):
    """`further` arguments of the discriminator."""
    updater, dis = config['updater']['args'], config['models']['discriminator']['args']
    assert {key: value for key, value in dis.items() if key not in ('ch', 'n_classes')} == {'norm': norm, **further}
    alpha, beta1, beta2, n_dis = setting
    assert config['adam'] == {'alpha': alpha, 'beta1': beta1, 'beta2': beta2}
    assert (updater['n_dis'], updater['loss_type']) == (n_dis, loss_type)
    assert updater.get('penalties', {}) == penalties
    assert updater.get('constraints', {}) == constraints


def test_grid_has_all_of_them():
    assert {(v.network, v.method, v.setting, v.options) for v in EXPERIMENTS['table2'].variants} == {
        ('cnn', method, setting, ()) for method in METHODS for setting in SETTINGS}


@pytest.mark.parametrize('setting', SETTINGS)
@pytest.mark.parametrize('method', METHODS)
def test_cell_of_the_grid(tmp_path, method, setting):
    config = config_of(tmp_path, Variant('cnn', method, setting))
    assert_trained_with(config, *METHODS[method], SETTINGS[setting])
    assert config['updater']['args']['conditional'] is False
    assert (config['iteration'], config['iteration_decay_start']) == (700, 700)


@pytest.mark.parametrize('dataset', WITH_CNN)
def test_on_every_data_set(tmp_path, dataset):
    """Whatever the config that its cells start from."""
    for method, setting in zip(METHODS, 'ABCDEFABC', strict=True):
        config = config_of(tmp_path, Variant('cnn', method, setting), dataset)
        assert_trained_with(config, *METHODS[method], SETTINGS[setting])
        assert config['batchsize'] == config['updater']['args']['n_gen_samples'] == WITH_CNN[dataset]


RESNET = 2e-4, 0., .9, 5  # appendix B.2 and B.3
REPARAMETRIZED = [{}, {'norm': 'spectral', 'use_gamma': True}, {'norm': 'spectral', 'use_gamma': True, 'scale': 1.5}]


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
        assert {config['models'][kind]['args']['n_classes'] for kind in ('generator', 'discriminator')} == {n_classes}
        assert (config['batchsize'], config['updater']['args']['n_gen_samples']) == (64, 128)


@pytest.mark.parametrize('experiment, network, updater', [('table7', 'resnet_wgan_gp', 'Updater'),
                                                          ('table8', 'resnet_ac_wgan_gp', 'ACUpdater')])
def test_resnets_of_tables_7_and_8(tmp_path, experiment, network, updater):
    variants = [v for v in EXPERIMENTS[experiment].variants if v.network == network]
    for variant, further in zip(variants, REPARAMETRIZED, strict=True):
        config = config_of(tmp_path, variant, 'cifar10')
        assert_trained_with(config, **{'norm': 'none', **further}, loss_type='wasserstein', penalties=GRADIENT,
                            constraints={}, setting=RESNET)
        assert config['models']['discriminator']['fn'] == 'dis_models/gulrajani_32.py'
        assert config['updater']['name'] == updater
        assert (config['iteration'], config['iteration_decay_start']) == (100000, 0)


def test_cnns_of_table_7(tmp_path):
    """Appendix E: reparametrized, so with multipliers; on WGAN-GP in its own setting."""
    variants = EXPERIMENTS['table7'].variants[:4]
    for variant, further in zip(variants, [{}, *({'norm': norm, 'use_gamma': True}
                                                 for norm in ('frobenius', 'weight', 'spectral'))], strict=True):
        config = config_of(tmp_path, variant, 'cifar10')
        assert_trained_with(config, **{'norm': 'none', **further}, loss_type='wasserstein', penalties=GRADIENT,
                            constraints={}, setting=SETTINGS['A'])
