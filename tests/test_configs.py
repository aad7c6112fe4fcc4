"""Every config in configs/ says what the paper says, and runs."""
import re
from pathlib import Path

from source.config import build
from source.config.agreement import check_agreement
from source.config.yaml_utils import load_config
from source.datasets import cifar10, fashion_mnist, image_dataset, mnist, stl10, svhn
from tests.gpu_road import run, state_of

import chainer
import numpy as np
import pytest
import yaml
from PIL import Image

CONFIGS = Path(__file__).parent.parent / 'configs'
NARROW = ['models.generator.args.ch=2', 'models.discriminator.args.ch=2', 'batchsize=2', 'updater.args.n_dis=1',
          'updater.args.n_gen_samples=2']
# batchsize, iteration, iteration_decay_start, n_gen_samples, n_dis; size; n_classes; ch of generator, discriminator
FACTS = {
    'sn_projection_mnist.yml': (None, 32, 10, None),
    'sn_projection_digits.yml': (None, 32, 10, None),
    'sn_cifar10.yml': ((64, 50000, 0, 128, 5), 32, 10, (256, 128)),
    'sn_cifar10_unconditional.yml': ((64, 50000, 0, 128, 5), 32, 0, (256, 128)),
    'sn_cnn_cifar10.yml': ((64, 100000, 100000, 64, 1), 32, 0, (64, 64)),
    'sn_projection_64.yml': ((64, 250000, 200000, 64, 5), 64, 1000, (64, 64)),
    'sn_projection_imagenet.yml': ((16, 450000, 400000, 32, 5), 128, 1000, (64, 64)),
    'sn_concat.yml': ((16, 450000, 400000, 32, 5), 128, 1000, (64, 64)),
    'sn_projection_dog_and_cat_64.yml': ((64, 250000, 200000, 64, 5), 64, 143, (64, 64)),
    'sn_projection_dog_and_cat_128.yml': ((16, 450000, 400000, 32, 5), 128, 143, (64, 64)),
    'sn_projection_dog_and_cat_256.yml': ((8, 450000, 400000, 16, 5), 256, 143, (32, 32)),
}
# Other experiments than the paper's, whose numbers are free to change.
OURS = 'sn_projection_mnist.yml', 'sn_projection_digits.yml'
CNN = 'sn_cnn_cifar10.yml'  # that of Table 3, trained with setting C of Table 1 and the standard loss
PARTS = ('settings', 'methods', 'experiments')  # what those of the comparison extend; the budgets of experiments.py
COMPARISON = {str(path.relative_to(CONFIGS).with_suffix('')): path for path in sorted(CONFIGS.glob('*/*.yml'))
              if path.parent.name not in PARTS}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Options that give any dataset a handful of images: a few JPEG files, and the others cut short."""
    lines = []
    (tmp_path / 'a').mkdir()
    for k, label in enumerate((151, 200, 293)):
        im = np.random.RandomState(k).randint(256, size=(40, 30 + k, 3), dtype=np.uint8)
        Image.fromarray(im).save(tmp_path / f'a/{k}.JPEG')
        lines.append(f'a/{k}.JPEG {label}\n')
    (tmp_path / 'list.txt').write_text(''.join(lines))

    def cut_short(self, size, channels=3):
        ims = np.random.RandomState(0).randint(256, size=(4, channels, size, size), dtype=np.uint8)
        image_dataset.ImageDataset.__init__(self, ims, np.arange(4), 10)
    for cls, init in (
            (cifar10.CIFAR10Dataset, lambda self, test=False, root=None: cut_short(self, 32)),
            (stl10.STL10Dataset, lambda self, split='unlabeled', size=48, root=None: cut_short(self, size)),
            (mnist.MNISTDataset, lambda self, size=32, channels=3: cut_short(self, size, channels)),
            (svhn.SVHNDataset, lambda self, split='train', root=None: cut_short(self, 32)),
            (fashion_mnist.FashionMNISTDataset, lambda self, test=False, size=32, root=None: cut_short(self, size))):
        monkeypatch.setattr(cls, '__init__', init)
    return str(tmp_path)


def build_all(path, data, overrides=()):
    config = load_config(path)
    if 'image_list' in config['dataset']['args'].get('path', ''):
        overrides = [*overrides, f'dataset.args.path={data}/list.txt']
    if 'Concat' in config['models']['discriminator']['name']:
        overrides = [*overrides, 'models.discriminator.args.dim_emb=2']
    config = load_config(path, overrides)
    build.seed_everything(config['seed'], chainer.get_device('@numpy'))
    dataset = build.build_dataset(config, str(path), data)
    build.note_data(config, str(path), dataset)
    gen, dis = build.build_models(config, str(path))
    check_agreement(config, str(path), gen, dis, dataset)
    updater = build.build_updater(config, str(path), gen, dis, dataset, chainer.get_device('@numpy'))
    return config, gen, dis, dataset, updater


def assert_steps(gen, dis, updater, further_losses=()):
    """One iteration has finite losses and moves every weight, every u and every batch statistic."""
    before = [state_of(gen), state_of(dis)]
    reported, = run(updater, 1)
    assert set(reported) == {'loss_gen', 'loss_dis', *further_losses}
    assert np.isfinite(list(reported.values())).all()
    for old, new in zip(before, [state_of(gen), state_of(dis)], strict=True):
        assert all(np.isfinite(array).all() for array in new.values())
        still = [k for k in old if k.endswith(('/W', '/u', '/avg_mean')) and np.array_equal(old[k], new[k])]
        assert not still


def assert_header_gives_the_command(path, end):
    header = path.read_text().split(end)[0]
    assert all(line.startswith('# ') for line in header.splitlines())
    assert f'python train.py --config configs/{path.relative_to(CONFIGS)}' in header


@pytest.mark.parametrize('name', FACTS)
def test_config(name, data):
    """Says what the paper and the authors say, and steps."""
    path = CONFIGS / name
    assert_header_gives_the_command(path, 'batchsize:')
    config = load_config(path)
    args = config['updater']['args']
    numbers, size, n_classes, widths = FACTS[name]
    models = [config['models'][kind]['args'] for kind in ('generator', 'discriminator')]
    if name not in OURS:
        found = [config[k] for k in ('batchsize', 'iteration', 'iteration_decay_start', 'seed', 'snapshot_interval')]
        assert (*found, args['n_gen_samples'], args['n_dis']) == (*numbers[:3], 0, 10000, *numbers[3:])
        assert config['evaluation_interval'] == (1000 if 'cifar' in name else 5000)
        assert (*[model['ch'] for model in models], models[0]['dim_z']) == (*widths, 128)
        beta1, beta2 = (.5, .999) if name == CNN else (0., .9)
        assert config['adam'] == {'alpha': 2e-4, 'beta1': beta1, 'beta2': beta2, 'alpha_dis': None}
    assert [model['n_classes'] for model in models] == [n_classes] * 2
    assert args['loss_type'] == ('dcgan' if name == CNN else 'hinge')
    assert args['conditional'] == (n_classes > 0)
    assert config['dataset']['args'].get('augmentation', False) == ('dog' in name or 'digits' in name)
    _, gen, dis, dataset, updater = build_all(path, data, NARROW)
    assert dataset.size == gen.image_size == dis.image_size == size
    assert gen.n_classes == dis.n_classes == n_classes
    assert type(gen).__name__ == ('CNNGenerator' if name == CNN else 'ResNetGenerator')
    kind = 'SNCNN' if name == CNN else 'SNResNetConcat' if name == 'sn_concat.yml' else 'SNResNetProjection'
    assert type(dis).__name__ == f'{kind}Discriminator'
    assert_steps(gen, dis, updater)


@pytest.mark.parametrize('size', [32, 48, 64, 128, 256])
def test_folders_of_ones_own(size, data):
    """With classes: see tests/datasets/test_folder.py."""
    path = CONFIGS / 'sn_folder.yml'
    assert_header_gives_the_command(path, 'extends:')
    config, gen, dis, dataset, updater = build_all(path, data, [*NARROW, f'size={size}'])
    assert dataset.size == gen.image_size == dis.image_size == size and (len(dataset), gen.n_classes) == (3, 0)
    assert_steps(gen, dis, updater)


METHODS = {  # what each is: its norm, arguments of the updater
    **{norm: (norm, {}) for norm in ('spectral', 'weight', 'frobenius', 'layer', 'batch', 'none', 'singular_values')},
    'orthonormal': ('orthonormal', {'penalties': {'orthonormal': {'weight': 1.}}}),
    'weight_clipping': ('none', {'constraints': {'clipping': {'c': .01}}}),
    'singular_value_clipping': ('none', {'constraints': {'singular_value_clipping': {'every': 5, 'K': 1.}}}),
    'spectral_norm_regularization': ('none', {'penalties': {'spectral_norm': {'weight': .01}}}),
    'gan_gp': ('none', {'loss_type': 'dcgan', 'penalties': {'gradient': {'weight': 10.}}}),
    'wgan_gp': ('none', {'loss_type': 'wasserstein', 'penalties': {'gradient': {'weight': 10.}}}),
}
SETTINGS = {  # Table 1: alpha, beta1, beta2, n_dis
    'A': (1e-4, .5, .9, 5), 'B': (1e-4, .5, .999, 1), 'C': (2e-4, .5, .999, 1), 'D': (1e-3, .5, .9, 5),
    'E': (1e-3, .5, .999, 5), 'F': (1e-3, .9, .999, 5)}
LOSSES = {'cnn': 'dcgan', 'resnet': 'hinge', 'imagenet': 'hinge'}
NORMALIZED, WIDE = {'norm': 'spectral', 'use_gamma': True}, {'scale': 1.5}
AC, HINGE = {'ac_weight_dis': 1., 'ac_weight_gen': .1}, {'loss_type': 'hinge'}
# Configs that are more than a method on a network: the method, and what else
SPECIAL = {
    'cnn_cifar10/spectral_hinge': ('spectral', {}, HINGE),
    'cnn_cifar10/chainer_gan_lib': ('spectral', {}, {}),
    **{f'cnn_cifar10/wgan_gp_{norm}': ('wgan_gp', {**NORMALIZED, 'norm': norm}, {})
       for norm in ('spectral', 'weight', 'frobenius')},
    'resnet_cifar10/wgan_gp_spectral': ('wgan_gp', NORMALIZED, {}),
    'resnet_cifar10/wgan_gp_spectral_wide': ('wgan_gp', {**NORMALIZED, **WIDE}, {}),
    'resnet_cifar10/ac_wgan_gp': ('wgan_gp', {}, AC),
    'resnet_cifar10/ac_wgan_gp_spectral': ('wgan_gp', NORMALIZED, AC),
    'resnet_cifar10/ac_wgan_gp_spectral_wide': ('wgan_gp', {**NORMALIZED, **WIDE}, AC),
    'resnet_cifar10/concat': ('spectral', {'dim_emb': 128}, {}),
    'cnn_stl10/spectral_hinge_2x': ('spectral', {}, HINGE),
    'cnn_stl10/figure_4_spectral': ('spectral', {'final_scale': 8.}, {}),
    'cnn_stl10/figure_4_orthonormal': ('orthonormal', {'final_scale': 8.}, {}),
}
WIDTHS = {'cnn_digits': (16, 16), 'resnet_cifar10': (256, 128)}  # of generator and discriminator, else 64
CONDITIONAL = {**dict.fromkeys([name for name in SPECIAL if 'ac_wgan' in name or name == 'resnet_cifar10/concat'], 10),
               'imagenet/orthonormal_projection': 1000, 'imagenet/orthonormal_concat': 1000,
               'imagenet/spectral_projection_850k': 1000}


def test_all_are_looked_at():
    """A method with a setting is the list of files to extend."""
    assert {path.name for path in CONFIGS.glob('*.yml')} == {*FACTS, 'sn_projection_folder.yml', 'sn_folder.yml'}
    assert {path.stem for path in (CONFIGS / 'methods').glob('*.yml')} == set(METHODS)
    for network in ('cnn_cifar10', 'resnet_cifar10'):  # whose spectral normalization has had a config before
        assert {f'{network}/{method}' for method in set(METHODS) - {'spectral'}} <= set(COMPARISON)
    settings = {path.stem: yaml.safe_load(path.read_text()) for path in (CONFIGS / 'settings').glob('*.yml')}
    for setting in settings.values():
        setting['adam'] = {key: float(value) for key, value in setting['adam'].items()}
    assert settings == {name: {'adam': {'alpha': alpha, 'beta1': beta1, 'beta2': beta2},
                               'updater': {'args': {'n_dis': n_dis}}}
                        for name, (alpha, beta1, beta2, n_dis) in SETTINGS.items()}


@pytest.mark.parametrize('name', COMPARISON)
def test_comparison(name, data):
    """Says what the paper says, and steps."""
    path = COMPARISON[name]
    assert_header_gives_the_command(path, 'extends:')
    assert '\n# Data:  ' in path.read_text()
    config = load_config(path)
    network, stem = name.split('/')
    plain = re.sub('_(2x|unconditional|projection|projection_850k|concat)$', '', stem)
    method, dis_changes, updater_changes = SPECIAL.get(name, (plain, {}, {}))
    norm, updater_args = METHODS[method]
    args, updater = config['models']['discriminator']['args'], config['updater']['args']
    gulrajani = network == 'resnet_cifar10' and method == 'wgan_gp'
    ch = (128, 128) if gulrajani else WIDTHS.get(network, (64, 64))
    n_classes = CONDITIONAL.get(name, 0)
    assert {'norm': 'spectral', **args} == {'ch': ch[1], 'n_classes': n_classes, 'norm': norm, **dis_changes}
    gen_args = config['models']['generator']['args']
    assert (gen_args['ch'], gen_args['n_classes']) == (ch[0], n_classes)
    setting = 'A' if 'gp' in method else 'B' if network == 'cnn_stl10' and stem.startswith('spectral') else 'C'
    alpha, beta1, beta2, n_dis = SETTINGS[setting] if network.startswith('cnn') else (2e-4, 0., .9, 5)
    assert config['adam'] == {'alpha': alpha, 'beta1': beta1, 'beta2': beta2, 'alpha_dis': None}
    expected = {'n_dis': n_dis, 'conditional': n_classes > 0, 'loss_type': LOSSES[network.split('_')[0]],
                **updater_args, **updater_changes}
    assert {key: value for key, value in updater.items() if key != 'n_gen_samples'} == expected
    iteration = (850000 if '850k' in name else 450000 if network == 'imagenet' else
                 200000 if '2x' in name else 1000 if 'digits' in name else 100000)
    decay_start = 0 if network.startswith('resnet') else iteration - 50000 if network == 'imagenet' else iteration
    assert (config['iteration'], config['iteration_decay_start']) == (iteration, decay_start)
    assert config['results_dir'] == f'results/{name}'
    assert not gulrajani or config['models']['discriminator']['fn'] == 'dis_models/gulrajani_32.py'
    _, gen, dis, dataset, built = build_all(path, data, NARROW)
    size = 48 if 'stl10' in name else 128 if network == 'imagenet' else 32
    assert dataset.size == gen.image_size == dis.image_size == size
    ac = ('loss_ac_gen', 'loss_ac_dis') if 'ac_wgan' in name else ()
    assert_steps(gen, dis, built, (*ac, *(f'loss_{penalty}' for penalty in updater.get('penalties', ()))))


AUTHORS = '''\
# conditional generation
batchsize: 64
iteration: 250000
iteration_decay_start: 200000
seed: 0
display_interval: 100
progressbar_interval: 100
snapshot_interval: 10000
evaluation_interval: 1000

models:
  generator:
    fn: gen_models/resnet_64.py
    name: ResNetGenerator
    args:
      dim_z: 128
      bottom_width: 4
      ch: 64
      n_classes: 143


  discriminator:
      fn: dis_models/snresnet_64.py
      name: SNResNetProjectionDiscriminator
      args:
        ch: 64
        n_classes: 143

dataset:
  dataset_fn: datasets/imagenet_dog_and_cat.py
  dataset_name: ImageNetDogAndCatDataset
  args:
    path: datasets/image_list_dog_and_cat.txt
    size: 64
    resize_method: bilinear
    augmentation: True

adam:
  alpha: 0.0002
  beta1: 0.0
  beta2: 0.9

updater:
  fn: updater.py
  name: Updater
  args:
    n_dis: 5
    n_gen_samples: 128
    conditional: True
    loss_type: hinge
'''


def test_a_file_laid_out_as_the_authors_are(tmp_path, data):
    (tmp_path / 'authors.yml').write_text(AUTHORS)
    config, gen, dis, dataset, updater = build_all(tmp_path / 'authors.yml', data, NARROW)
    assert (config['progressbar_interval'], gen.n_classes, dis.n_classes) == (100, 143, 143)
    assert (updater.n_dis, updater.conditional, dataset.size, dataset.augmentation) == (1, True, 64, True)
    assert_steps(gen, dis, updater)
