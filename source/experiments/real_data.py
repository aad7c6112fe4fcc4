"""What has to be there before a comparison starts, and its row "Real data": held-out images scored like samples."""
from source import build
from source.experiments.cell import Cell, write_cell_config
from source.experiments.records import read_record, write_record
from source.experiments.run_cell import SHEET
from source.kernels.switch import use_cpu_kernels
from source.miscs.devices import get_device, gpu_index
from source.miscs.image_sheets import save_sheet
from source.miscs.results_dir import make_folder
from source.scoring.judging import judge, scores_of, stored_batches
from source.scoring.statistics_cache import cached_statistics
from source.yaml_utils import ConfigError, load_config

import numpy as np

NAME = 'real_data'
LEAST_PER_SPLIT = 100


def prepare(results, variant, budget, data_dir=None, gpu=None):
    """Reads data and feature network, computes the statistics all cells need, writes record and samples of real data.

    Data sets without a test set have no record of real data.

    Raises ConfigError, before anything is trained, where data or network are missing.
    """
    config_path = str(write_cell_config(make_folder(results.root / 'cells'), Cell(variant, 0, budget)))
    config = load_config(config_path)
    source = f'experiments on {budget.dataset}'
    device = get_device(gpu)
    use_cpu_kernels(device.xp is np and config['cpu_kernels'])
    dataset = build.build_dataset(config, source, data_dir)
    network = build.build_feature_network(config, source, gpu_index(device))
    if network is None:
        raise ConfigError(f'{source}: feature_network: missing; expected the name of a feature network')
    reference = cached_statistics(dataset, network)
    path = results.root / 'records' / f'{NAME}.json'
    of = {name: getattr(budget, name) for name in ('dataset', 'feature_network', 'n_images', 'splits')}
    if not results.samples(NAME).exists():
        make_folder(results.samples(NAME).parent)
        shown = np.random.RandomState(0).permutation(len(dataset))[:SHEET ** 2]
        save_sheet(results.samples(NAME), dataset.load_ims(shown), SHEET, SHEET)
    if path.exists() and read_record(path)['budget'] == of:
        return
    held_out = build.build_dataset(config, source, data_dir, test=True)
    if held_out is None:  # ImageNet, of which a list names the training images alone
        return
    n = min(len(held_out), budget.n_images)
    splits = max(1, min(budget.splits, n // LEAST_PER_SPLIT))
    chosen = np.random.RandomState(0).permutation(len(held_out))[:n]
    judged = judge(stored_batches(held_out, chosen), network, n, desc='held-out images')
    scores = scores_of(judged, network, reference=reference, splits=splits)
    write_record(path, {
        'name': NAME, 'options': {}, 'seed': 0, 'budget': of, 'status': 'finished',
        'feature_network': network.name,
        'protocol': f'{n} held-out images in {splits} splits, FID against all training images',
        'scores': {name: float(score) for name, score in scores.items()}})
