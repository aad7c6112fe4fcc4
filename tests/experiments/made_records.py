"""Records of all experiments on the digits with numbers made up, for table and figures."""
import json

from source.experiments.budget import load_budget
from source.experiments.catalogue import EXPERIMENTS, variants_of
from source.experiments.cell import cells_of
from source.experiments.real_data import NAME as REAL
from source.experiments.records import identity, write_record
from source.miscs.image_sheets import save_sheet
from source.miscs.results_dir import make_folder

import numpy as np

N = 20
DIVERGED = 'gan_gp', ('E', 'F')
STEEPNESS = {'spectral': .5, 'weight': 2., 'weight_clipping': 4.}
SECONDS = {'wgan_gp': 25., 'none': 16., 'spectral': 17., 'weight': 19.}
WIDTHS = 8, 8, 16, 16, 32, 32, 64


def score_of(cell):
    """(inception score, FID) of a cell, from its name alone."""
    rng = np.random.RandomState(list(cell.name.encode()))
    return float(3 + 5 * rng.rand()), float(300 + 3000 * rng.rand() ** 2)


def make_records(results, names=tuple(EXPERIMENTS), seeds=(0, 1)):
    """Writes a record and samples for every cell of these experiments; returns the cells."""
    budget, _ = load_budget('digits')
    cells = cells_of(variants_of(names), seeds, budget)
    for cell in cells:
        write_record(results.record(cell), made_record(cell))
        if not diverged(cell):
            make_samples(results, cell.name)
    return cells


def make_samples(results, name):
    """Noise, another for each name."""
    make_folder(results.samples(name).parent)
    ims = np.random.RandomState(list(name.encode())).randint(256, size=(25, 3, 32, 32), dtype=np.uint8)
    save_sheet(results.samples(name), ims, 5, 5)


def make_real(results):
    """Record and samples of real data."""
    write_record(results.root / 'records' / f'{REAL}.json', {
        'name': REAL, 'options': {}, 'seed': 0, 'budget': {}, 'status': 'finished',
        'protocol': '360 held-out images in 3 splits, FID of all against 1437 training images',
        'scores': {'is_mean': 9.876, 'is_std': .1, 'fid': 71.54}})
    make_samples(results, REAL)


def change(results, cell, budget=None, **changes):
    """Changes entries of a record, given by its cell's name, and of its budget."""
    path = results.record_of(cell)
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, 'budget': {**record['budget'], **(budget or {})}, **changes}))


def diverged(cell):
    return cell.variant.method == DIVERGED[0] and cell.variant.setting in DIVERGED[1]


def made_record(cell):
    method, setting = cell.variant.method, cell.variant.setting
    record = {**identity(cell), 'feature_network': 'digits', 'threads': 1, 'seconds': 100.,
              'protocol': '1000 images in 10 splits, FID against all training images'}
    if diverged(cell):
        return {**record, 'status': 'diverged: loss_dis is not finite at iteration 230', 'iterations_done': 230,
                'scores': {}}
    score, fid = score_of(cell)
    iteration = [50 * (i + 1) for i in range(N)]
    decay = np.exp(-np.arange(1, N + 1) / 5)
    steepness = STEEPNESS.get(method, 1.) * (1 + .1 * 'ABCDEF'.find(setting or '') + .03 * cell.seed)
    return {
        **record, 'status': 'finished', 'iterations_done': 1000,
        'scores': {'is_mean': score, 'is_std': .1, 'fid': fid},
        'seconds_per_100_updates': SECONDS.get(method, 19.) + cell.seed,
        'curve': {'iteration': [250, 500, 750, 1000], 'is_mean': [score * f for f in (.4, .7, .9, 1.)],
                  'fid': [fid * f for f in (3., 2., 1.2, 1.)]},
        'log': {'iteration': iteration, 'loss_gen': [1.] * N, 'loss_dis': [1.] * N,
                'critic_loss_train': (-score * (1 - decay)).tolist(),
                'critic_loss_held_out': (-.8 * score * (1 - decay)).tolist()},
        'spectral_norms': {**{f'c{k}': (1 + .02 * k * decay).tolist() for k in range(1, 8)}, 'l8': [1.] * N},
        'squared_singular_values': {
            **{f'c{k}': ((2 + cell.seed) * np.linspace(1, 0, n, endpoint=False) ** steepness).tolist()
               for k, n in enumerate(WIDTHS, 1)}, 'l8': [1.]}}
