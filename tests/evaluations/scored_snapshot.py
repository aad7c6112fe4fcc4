"""A small generator's snapshot, the images it makes, and small protocols: what the tests of the commands share."""
import json

from source.build import build_models
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import load_model, save_snapshot
from source.scoring.protocols import Protocol
from source.yaml_utils import load_config
from tests.narrow import files_in, run, write_config

import numpy as np
from PIL import Image

EVALUATION = {'evaluation': {'network': 'digits', 'n_images': 24, 'splits': 3}}
SMALL_PROTOCOLS = {'paper': Protocol('paper', 30, 3, 12, 'test', 200, 5),
                   'modern': Protocol('modern', 40, 4, 40, 'train', None, 5)}


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


def write_images(folder, ims, suffix='.png'):
    """Files of ims uint8 (N, 3, H, W), named by their numbers."""
    folder.mkdir(parents=True)
    for k, im in enumerate(ims):
        Image.fromarray(im.transpose(1, 2, 0)).save(folder / f'{k:03d}{suffix}')
    return folder


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def record_in(path):
    return json.loads(path.read_text())


def record_of(main, path, *arguments):
    """The record that a command writes to `path`."""
    assert run(main, '--gpu', -1, '--results_dir', path.parent, *arguments) == 0
    return record_in(path)


def refused(main, folder, capsys, *arguments):
    """What a command says, in one line after `error: `, when it refuses and writes nothing to `folder`."""
    before = files_in(folder), set(folder.rglob('*'))
    capsys.readouterr()
    assert run(main, '--gpu', -1, *arguments) == 2
    assert (files_in(folder), set(folder.rglob('*'))) == before
    captured = capsys.readouterr()
    assert captured.out == ''
    line = captured.err.splitlines()[-1].rpartition('\r')[2]
    assert line.startswith('command: error: ')
    return line.partition('error: ')[2]
