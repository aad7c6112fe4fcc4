"""Every config in configs/ runs, and so does every config the authors released in any state of their repository."""
from pathlib import Path

from source import build
from source.datasets import cifar10, image_dataset
from source.yaml_utils import load_config

import chainer
import numpy as np
import pytest
from PIL import Image

CONFIGS = Path(__file__).parent.parent / 'configs'
NARROW = ['models.generator.args.ch=2', 'models.discriminator.args.ch=2', 'batchsize=2', 'updater.args.n_dis=1',
          'updater.args.n_gen_samples=2']
# batchsize, iteration, iteration_decay_start, n_gen_samples, n_dis; size; n_classes; ch of generator, discriminator
FACTS = {
    'sn_projection_digits.yml': ((64, 1250, 500, 128, 1), 16, 10, (64, 64)),
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


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Options that give any dataset a handful of images: a few JPEG files, and CIFAR-10 cut short."""
    names = []
    for k, label in enumerate((151, 200, 293)):
        name = f'n0000000{k}/n0000000{k}_{k}.JPEG'
        (tmp_path / name).parent.mkdir()
        im = np.random.RandomState(k).randint(256, size=(40, 30 + k, 3), dtype=np.uint8)
        Image.fromarray(im).save(tmp_path / name)
        names.append(f'{name} {label}\n')
    (tmp_path / 'list.txt').write_text(''.join(names))

    def init(self, test=False, root=None):
        ims = np.random.RandomState(int(test)).randint(256, size=(4, 3, 32, 32), dtype=np.uint8)
        image_dataset.ImageDataset.__init__(self, ims, np.arange(4), 10)
    monkeypatch.setattr(cifar10.CIFAR10Dataset, '__init__', init)
    return str(tmp_path)


def build_all(path, data, overrides=()):
    if 'image_list' in path.read_text():
        overrides = [*overrides, f'dataset.args.path={data}/list.txt']
    if 'Concat' in path.read_text():
        overrides = [*overrides, 'models.discriminator.args.dim_emb=2']
    config = load_config(path, overrides)
    build.seed_everything(config['seed'], chainer.get_device('@numpy'))
    gen, dis = build.build_models(config, str(path))
    dataset = build.build_dataset(config, str(path), data)
    build.check_agreement(config, str(path), gen, dis, dataset)
    updater = build.build_updater(config, str(path), gen, dis, dataset, chainer.get_device('@numpy'))
    return config, gen, dis, dataset, updater


def arrays(link):
    target = chainer.serializers.DictionarySerializer()
    target.save(link)
    return {k: np.array(v) for k, v in target.target.items()}


def assert_steps(gen, dis, updater):
    """One iteration has finite losses and moves every weight, every u and every batch statistic."""
    before = [arrays(gen), arrays(dis)]
    observation = {}
    with chainer.Reporter().scope(observation):
        updater.update()
    assert set(observation) == {'loss_gen', 'loss_dis'}
    assert np.isfinite([float(loss) for loss in observation.values()]).all()
    for old, new in zip(before, [arrays(gen), arrays(dis)], strict=True):
        assert all(np.isfinite(array).all() for array in new.values())
        still = [k for k in old if k.endswith(('/W', '/u', '/avg_mean')) and np.array_equal(old[k], new[k])]
        assert not still


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.yml')), ids=lambda path: path.stem)
def test_config_steps(path, data):
    config, gen, dis, dataset, updater = build_all(path, data, NARROW)
    assert_steps(gen, dis, updater)
    size, n_classes = FACTS[path.name][1:3]
    assert (dataset.size, gen.image_size) == (size, size)
    assert (gen.n_classes, dis.n_classes) == (n_classes, n_classes)
    if path.name != OURS:
        assert dis.image_size == size
    names = {'sn_concat.yml': ('ResNetGenerator', 'SNResNetConcatDiscriminator'),
             **dict.fromkeys(CNNS, ('CNNGenerator', 'SNCNNDiscriminator'))}
    assert (type(gen).__name__, type(dis).__name__) == names.get(
        path.name, ('ResNetGenerator', 'SNResNetProjectionDiscriminator'))


def test_facts_are_of_all_configs():
    assert {path.name for path in CONFIGS.glob('*.yml')} == set(FACTS)


@pytest.mark.parametrize('name', FACTS)
def test_config_says_what_the_paper_and_the_authors_say(name):
    config = load_config(CONFIGS / name)
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
    assert config['dataset']['args'].get('augmentation', False) == ('dog' in name)


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.yml')), ids=lambda path: path.stem)
def test_header_gives_the_command(path):
    header = path.read_text().split('batchsize:')[0]
    assert all(line.startswith('# ') for line in header.splitlines())
    assert f'python train.py --config configs/{path.name}' in header


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
