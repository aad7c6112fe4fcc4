"""Every config in configs/ runs, and so does every config the authors released in any state of their repository."""
from pathlib import Path

from source import build
from source.datasets import cifar10, fashion_mnist, image_dataset, stl10, svhn
from source.yaml_utils import load_config
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
    'sn_projection_digits.yml': ((64, 1200, 500, 128, 1), 32, 10, (64, 64)),
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
# Another experiment than the paper's: a small network of our own, whose numbers are free to change.
OURS = 'sn_projection_digits.yml'
# The standard CNN of Table 3, trained with setting C of Table 1 and the standard loss.
CNNS = {'sn_cnn_cifar10.yml'}
# Those of the comparison, in folders, and the parts they extend and the budgets of experiments.py, which are not
# configs by themselves.
PARTS = ('settings', 'methods', 'experiments')
COMPARISON = {str(path.relative_to(CONFIGS).with_suffix('')): path for path in sorted(CONFIGS.glob('*/*.yml'))
              if path.parent.name not in PARTS}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Options that give any dataset a handful of images: a few JPEG files, and the others cut short."""
    names = []
    for k, label in enumerate((151, 200, 293)):
        name = f'n0000000{k}/n0000000{k}_{k}.JPEG'
        (tmp_path / name).parent.mkdir()
        im = np.random.RandomState(k).randint(256, size=(40, 30 + k, 3), dtype=np.uint8)
        Image.fromarray(im).save(tmp_path / name)
        names.append(f'{name} {label}\n')
    (tmp_path / 'list.txt').write_text(''.join(names))

    def cut_short(self, size):
        ims = np.random.RandomState(0).randint(256, size=(4, 3, size, size), dtype=np.uint8)
        image_dataset.ImageDataset.__init__(self, ims, np.arange(4), 10)
    for cls, init in (
            (cifar10.CIFAR10Dataset, lambda self, test=False, root=None: cut_short(self, 32)),
            (stl10.STL10Dataset, lambda self, split='unlabeled', size=48, root=None: cut_short(self, size)),
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
    gen, dis = build.build_models(config, str(path))
    dataset = build.build_dataset(config, str(path), data)
    build.check_agreement(config, str(path), gen, dis, dataset)
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


def test_facts_are_of_all_configs():
    assert {path.name for path in CONFIGS.glob('*.yml')} == set(FACTS)


@pytest.mark.parametrize('name', FACTS)
def test_config(name, data):
    """Says what the paper and the authors say, and steps."""
    path = CONFIGS / name
    assert_header_gives_the_command(path, 'batchsize:')
    config = load_config(path)
    args = config['updater']['args']
    numbers, size, n_classes, widths = FACTS[name]
    models = [config['models'][kind]['args'] for kind in ('generator', 'discriminator')]
    if name != OURS:
        assert tuple(config[k] for k in ('batchsize', 'iteration', 'iteration_decay_start')) + (
            args['n_gen_samples'], args['n_dis']) == numbers
        assert tuple(model['ch'] for model in models) == widths
        assert config['seed'] == 0
        assert config['snapshot_interval'] == 10000
        assert config['evaluation_interval'] == (1000 if 'cifar' in name else 5000)
        assert models[0]['dim_z'] == 128
        beta1, beta2 = (.5, .999) if name in CNNS else (0., .9)
        assert config['adam'] == {'alpha': 2e-4, 'beta1': beta1, 'beta2': beta2}
    assert [model['n_classes'] for model in models] == [n_classes] * 2
    assert args['loss_type'] == ('dcgan' if name in CNNS else 'hinge')
    assert args['conditional'] == (n_classes > 0)
    assert config['dataset']['args'].get('augmentation', False) == ('dog' in name or name == OURS)

    _, gen, dis, dataset, updater = build_all(path, data, NARROW)
    assert dataset.size == gen.image_size == dis.image_size == size
    assert gen.n_classes == dis.n_classes == n_classes
    names = {'sn_concat.yml': ('ResNetGenerator', 'SNResNetConcatDiscriminator'),
             **dict.fromkeys(CNNS, ('CNNGenerator', 'SNCNNDiscriminator'))}
    assert (type(gen).__name__, type(dis).__name__) == names.get(
        name, ('ResNetGenerator', 'SNResNetProjectionDiscriminator'))
    assert_steps(gen, dis, updater)


# The comparison

NOT_NORMALIZED = {'norm': 'none'}
METHODS = {  # what each is: arguments of the discriminator, of the updater
    'spectral': ({'norm': 'spectral'}, {}),
    'weight': ({'norm': 'weight'}, {}),
    'frobenius': ({'norm': 'frobenius'}, {}),
    'layer': ({'norm': 'layer'}, {}),
    'batch': ({'norm': 'batch'}, {}),
    'none': (NOT_NORMALIZED, {}),
    'singular_values': ({'norm': 'singular_values'}, {}),
    'orthonormal': ({'norm': 'orthonormal'}, {'penalties': {'orthonormal': {'weight': 1.}}}),
    'weight_clipping': (NOT_NORMALIZED, {'constraints': {'clipping': {'c': .01}}}),
    'singular_value_clipping': (NOT_NORMALIZED, {'constraints': {'singular_value_clipping': {'every': 5, 'K': 1.}}}),
    'spectral_norm_regularization': (NOT_NORMALIZED, {'penalties': {'spectral_norm': {'weight': .01}}}),
    'gan_gp': (NOT_NORMALIZED, {'loss_type': 'dcgan', 'penalties': {'gradient': {'weight': 10.}}}),
    'wgan_gp': (NOT_NORMALIZED, {'loss_type': 'wasserstein', 'penalties': {'gradient': {'weight': 10.}}}),
}
SETTINGS = {  # Table 1: alpha, beta1, beta2, n_dis
    'A': (1e-4, .5, .9, 5), 'B': (1e-4, .5, .999, 1), 'C': (2e-4, .5, .999, 1), 'D': (1e-3, .5, .9, 5),
    'E': (1e-3, .5, .999, 5), 'F': (1e-3, .9, .999, 5)}
LOSSES = {'cnn': 'dcgan', 'resnet': 'hinge', 'imagenet': 'hinge'}
GAMMA = {'use_gamma': True}
# Configs that are more than a method on a network: the method, and what else
SPECIAL = {
    'cnn_cifar10/spectral_hinge': ('spectral', {}, {'loss_type': 'hinge'}),
    'cnn_cifar10/chainer_gan_lib': ('spectral', {}, {}),
    **{f'cnn_cifar10/wgan_gp_{norm}': ('wgan_gp', {'norm': norm, **GAMMA}, {})
       for norm in ('spectral', 'weight', 'frobenius')},
    'resnet_cifar10/wgan_gp_spectral': ('wgan_gp', {'norm': 'spectral', **GAMMA}, {}),
    'resnet_cifar10/wgan_gp_spectral_wide': ('wgan_gp', {'norm': 'spectral', 'scale': 1.5, **GAMMA}, {}),
    'resnet_cifar10/ac_wgan_gp': ('wgan_gp', {}, {'ac_weight_dis': 1., 'ac_weight_gen': .1}),
    'resnet_cifar10/ac_wgan_gp_spectral': (
        'wgan_gp', {'norm': 'spectral', **GAMMA}, {'ac_weight_dis': 1., 'ac_weight_gen': .1}),
    'resnet_cifar10/ac_wgan_gp_spectral_wide': (
        'wgan_gp', {'norm': 'spectral', 'scale': 1.5, **GAMMA}, {'ac_weight_dis': 1., 'ac_weight_gen': .1}),
    'resnet_cifar10/concat': ('spectral', {'dim_emb': 128}, {}),
    'cnn_stl10/spectral_2x': ('spectral', {}, {}),
    'cnn_stl10/orthonormal_2x': ('orthonormal', {}, {}),
    'cnn_stl10/spectral_hinge_2x': ('spectral', {}, {'loss_type': 'hinge'}),
    'cnn_stl10/figure_4_spectral': ('spectral', {'final_scale': 8.}, {}),
    'cnn_stl10/figure_4_orthonormal': ('orthonormal', {'final_scale': 8.}, {}),
    'imagenet/spectral_unconditional': ('spectral', {}, {}),
    **{f'imagenet/orthonormal_{head}': ('orthonormal', {}, {}) for head in ('unconditional', 'projection', 'concat')},
}
WIDTHS = {'cnn_digits': (16, 16), 'resnet_cifar10': (256, 128)}  # of generator and discriminator, else 64
CONDITIONAL = {**dict.fromkeys([name for name in SPECIAL if 'ac_wgan' in name or name == 'resnet_cifar10/concat'], 10),
               'imagenet/orthonormal_projection': 1000, 'imagenet/orthonormal_concat': 1000}


def test_every_method_is_there():
    methods = set(METHODS)
    assert {path.stem for path in (CONFIGS / 'methods').glob('*.yml')} == methods
    for network in ('cnn_cifar10', 'resnet_cifar10'):  # whose spectral normalization has had a config before
        assert {f'{network}/{method}' for method in methods - {'spectral'}} <= set(COMPARISON)
    assert {path.stem for path in (CONFIGS / 'settings').glob('*.yml')} == set(SETTINGS)


@pytest.mark.parametrize('name', COMPARISON)
def test_comparison(name, data):
    """Says what the paper says, and steps."""
    path = COMPARISON[name]
    assert_header_gives_the_command(path, 'extends:')
    assert '\n# Data:  ' in path.read_text()
    config = load_config(path)
    network, stem = name.split('/')
    method, dis_changes, updater_changes = SPECIAL.get(name, (stem, {}, {}))
    dis_args, updater_args = METHODS[method]
    args, updater = config['models']['discriminator']['args'], config['updater']['args']

    gulrajani = network == 'resnet_cifar10' and method == 'wgan_gp'
    ch = (128, 128) if gulrajani else WIDTHS.get(network, (64, 64))
    n_classes = CONDITIONAL.get(name, 0)
    expected = {'ch': ch[1], 'n_classes': n_classes, **dis_args, **dis_changes}
    assert {'norm': 'spectral', **args} == expected
    assert config['models']['generator']['args']['n_classes'] == n_classes
    assert config['models']['generator']['args']['ch'] == ch[0]

    setting = 'A' if 'gp' in method else 'B' if network == 'cnn_stl10' and stem.startswith('spectral') else 'C'
    alpha, beta1, beta2, n_dis = SETTINGS[setting] if network.startswith('cnn') else (2e-4, 0., .9, 5)
    assert config['adam'] == {'alpha': alpha, 'beta1': beta1, 'beta2': beta2}
    expected = {'n_dis': n_dis, 'conditional': n_classes > 0, 'loss_type': LOSSES[network.split('_')[0]],
                **updater_args, **updater_changes}
    assert {key: value for key, value in updater.items() if key != 'n_gen_samples'} == expected

    iteration = 450000 if network == 'imagenet' else 200000 if '2x' in name else 1000 if 'digits' in name else 100000
    decay_start = 0 if network.startswith('resnet') else 400000 if network == 'imagenet' else iteration
    assert (config['iteration'], config['iteration_decay_start']) == (iteration, decay_start)
    assert config['results_dir'] == f'results/{name}'
    if gulrajani:
        assert config['models']['discriminator']['fn'] == 'dis_models/gulrajani_32.py'

    _, gen, dis, dataset, built = build_all(path, data, NARROW)
    size = 48 if 'stl10' in name else 128 if network == 'imagenet' else 32
    assert dataset.size == gen.image_size == dis.image_size == size
    ac = ('loss_ac_gen', 'loss_ac_dis') if 'ac_wgan' in name else ()
    assert_steps(gen, dis, built, (*ac, *(f'loss_{penalty}' for penalty in updater.get('penalties', ()))))


@pytest.mark.parametrize('setting', SETTINGS)
def test_settings_of_table_1(setting):
    """A method with a setting is the list of files to extend."""
    path = CONFIGS / f'settings/{setting}.yml'
    text = yaml.safe_load(path.read_text())
    assert set(text) == {'adam', 'updater'} and set(text['updater']) == {'args'}
    alpha, beta1, beta2, n_dis = SETTINGS[setting]
    assert {k: float(v) for k, v in text['adam'].items()} == {'alpha': alpha, 'beta1': beta1, 'beta2': beta2}
    assert text['updater']['args'] == {'n_dis': n_dis}


# The authors' own files: their layout (an indent of six under `discriminator`, blank lines, capital booleans), and the
# names they used in earlier states of their repository.
AUTHORS_TEXT = '''\
# {comment}
batchsize: 64
iteration: 50000
iteration_decay_start: 0
seed: 0
display_interval: 100
{progressbar}snapshot_interval: 10000
evaluation_interval: 1000

models:
  generator:
    fn: gen_models/{gen_fn}.py
    name: {gen}
    args:
      dim_z: 128
      bottom_width: 4
      ch: 64
      n_classes: {n_classes}


  discriminator:
      fn: dis_models/{dis_fn}.py
      name: {dis}
      args:
        ch: 64
        n_classes: {n_classes}

dataset:
  dataset_fn: datasets/{data_fn}.py
  dataset_name: {data}
  args:
    {data_args}

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
    conditional: {conditional}
    loss_type: hinge
'''
PROJECTION = 'SNResNetProjectionDiscriminator'
CIFAR = {'data_fn': 'cifar10', 'data': 'CIFAR10Dataset', 'n_classes': 10}
IMAGENET = {'data_fn': 'imagenet', 'data': 'ImageNetDataset', 'n_classes': 1000, 'list': 'image_list.txt', 'aug': False}
DOGS = {'data_fn': 'imagenet_dog_and_cat', 'data': 'ImageNetDogAndCatDataset', 'n_classes': 143,
        'list': 'image_list_dog_and_cat.txt', 'aug': True}


def authors_text(gen_fn, gen, dis_fn, dis, data, size, progressbar=True):
    lines = ['test: False'] if 'cifar' in data['data_fn'] else [
        f'path: datasets/{data["list"]}', f'size: {size}', 'resize_method: bilinear', f'augmentation: {data["aug"]}']
    return AUTHORS_TEXT.format(
        comment='conditional generation', gen_fn=gen_fn, gen=gen, dis_fn=dis_fn, dis=dis, data_fn=data['data_fn'],
        data=data['data'], n_classes=data['n_classes'], conditional=data['n_classes'] > 0,
        data_args='\n    '.join(lines), progressbar='progressbar_interval: 100\n' if progressbar else '')


@pytest.mark.parametrize('arguments', [
    ('resnet_32', 'ResNetGenerator', 'snresnet_32', PROJECTION, CIFAR, 32),
    ('resnet_32', 'ResNetGenerator', 'snresnet_32', PROJECTION, {**CIFAR, 'n_classes': 0}, 32),
    ('resnet_32', 'ResNetGenerator32', 'snresnet_32', 'SNResNetDiscriminator32',
     {**CIFAR, 'data': 'Cifar10Dataset'}, 32),
    ('resnet_64', 'ResNetGeneratorImageNet', 'snresnet_64', PROJECTION, IMAGENET, 64, False),
    ('resnet_64', 'ResNetGenerator', 'snresnet_64', PROJECTION, DOGS, 64, False),
    ('resnet', 'ResNetGenerator', 'snresnet', PROJECTION, IMAGENET, 128, False),
    ('resnet_128', 'ResNetGenerator', 'snresnet_128', PROJECTION, IMAGENET, 128),
    ('resnet_128', 'ResNetGenerator', 'snresnet_128', 'SNResNetConcatDiscriminator', IMAGENET, 128),
    ('resnet_small', 'ResNetGenerator', 'snresnet_small', PROJECTION, DOGS, 128, False),
    ('resnet_dog_and_cat_128', 'ResNetGenerator', 'snresnet_dog_and_cat_128', PROJECTION, DOGS, 128),
    ('resnet_256', 'ResNetGenerator', 'snresnet_256', PROJECTION, DOGS, 256, False),
], ids=lambda arguments: f'{arguments[0]}-{arguments[1]}-{arguments[3]}-{arguments[4]["data"]}')
def test_authors_config(arguments, tmp_path, data):
    path = tmp_path / 'authors.yml'
    path.write_text(authors_text(*arguments))
    config, gen, dis, dataset, updater = build_all(path, data, NARROW)
    assert config['progressbar_interval'] == (100 if len(arguments) == 6 else None)
    size, n_classes = arguments[5], arguments[4]['n_classes']
    assert (gen.image_size, dis.image_size, dataset.size) == (size, size, size)
    assert gen.n_classes == dis.n_classes == n_classes
    assert (updater.n_dis, updater.conditional) == (1, n_classes > 0)
    x, y = dataset.get_examples([0, 2], np.random.RandomState(0))
    assert x.shape == (2, 3, size, size)
    if size <= 64:
        assert_steps(gen, dis, updater)
