"""A results folder such as a small run leaves, without training: its log is made up, its networks are fresh."""
import dataclasses
import json

from source.config.build import build_models
from source.config.yaml_utils import load_config
from source.files.plain_yaml import write_yaml
from source.pictures.image_sheets import save_sheet
from source.results_folder.snapshots import save_snapshot
from tests.narrow import write_config

import numpy as np


def make_run(folder, changes=None, iterations=4, log_changes=None):
    folder.mkdir()
    path = write_config(folder, {'iteration': 4, 'iteration_decay_start': 2, 'evaluation': {
        'network': 'digits', 'n_images': 24, 'splits': 3}, **(changes or {})}, 'config.yml')
    config = load_config(path)
    write_yaml(path, {**config, 'versions': {'python': '3.12.1', 'chainer': '7.8.1', 'numpy': '2.4.6'}})
    np.random.seed(0)
    gen, dis = build_models(config, str(path))
    for _ in range(30):
        gen(20)
        for link in dis.links():
            getattr(link, 'W_bar', None)  # so that u comes to be the first singular vector, as training leaves it
    log = [{'loss_gen': 1. / k, 'loss_dis': 2., 'epoch': 0, 'iteration': k, 'elapsed_time': 2. * k}
           for k in range(1, iterations + 1)]
    (folder / 'preview').mkdir()
    for k in range(2, iterations + 1, 2):
        log[k - 1] |= {'digits_is_mean': 2. + k, 'digits_is_std': .1, 'digits_fid': 100. / k, 'digits_recognized': .5}
        rng = np.random.RandomState(k)
        save_sheet(folder / 'preview' / f'{k:08d}.png', rng.randint(0, 256, (4, 3, 8, 8)).astype(np.uint8), 2, 2)
        save_snapshot(folder / f'ResNetGenerator_{k}.npz', gen)
        save_snapshot(folder / f'SNResNetProjectionDiscriminator_{k}.npz', dis)
    for k, entry in (log_changes or {}).items():
        log[k] |= entry
    (folder / 'log.json').write_text(json.dumps(log))
    return folder


def with_log(run, n_entries=4, changes=None):
    """A read Run whose log has so many entries, and {entry: what it holds} changed."""
    log = [{**entry, **(changes or {}).get(k, {})} for k, entry in enumerate(run.log[:n_entries])]
    return dataclasses.replace(run, log=log)
