"""What has to be there before a comparison starts, and its row "Real data": real images scored like samples.

They are those of the split that samples are not compared with.
"""
import tempfile

from source.command_line.devices import get_device, gpu_index
from source.config import build
from source.config.checks import ConfigError
from source.config.yaml_utils import load_config
from source.experiments.cell import Cell, write_cell_config
from source.experiments.records import read_record, write_record
from source.experiments.run_cell import SHEET
from source.files.folders import make_folder
from source.pictures.image_sheets import save_sheet
from source.scoring.judging import judge, scores_of, stored_batches
from source.scoring.protocols import PROTOCOLS, config_protocol
from source.scoring.reference import RealImages
from source.scoring.statistics_cache import cached_statistics

import numpy as np

NAME = 'real_data'
LEAST_PER_SPLIT = 100


def prepare(results, variant, budget, data_dir=None, gpu=None):
    """Reads data and feature network, computes the statistics all cells need, writes record and samples of real data.

    Data sets without a test set have no record of real data.

    Raises ConfigError, before anything is trained, where data or network are missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(str(write_cell_config(folder, Cell(variant, 0, budget))))
    where = f'experiments on {budget.dataset}'
    device = get_device(gpu)
    build.use_kernels(config, device)
    dataset = build.build_dataset(config, where, data_dir)
    network = build.build_feature_network(config, where, gpu_index(device))
    if network is None:
        raise ConfigError(f'{where}: feature_network: missing; expected the name of a feature network')
    cached_statistics(dataset, network)  # what samples are compared with during training
    path = results.record_of(NAME)
    of = {name: value for name, value in budget.as_record().items()
          if name in ('dataset', 'feature_network', 'n_images', 'splits', 'protocol')}
    if not results.samples(NAME).exists():
        make_folder(results.samples(NAME).parent)
        shown = np.random.RandomState(0).permutation(len(dataset))[:SHEET ** 2]
        save_sheet(results.samples(NAME), dataset.load_ims(shown), SHEET, SHEET)
    if path.exists():
        found = read_record(path)
        if found['budget'] == of and found.get('network_sha256', network.digest) == network.digest:
            return
    protocol = PROTOCOLS.get(budget.protocol) or config_protocol(budget.n_images, budget.splits)
    real = RealImages(build.real_images_of(config, where, data_dir), protocol.real, protocol.n_real)
    others_are_held_out = real.split == 'train'
    others = build.build_dataset(config, where, data_dir, test=others_are_held_out)
    if others is None:  # ImageNet, of which a list names the training images alone
        return
    n = min(len(others), protocol.n_images)
    splits = max(1, min(protocol.splits, n // LEAST_PER_SPLIT))
    chosen = np.random.RandomState(0).permutation(len(others))[:n]
    judged = judge(stored_batches(others, chosen), network, n, min(n, protocol.n_compared), desc='real images')
    scores = scores_of(judged, network, reference=real.statistics(network), splits=splits)
    write_record(path, {
        'name': NAME, 'options': {}, 'seed': 0, 'budget': of, 'status': 'finished',
        'feature_network': network.name, 'network_sha256': network.digest,
        'protocol': f'{n} {"held-out" if others_are_held_out else "training"} images in {splits} splits, FID of '
                    f'{"all" if n <= protocol.n_compared else f"the first {protocol.n_compared}"} against {real.text}',
        'scores': {name: float(score) for name, score in scores.items()}})
