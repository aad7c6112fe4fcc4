"""Trains the same by one process and by several, and tells how far apart they end, for example

    python benchmarks/processes_equality.py --processes 2 4 --out benchmarks/results/processes_equality.json

Twice: N processes at a share of the batch against one, and N processes at a batch each against N parts of one process
(`accumulate`). In the first batch normalization is synchronized, and images come without noise, which each process adds
to its own; in the second nothing is set apart. The biases before batch normalization are told apart: their gradient is
zero, and Adam makes steps of its rounding, which the mean that follows takes back. Needs the extra `mpi`.
"""
import copy
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.kill_training import CONFIG
from benchmarks.kill_training import DATASET as NOISY
from benchmarks.mpi import by_processes, environment
from benchmarks.peer_process import ROOT
from source.command_line.argument_parser import ArgumentParser
from source.command_line.standard_streams import standard_streams

import numpy as np
import yaml

# Without noise of their own: each process adds its own to its images, so that it need not draw that of the others.
DATASET = '''
import numpy as np
from source.datasets.image_dataset import ImageDataset


class PlainImages(ImageDataset):
    def __init__(self):
        rng = np.random.RandomState(0)
        super().__init__(rng.randint(0, 256, (20, 3, 8, 8), np.uint8), np.arange(20) % 10, 10)

    def get_examples(self, indices, rng):
        return (self.ims[indices] / np.float32(128) - 1).astype(np.float32), self.labels[indices]
'''
EXEMPT = re.compile(r'(.*/)?((c1|c2|c_sc|l1)/b|avg_mean)')  # of the generator
BATCHSIZE, N_GEN_SAMPLES = 8, 16  # of all processes together


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--processes', type=int, nargs='+', default=[2, 4], metavar='N',
                        help='numbers of processes to compare with one (default: 2 4)')
    parser.add_argument('--iterations', type=int, default=10, metavar='N',
                        help='generator updates of each run (default: 10)')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write; default: none')
    return parser.parse_args()


def shared(folder, n, iterations):
    """What `trained` returns of n processes that share a batch of which nothing depends on who has what."""
    return trained(folder, n, iterations, BATCHSIZE // n, N_GEN_SAMPLES // n, synchronized_batch_norm=True,
                   dataset={'dataset_fn': 'plain.py', 'dataset_name': 'PlainImages'})


def trained(folder, n, iterations, batchsize=BATCHSIZE, n_gen_samples=N_GEN_SAMPLES, **changes):
    """{network, or 'losses': {name: array}} of the models that n processes train."""
    values = copy.deepcopy(CONFIG)
    values.update(batchsize=batchsize, iteration=iterations, snapshot_interval=iterations, evaluation_interval=999,
                  display_interval=1, **changes)
    values['updater']['args']['n_gen_samples'] = n_gen_samples
    (folder / 'plain.py').write_text(DATASET)
    (folder / 'random_images.py').write_text(NOISY)
    (folder / 'config.yml').write_text(yaml.safe_dump(values))
    command = [*(by_processes(n) if n > 1 else [sys.executable]), str(ROOT / 'train.py'), '--config', 'config.yml',
               '--results_dir', 'out', '--gpu', '-1']
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                          env=environment(OPENBLAS_NUM_THREADS='1'))
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    log = json.loads((folder / 'out' / 'log.json').read_text())
    arrays = {'losses': {name: np.array([entry[name] for entry in log[-1:]])
                         for name in log[0] if name.startswith('loss_')}}
    for model in ('generator', 'discriminator'):
        name = CONFIG['models'][model]['name']
        with np.load(folder / 'out' / f'{name}_{iterations}.npz', allow_pickle=False) as npz:
            arrays[model] = {name: npz[name] for name in npz.files}
    return arrays


def differences(one, other):
    """The largest absolute differences of parameters, persistent arrays and last losses of two trainings."""
    found = {'generator': 0., 'generator, biases before batch normalization and the means of these': 0.,
             'discriminator': 0., 'discriminator, u': 0., 'losses': 0.}
    for model, arrays in one.items():
        for name, array in arrays.items():
            key = model
            if model == 'generator' and EXEMPT.fullmatch(name):
                key = 'generator, biases before batch normalization and the means of these'
            elif name.endswith('/u'):
                key = 'discriminator, u'
            found[key] = max(found[key], float(np.abs(array.astype(float) - other[model][name]).max()))
    return found


@standard_streams()
def main():
    args = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        one, start = (shared(folder, 1, iterations) for iterations in (args.iterations, 1))
        figures = {f'{n} processes': differences(one, shared(folder, n, args.iterations)) for n in args.processes}
        figures |= {f'{n} parts': differences(trained(folder, n, args.iterations),
                                              trained(folder, 1, args.iterations, accumulate=n))
                    for n in args.processes}
    result = {
        'command': 'python benchmarks/processes_equality.py --processes ' + ' '.join(map(str, args.processes))
                   + f' --iterations {args.iterations}',
        'what': f'largest absolute difference after {args.iterations} iterations in float32; processes: to one, a '
                f'batch of {BATCHSIZE} together, batch normalization synchronized; parts: to as many processes, a '
                f'batch of {BATCHSIZE} each',
        'machine': {'cpus': os.cpu_count(), 'system': platform.system(), 'python': platform.python_version()},
        'date': datetime.date.today().isoformat(), 'figures': figures,
        'change of one process since its first iteration': differences(start, one)}
    text = json.dumps(result, indent=1)
    print(text)
    if args.out:
        Path(args.out).write_text(text + '\n')


if __name__ == '__main__':
    main()
