"""Trains the digits' networks on a few images of each class, with and without differentiable augmentation, for example

    python benchmarks/bench_augmentation.py --out benchmarks/results/augmentation.json

Samples are scored by the digits network against all 1,437 training digits, at several iterations, as a discriminator
learns a few images by heart only after a while. Runs that the file holds already are not made again. The cost of an
iteration is measured with the config's own networks, both kinds in turn, in CPU seconds of all threads.
"""
import datetime
import json
import sys
import time
from pathlib import Path
from statistics import mean, median

from benchmarks.bench_step import machine, read_results
from benchmarks.peer_process import ROOT
from benchmarks.peers import chainer_step
from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.config import build
from source.config.learning_rates import learning_rates
from source.config.yaml_utils import load_config
from source.datasets.digits import DigitsDataset
from source.datasets.image_dataset import ImageDataset
from source.feature_networks import load_feature_network
from source.files.atomic import atomic_write
from source.functions.differentiable_augmentation import read_policies
from source.kernels.switch import use_cpu_kernels
from source.miscs.generate import generate_batches, generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.pictures.image_sheets import save_sheet
from source.scoring.judging import judge, reference_statistics, scores_of

import chainer
import numpy as np

CONFIG = 'configs/sn_projection_digits.yml'
NONE = 'none'
LEAST = {'per_class': 1, 'size': 16, 'iterations': 1, 'every': 1, 'ch': 1, 'batchsize': 1, 'n_images': 100, 'rounds': 1}
SCORES = 'fid', 'is_mean', 'recognized'


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--arms', nargs='+', metavar='POLICIES', default=[NONE, 'translation'],
                        help=f'kinds of runs: policies with commas, or {NONE} (default: {NONE} translation)')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], metavar='S',
                        help='of the runs (default: 0 1 2)')
    parser.add_argument('--per_class', type=int, default=20, metavar='N',
                        help='images of each class, the first ones (default: 20)')
    parser.add_argument('--size', type=int, default=32, choices=(16, 32), help='of the images, in pixels (default: 32)')
    parser.add_argument('--iterations', type=int, default=1200, metavar='N',
                        help='generator updates of each run (default: 1200)')
    parser.add_argument('--every', type=int, default=200, metavar='N', help='iterations between scores (default: 200)')
    parser.add_argument('--ch', type=int, default=32, help='width of both networks (default: 32)')
    parser.add_argument('--batchsize', type=int, default=32, help='real images in a batch (default: 32)')
    parser.add_argument('--n_images', type=int, default=1000, metavar='N', help='samples that are scored '
                        '(default: 1000)')
    parser.add_argument('--rounds', type=int, default=20, metavar='N', help='timed iterations (default: 20)')
    parser.add_argument('--sheets', metavar='FOLDER',
                        help='where a sheet of samples of each run is to go; default: none is drawn')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write, as benchmarks/results/augmentation.json')
    return parser.parse_args()


def overrides(policies, **values):
    return [f'updater.args.augmentation={json.dumps(policies)}', *(f'{key}={value}' for key, value in values.items())]


def first_of_each(dataset, n):
    """A data set of the first n images of each class, without shifts or other augmentation of its own."""
    chosen = np.sort(np.concatenate([np.flatnonzero(dataset.labels == y)[:n] for y in range(dataset.n_classes)]))
    return ImageDataset(dataset.ims[chosen], dataset.labels[chosen], dataset.n_classes)


def train(policies, seed, args, digits, network, reference):
    """{iteration: scores} of one run, and its generator; alpha falls to 0 from the config's share of the run on."""
    config = load_config(ROOT / CONFIG, overrides(policies, **{
        'seed': seed, 'batchsize': args.batchsize, 'updater.args.n_gen_samples': 2 * args.batchsize,
        'models.generator.args.ch': args.ch, 'models.generator.args.bottom_width': args.size // 8,
        'models.discriminator.args.ch': args.ch}))
    device = chainer.get_device('@numpy')
    build.seed_everything(seed, device)
    gen, dis = build.build_models(config, CONFIG)
    updater = build.build_updater(config, CONFIG, gen, dis, first_of_each(digits, args.per_class), device)
    falls_from = config['iteration_decay_start'] / config['iteration']
    scores = {}
    for i in range(1, args.iterations + 1):
        updater.update()
        for kind, alpha in learning_rates(config).items():
            updater.get_optimizer(f'opt_{kind}').alpha = alpha * min(1., (1. - i / args.iterations) / (1. - falls_from))
        if i % args.every == 0 or i == args.iterations:
            judged = judge(generate_batches(gen, args.n_images, sampler_of(gen)), network, args.n_images)
            found = scores_of(judged, network, reference=reference)
            scores[str(i)] = {name: round(float(found[name]), 4) for name in SCORES}
    updater.finalize()
    return scores, gen


def sampler_of(gen):
    return NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, seed=0)


def cost(policies, rounds):
    """Median CPU seconds of an iteration of the config with and without augmentation, in turn, and their ratio."""
    updaters = {name: chainer_step.build_updater(load_config(ROOT / CONFIG, overrides(names)))
                for name, names in (('without', []), ('with', policies))}
    seconds = {name: [] for name in updaters}
    for i in range(1 + rounds):  # the first warms up
        for name, updater in updaters.items():
            start = time.process_time()
            updater.update()
            seconds[name] += [time.process_time() - start] if i else []
    return {**{name: round(median(its), 4) for name, its in seconds.items()},
            'ratio': round(median(a / b for a, b in zip(seconds['with'], seconds['without'], strict=True)), 4)}


def table(runs):
    """The FID of every run at every iteration, each arm's mean below, and the last other scores."""
    rows = []
    for arm, its in runs.items():
        points = list(next(iter(its.values())))
        rows = rows or [('augmentation', 'seed', *(f'FID {i}' for i in points), 'IS', 'recognized')]
        for name, group in (*((seed, [run]) for seed, run in its.items()), ('mean', list(its.values()))):
            last = {score: mean(run[points[-1]][score] for run in group) for score in SCORES}
            rows.append((arm, name, *(f'{mean(run[i]["fid"] for run in group):.1f}' for i in points),
                         f'{last["is_mean"]:.2f}', f'{last["recognized"]:.1%}'))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join('  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in rows)


def save(path, results):
    with atomic_write(path) as file:
        file.write((json.dumps(results, indent=1) + '\n').encode())


@one_line_errors
def main():
    args = parse_arguments()
    for name, lowest in LEAST.items():
        if getattr(args, name) < lowest:
            raise ValueError(f'--{name}: expected at least {lowest}, found {getattr(args, name)}')
    arms = {arm: list(read_policies('' if arm == NONE else arm)) for arm in args.arms}
    conditions = {name: getattr(args, name) for name in LEAST if name != 'rounds'}
    results = read_results(args.out) if args.out else {}
    if results.get('conditions', conditions) != conditions:
        raise ValueError(f'{args.out}: holds runs made with {results["conditions"]}, expected {conditions}')
    use_cpu_kernels(True)
    digits, network = DigitsDataset(size=args.size), load_feature_network('digits')
    reference = reference_statistics(digits, network)
    results = {'what': f'{CONFIG} on {10 * args.per_class} digits, scored against all {len(digits)}', 'unit': 'CPU s',
               'conditions': conditions, 'machine': machine(), 'date': datetime.date.today().isoformat(),
               'command': 'python benchmarks/bench_augmentation.py', 'versions': {
                   'python': sys.version.split()[0], 'chainer': chainer.__version__, 'numpy': np.__version__},
               'iteration': results.get('iteration', {}), 'runs': results.get('runs', {})}
    for seed in args.seeds:
        for arm, policies in arms.items():
            its = results['runs'].setdefault(arm, {})
            if str(seed) not in its:
                its[str(seed)], gen = train(policies, seed, args, digits, network, reference)
                print(f'{arm}, seed {seed}: {json.dumps(its[str(seed)])}', flush=True)
                if args.sheets:
                    ims, _ = generate_ims(gen, 100, sampler_of(gen), np.tile(np.arange(10, dtype=np.int32), 10))
                    Path(args.sheets).mkdir(parents=True, exist_ok=True)
                    save_sheet(Path(args.sheets) / f'{arm}_{seed}.png', ims, 10, 10, scale=2, gap=2)
                if args.out:
                    save(args.out, results)
    for arm, policies in arms.items():
        if policies and arm not in results['iteration']:
            results['iteration'][arm] = cost(policies, args.rounds)
    if args.out:
        save(args.out, results)
    print(table({arm: results['runs'][arm] for arm in arms}))
    for arm, seconds in results['iteration'].items():
        print(f'{arm}: {seconds["with"]} CPU s an iteration, {seconds["without"]} without; ratio {seconds["ratio"]}')


if __name__ == '__main__':
    main()
