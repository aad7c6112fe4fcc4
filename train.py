"""Trains the GAN that a config describes, for example

    python train.py --config configs/sn_projection_digits.yml
"""
import argparse
import sys
from pathlib import Path

import source  # noqa: F401  (makes Chainer importable)
from source.datasets.open_image import DamagedImage
from source.miscs import results_dir as results
from source.miscs.devices import get_device
from source.miscs.snapshots import load_trainer
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
    parser.add_argument('--loader_workers', '--loaderjob', type=int, metavar='N',
                        help="threads that read images ahead, instead of the config's; the images stay the same")
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='overrides a key of the config, as in --set adam.alpha=1e-4; may be repeated')
    parser.add_argument('--dry_run', action='store_true', help='build and check everything, write and train nothing')
    return parser.parse_args()


def main():
    args = parse_arguments()
    overrides = args.set + [f'{key}={getattr(args, key)}' for key in ('seed', 'loader_workers')
                            if getattr(args, key) is not None]
    try:
        config = load_config(args.config, overrides)
        out = config['results_dir'] = args.results_dir or config['results_dir']
        resume = results.newest_snapshot(out) if args.resume == 'auto' else args.resume
        trainer = build_trainer(config, args.config, get_device(args.gpu), out, args.data_dir)
        if resume:
            load_trainer(resume, trainer)
            if trainer.updater.iteration > config['iteration']:
                raise ValueError(f'{resume}: made {trainer.updater.iteration} iterations already; '
                                 f'{args.config}: iteration: found {config["iteration"]}')
        if not args.dry_run:
            if results.is_used(out) and not (resume and Path(resume).parent.samefile(out)):
                print(f'{out} holds an earlier run; it is now {results.set_aside(out)}')
            results.create(out, config)
    except (ValueError, OSError) as error:
        print(f'train.py: error: {error}', file=sys.stderr)
        sys.exit(2)
    if args.dry_run:
        print(f'{args.config}: ready to train {config["iteration"]} iterations into {out}')
        return
    try:
        trainer.run(show_loop_exception_msg=False)
    except DamagedImage as error:
        print(f'train.py: error: {error}; stopped at iteration {trainer.updater.iteration}; to go on from the last '
              'snapshot: --resume auto', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f'stopped at iteration {trainer.updater.iteration}; to go on from the last snapshot: --resume auto',
              file=sys.stderr)
        sys.exit(130)
    print(summary(trainer, config))


if __name__ == '__main__':
    main()
