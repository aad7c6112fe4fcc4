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

EVALUATION = {'evaluation': {'network': 'digits', 'n_images': 24, 'splits': 3}}
SMALL_PROTOCOLS = {'paper': Protocol('paper', 30, 3, 12, 'test', 200, 5),
                   'modern': Protocol('modern', 40, 4, 40, 'train', None, 5)}


def write_snapshot(folder, changes=None):
    """A snapshot whose classes differ, with its config beside it."""
    path = write_config(folder, {**EVALUATION, **(changes or {})}, 'config.yml')
    np.random.seed(0)
    gen, _ = build_models(load_config(path), str(path))
    for name, parameter in gen.namedparams():
        if 'gammas' in name or 'betas' in name:
            parameter.array[...] += np.random.normal(size=parameter.shape)
    for _ in range(30):  # so that the averaged batch statistics leave their initial zeros
        gen(20)
    save_snapshot(folder / 'ResNetGenerator_2.npz', gen)
    return folder / 'ResNetGenerator_2.npz'


def samples(snapshot, n, seed=1234, labels=None):
    """The (ims, y) that the commands make of a snapshot."""
    gen, _ = build_models(load_config(snapshot.parent / 'config.yml'), 'config')
    load_model(snapshot, gen)
    return generate_ims(gen, n, NoiseSampler(gen.dim_z, gen.n_classes, seed=seed), labels)


def record_in(path):
    return json.loads(path.read_text())


def refused(main, folder, capsys, *arguments):
    """The one line that a command says when it refuses and writes nothing."""
    before = files_in(folder)
    assert run(main, '--gpu', -1, *arguments) == 2
    assert files_in(folder) == before
    captured = capsys.readouterr()
    assert captured.out == ''
    line = captured.err.splitlines()[-1]
    assert 'error: ' in line
    return line.partition('error: ')[2]
