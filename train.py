"""Trains the GAN that a config describes, for example

    python train.py --config configs/sn_projection_digits.yml
"""
import argparse
import contextlib
import sys

import source  # noqa: F401  (makes Chainer importable)
from source.miscs import results_dir as results
from source.miscs.devices import get_device
from source.miscs.snapshots import load_newest, load_trainer
from source.running import StoppedError, run
from source.training import build_trainer, summary
from source.yaml_utils import load_config


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', '--config_path', required=True, metavar='FILE', help='config file (configs/*.yml)')
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--results_dir', metavar='DIR', help="where to write; default: the config's, or results/<name>")
    parser.add_argument('--gpu', '--device', '-g', type=int, metavar='N',
                        help='index of the GPU, −1 for the CPU; default: a GPU if there is one')
    parser.add_argument('--resume', '--snapshot', metavar='FILE',
                        help="snapshot_iter_<iteration> to go on from; 'auto' for the newest in the results folder")
    parser.add_argument('--seed', type=int, help="instead of the config's")
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='overrides a key of the config, as in --set adam.alpha=1e-4; may be repeated')
    parser.add_argument('--dry_run', action='store_true', help='build and check everything, write and train nothing')
    return parser.parse_args()


def main():
    args = parse_arguments()
    with contextlib.ExitStack() as claims:
        try:
            config, trainer = prepare(args, claims)
        except (ValueError, OSError) as error:
            stop(error, 2)
        if args.dry_run:
            print(f'{args.config}: ready to train {config["iteration"]} iterations into {trainer.out}')
            return
        try:
            signal = run(trainer)
        except StoppedError as error:
            stop(error, 1)
    if signal:
        print(f'stopped by {signal} after iteration {trainer.updater.iteration}; to go on: --resume auto')
    else:
        print(summary(trainer, config))


def prepare(args, claims):
    """(config, trainer), resumed and with its results folder made; the folder is claimed until `claims` closes."""
    config = load_config(args.config, args.set + ([] if args.seed is None else [f'seed={args.seed}']))
    out = config['results_dir'] = args.results_dir or config['results_dir']
    named = None if args.resume == 'auto' else args.resume
    trainer = build_trainer(config, args.config, get_device(args.gpu), out, args.data_dir, named)
    resumed = load_newest(out, trainer) if args.resume == 'auto' else named
    if named:
        load_trainer(named, trainer)
    if trainer.updater.iteration > config['iteration']:
        raise ValueError(f'{resumed}: made {trainer.updater.iteration} iterations already; '
                         f'{args.config}: iteration: found {config["iteration"]}')
    if not args.dry_run:
        results.begin(out, config, resumed, claims)
    return config, trainer


def stop(error, status):
    print(f'train.py: error: {error}', file=sys.stderr)
    sys.exit(status)


if __name__ == '__main__':
    main()
