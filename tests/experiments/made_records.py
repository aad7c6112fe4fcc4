"""Records of all experiments on the digits with numbers made up, for table and figures."""
import json

from source.experiments.budget import load_budget
from source.experiments.catalogue import EXPERIMENTS, variants_of
from source.experiments.cell import cells_of
from source.experiments.real_data import NAME as REAL
from source.experiments.records import identity, write_record
from source.files.folders import make_folder
from source.pictures.image_sheets import save_sheet

import numpy as np

SECONDS = {'wgan_gp': 25., 'none': 16., 'spectral': 17., 'weight': 19.}
WIDTHS = {'c1': 8, 'c2': 8, 'c3': 16, 'c4': 16, 'c5': 32, 'c6': 32, 'c7': 64, 'l8': 1}


def make_records(results, names=tuple(EXPERIMENTS), seeds=(0, 1)):
    """Writes a record and samples for every cell of these experiments; returns the cells."""
    cells = cells_of(variants_of(names), seeds, load_budget('digits')[0])
    for cell in cells:
        record = made_record(cell)
        write_record(results.record(cell), record)
        if record['status'] == 'finished':
            make_samples(results, cell.name)
    return cells


def make_samples(results, name):
    """Noise, another for each name."""
    make_folder(results.samples(name).parent)
    ims = np.random.RandomState(list(name.encode())).randint(256, size=(25, 3, 32, 32), dtype=np.uint8)
    save_sheet(results.samples(name), ims, 5, 5)


def make_real(results):
    write_record(results.record_of(REAL), {
        'name': REAL, 'options': {}, 'seed': 0, 'budget': {}, 'status': 'finished',
        'scores': {'is_mean': 9.876, 'fid': 71.54},
        'protocol': '360 held-out images in 3 splits, FID of all against 1437 training images'})
    make_samples(results, REAL)


def change(results, cell, budget=None, **changes):
    """Changes entries of a record, given by its cell's name, and of its budget."""
    path = results.record_of(cell)
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, 'budget': {**record['budget'], **(budget or {})}, **changes}))


def made_record(cell):
    """With other numbers for each name; that of GAN-GP in the settings E and F diverged."""
    record = {**identity(cell), 'feature_network': 'digits', 'threads': 1, 'seconds': 100.,
              'protocol': '1000 images in 10 splits, FID against all training images'}
    if cell.variant.method == 'gan_gp' and cell.variant.setting in ('E', 'F'):
        return {**record, 'status': 'diverged: loss_dis is not finite at iteration 230', 'iterations_done': 230}
    rng = np.random.RandomState(list(cell.name.encode()))
    score, fid = 3 + 5 * rng.rand(), 300 + 3000 * rng.rand() ** 2
    return {
        **record, 'status': 'finished', 'iterations_done': 1000,
        'scores': {'is_mean': score, 'is_std': .1, 'fid': fid},
        'seconds_per_100_updates': SECONDS[cell.variant.method] + cell.seed if cell.timed else 999.,
        'curve': {'iteration': [250, 500, 750, 1000], 'is_mean': (score * np.array([.4, .7, .9, 1.])).tolist(),
                  'fid': (fid * np.array([3., 2., 1.2, 1.])).tolist()},
        'log': {'iteration': list(range(50, 1001, 50)), 'critic_loss_train': rng.rand(20).tolist(),
                'critic_loss_held_out': rng.rand(20).tolist()},
        'spectral_norms': {name: rng.rand(20).tolist() for name in WIDTHS},
        'squared_singular_values': {name: np.sort(rng.rand(n))[::-1].tolist() for name, n in WIDTHS.items()}}
