"""A small generator's snapshot and the images it makes: what the tests of the commands share."""
import json

from source.config.build import build_models
from source.config.yaml_utils import load_config
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.results_folder.snapshots import load_model, save_snapshot
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import files_in, run, write_config

import numpy as np
from PIL import Image

WITHOUT_GPU = 'compare_paper', 'singular_values', 'train_digits_classifier'
EVALUATION = {'evaluation': {'network': 'digits', 'n_images': 24, 'splits': 3}}


def write_snapshot(folder, changes=None):
    """Snapshots of a generator whose classes differ and of its discriminator, with their config beside them."""
    path = write_config(folder, {**EVALUATION, **(changes or {})}, 'config.yml')
    np.random.seed(0)
    gen, dis = build_models(load_config(path), str(path))
    for name, parameter in gen.namedparams():
        if 'gammas' in name or 'betas' in name:
            parameter.array[...] += np.random.normal(size=parameter.shape)
    for _ in range(30):  # so that the averaged batch statistics leave their initial zeros
        gen(20)
    save_snapshot(folder / 'SNResNetProjectionDiscriminator_2.npz', dis)
    save_snapshot(folder / 'ResNetGenerator_2.npz', gen)
    return folder / 'ResNetGenerator_2.npz'


def generator(snapshot):
    np.random.seed(1)  # so that its values are the file's
    gen, _ = build_models(load_config(snapshot.parent / 'config.yml'), 'config')
    load_model(snapshot, gen)
    return gen


def samples(snapshot, n, seed=1234, labels=None):
    """The (ims, y) that the commands make of a snapshot."""
    gen = generator(snapshot)
    return generate_ims(gen, n, NoiseSampler(gen.dim_z, gen.n_classes, seed=seed), labels)


def feats(ims):
    return FakeFeatureNetwork()(ims)[0]


def fid(ims0, ims1):
    left, right = (FeatureStatistics().update(feats(ims)) for ims in (ims0, ims1))
    return frechet_distance(left.mean, left.cov, right.mean, right.cov)


def write_images(folder, ims):
    """The paths of ims uint8 (N, 3, H, W), named by their numbers."""
    folder.mkdir(parents=True)
    paths = [folder / f'{k:03d}.bmp' for k in range(len(ims))]
    for path, im in zip(paths, ims):
        Image.fromarray(im.transpose(1, 2, 0)).save(path)
    return paths


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def write_score(path, **values):
    """A record as a command writes it, with these values."""
    path.write_text(json.dumps({'samples': 'x.npz', 'feature_network': 'inception', 'protocol': 'paper',
                                'n_real': 10000, 'paper_row': 'cifar10_resnet_sn_hinge', 'other_batch': None,
                                **values}))
    return path


def record_of(main, path, *arguments):
    """The record that a command writes to `path`."""
    assert run(main, '--gpu', -1, '--results_dir', path.parent, *arguments) == 0
    return json.loads(path.read_text())


def refused(main, folder, capsys, *arguments):
    """What a command says, in one line after `error: `, when it refuses and writes nothing to `folder`."""
    before = files_in(folder), set(folder.rglob('*'))
    capsys.readouterr()
    gpu = () if main.__module__.endswith(WITHOUT_GPU) else ('--gpu', -1)
    assert run(main, *gpu, *arguments) == 2
    assert (files_in(folder), set(folder.rglob('*'))) == before
    captured = capsys.readouterr()
    assert captured.out == ''
    line = captured.err.splitlines()[-1].rpartition('\r')[2]
    assert line.startswith('command: error: ')
    return line.partition('error: ')[2]
