"""Kills a training again and again and compares what comes out with a training that nobody disturbed, for example

    python benchmarks/kill_training.py --kills 200 --out benchmarks/results/kills.json

Each kill is a SIGKILL to `train.py --resume auto`: at a random moment of its life, or as soon as it is seen writing a
file. Everything in the two results folders is compared, bit by bit, but for the time that passed.
"""
import collections
import datetime
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peer_process import ROOT
from source.command_line.argument_parser import ArgumentParser
from source.command_line.standard_streams import standard_streams
from source.files.line_log import LineLog
from source.results_folder.results_dir import snapshots_in
from source.results_folder.snapshots import newest_good

import numpy as np
import yaml

DATASET = '''
import numpy as np
from source.datasets.image_dataset import ImageDataset


class RandomImages(ImageDataset):
    def __init__(self):
        rng = np.random.RandomState(0)
        super().__init__(rng.randint(0, 256, (20, 3, 8, 8), np.uint8), np.arange(20) % 10, 10)
'''
CONFIG = {
    'batchsize': 4, 'seed': 5, 'display_interval': 2, 'snapshot_interval': 3, 'evaluation_interval': 7,
    'cpu_kernels': False,  # loading them takes longer than such a run
    'models': {
        'generator': {'fn': 'gen_models/resnet_32.py', 'name': 'ResNetGenerator',
                      'args': {'ch': 4, 'dim_z': 3, 'bottom_width': 1, 'n_classes': 10}},
        'discriminator': {'fn': 'dis_models/snresnet_32.py', 'name': 'SNResNetProjectionDiscriminator',
                          'args': {'ch': 4, 'n_classes': 10}}},
    'dataset': {'dataset_fn': 'random_images.py', 'dataset_name': 'RandomImages'},
    'updater': {'args': {'n_dis': 2, 'n_gen_samples': 4, 'conditional': True, 'penalties': {'gradient': {}}}},
}
PART = re.compile(r'\.(?P<name>.+)\.[a-z0-9_]{8}\.part')
TIMES = '_snapshot_elapsed_time'


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=200, metavar='N',
                        help='how often training is killed (default: 200)')
    parser.add_argument('--iterations', type=int, default=300, metavar='N',
                        help='generator updates of the training (default: 300)')
    parser.add_argument('--seed', type=int, default=0, help='of the moments of the kills (default: 0)')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write; default: none')
    return parser.parse_args()


def kill_and_compare(folder, kills, iterations, seed=0, say=print):
    """Makes both trainings in a folder; returns the figures. Raises AssertionError where anything was lost."""
    folder, rng = Path(folder), random.Random(seed)
    (folder / 'random_images.py').write_text(DATASET)
    (folder / 'tiny.yml').write_text(yaml.safe_dump({**CONFIG, 'iteration': iterations}))
    start = time.monotonic()
    whole = folder / 'undisturbed'
    finish(folder, whole)
    seconds = time.monotonic() - start
    say(f'undisturbed: {iterations} iterations in {seconds:.1f} s')
    out, counts, n_killed, reached = folder / 'killed', collections.Counter(), 0, [0]
    while n_killed < kills:
        # So that the training is nearly done when the last kill is: it would end by itself before that otherwise.
        pace = max(iterations - reached[-1], 0) / (kills - n_killed)
        while_writing = rng.random() < .4
        moment = kill(folder, out, rng, pace, while_writing)
        if moment is None:
            break
        n_killed += 1
        counts[moment] += 1
        reached.append(check_nothing_lost(out, reached[-1]))
        if n_killed % 20 == 0:
            say(f'{n_killed} kills, at iteration {reached[-1]}')
    n_anew = len(list(folder.glob('killed.old-*')))
    finish(folder, out)
    compared = compare(whole, out)
    return {'kills': n_killed, 'iterations': iterations, 'killed_while': dict(sorted(counts.items())),
            'killed_before_the_first_snapshot': n_anew, 'kills_that_cost_no_iteration': sum(
                before < after for before, after in zip(reached, reached[1:])),
            'files_compared': compared, 'seconds': round(time.monotonic() - start, 1),
            'undisturbed_seconds': round(seconds, 1)}


def start_training(folder, out):
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(
        filter(None, (str(ROOT), os.environ.get('PYTHONPATH')))), 'OPENBLAS_NUM_THREADS': '1'}
    command = [sys.executable, ROOT / 'train.py', '--config', folder / 'tiny.yml', '--results_dir', out, '--gpu', '-1',
               '--resume', 'auto']
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(folder, out):
    process = start_training(folder, out)
    error = process.communicate()[1].decode()
    assert process.returncode == 0, error


def kill(folder, out, rng, pace, while_writing):
    """Starts the training and kills it; returns what it was at, or None where it ended before."""
    process = start_training(folder, out)
    log = out / 'log.jsonl'
    before = log.stat().st_size if log.exists() else 0
    begun = time.monotonic()
    until = begun + rng.uniform(0, 2) if rng.random() < .2 else None  # at any moment; else after the training is on
    wanted = rng.choice(['snapshot_iter', 'snapshot_iter', '.npz', '']) if while_writing else None
    n_entries = rng.randrange(1, 2 + 2 * int(pace / CONFIG['display_interval'] + 1))
    while process.poll() is None:
        now = time.monotonic()
        if until is not None:
            if now >= until:
                break
        elif while_writing:
            if any(wanted in name and PART.fullmatch(name) for name in names_in(out)):
                break
        elif log.exists() and log.stat().st_size >= before + 100 * n_entries:
            until = now + rng.uniform(0, .1)
        time.sleep(.0002)
    process.kill()
    process.communicate()
    if process.returncode != -9:
        assert process.returncode == 0
        return None
    left = [PART.fullmatch(name)['name'] for name in names_in(out) if PART.fullmatch(name)]
    kinds = {'snapshot_iter': 'writing a snapshot', '.npz': "writing a model's file"}
    return next((what for name in left for part, what in kinds.items() if part in name),
                f'writing {left[0].rpartition(".")[2]}' if left else 'anything else')


def names_in(folder):
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def check_nothing_lost(out, reached):
    """The iteration of the newest snapshot; it verifies, as does every other one, and none is older than before."""
    snapshots = snapshots_in(out)
    newest = newest_good(out)
    assert newest == (snapshots[0] if snapshots else None), f'{snapshots[0]} is damaged'
    iteration = int(newest.name.rpartition('_')[2]) if newest else 0
    assert iteration >= reached, f'had {reached} iterations, has {iteration}'
    return iteration


def compare(one, other):
    """The number of files compared; raises AssertionError where they differ in more than time."""
    names = {str(path.relative_to(one)) for path in one.rglob('*')}
    others = {str(path.relative_to(other)) for path in other.rglob('*')}
    assert names == others, f'files of one folder only: {sorted(names ^ others)}'
    files = sorted(name for name in names if (one / name).is_file())
    for name in files:
        assert content(one / name) == content(other / name), f'{name} differs'
    return len(files)


def content(path):
    """What a file says, without times and the folder's own name."""
    if path.name.startswith('snapshot_iter_') or path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: (arrays[name].dtype.str, arrays[name].shape, arrays[name].tobytes())
                     for name in arrays.files if name not in (TIMES, 'extensions/log/_log')}
            if 'extensions/log/_log' in arrays.files:
                found['log'] = without_time(json.loads(str(arrays['extensions/log/_log'])))
        return found
    if path.suffix == '.jsonl':
        return without_time(LineLog(path).entries)
    if path.name in ('log.json', 'log'):
        return without_time(json.loads(path.read_text()))
    if path.name == 'config.yml':
        return {key: value for key, value in yaml.safe_load(path.read_text()).items() if key != 'results_dir'}
    return path.read_bytes()


def without_time(entries):
    return [{name: value for name, value in entry.items() if name != 'elapsed_time'} for entry in entries]


@standard_streams()
def main():
    args = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        figures = kill_and_compare(folder, args.kills, args.iterations, args.seed, lambda line: print(line, flush=True))
    print(json.dumps(figures, indent=1))
    if args.out:
        record = {'command': f'python benchmarks/kill_training.py --kills {args.kills} --iterations {args.iterations} '
                             f'--seed {args.seed}',
                  'machine': {'system': platform.system(), 'python': platform.python_version(), 'cpus': os.cpu_count()},
                  'date': datetime.date.today().isoformat(), **figures}
        Path(args.out).write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
