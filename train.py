"""Trains the GAN that a config describes, for example

    python train.py --config configs/sn_projection_mnist.yml --resume auto
"""
import contextlib
from pathlib import Path

import source  # noqa: F401  (makes Chainer importable)
from source.command_line.argument_parser import ArgumentParser
from source.command_line.commands_to_copy import called, python_command
from source.command_line.devices import get_device
from source.command_line.one_line_errors import message_of
from source.command_line.standard_streams import standard_streams
from source.config.load_class import with_files_located
from source.config.quick_lengths import QUICK
from source.config.shipped_configs import find_config
from source.config.yaml_utils import load_config
from source.datasets.cached_download import WouldDownload, no_downloads
from source.files.folders import check_folder
from source.processes import ALONE, start_processes
from source.results_folder import results_dir as results
from source.training.resuming import check_same_data, resume
from source.training.running import StoppedError, run
from source.training.summary import summary
from source.training.trainer import build_trainer

NAME = called('train.py')


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--config', '--config_path', required=True, type=find_config, metavar='FILE',
                        help="config file, or the name of one of the project's in configs/")
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--results_dir', metavar='DIR', help="where to write; default: the config's, or results/<name>")
    parser.add_argument('--gpu', '--device', '-g', type=int, metavar='N',
                        help='index of the GPU, -1 for the CPU; default: a GPU if there is one')
    parser.add_argument('--quick', action='store_true', help=f'{QUICK} iterations at most, every interval in '
                        "proportion, into the config's results_dir with _quick behind it")
    parser.add_argument('--resume', '--snapshot', metavar='FILE',
                        help="snapshot_iter_<iteration> to go on from; 'auto' for the newest in the results folder, or "
                        'the beginning where there is none')
    parser.add_argument('--seed', type=int, help="instead of the config's")
    parser.add_argument('--loader_workers', '--loaderjob', type=int, metavar='N',
                        help="threads that read images ahead, instead of the config's; the images stay the same")
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='overrides a key of the config, as in --set adam.alpha=1e-4; may be repeated')
    parser.add_argument('--dry_run', action='store_true',
                        help='build and check everything and a first batch; write, download and train nothing')
    return parser.parse_args()


@standard_streams(f'{NAME}: standard output was closed')
def main():
    args = parse_arguments()
    processes = ALONE
    with contextlib.ExitStack() as claims:
        try:
            processes, device = start_processes(args.gpu)
            needed = claims.enter_context(no_downloads()) if args.dry_run else []
            config, trainer = prepare(args, device, processes, claims)
        except (ValueError, OSError) as error:
            processes.fail(f'{NAME}: error: {message_of(error)}', 2)
        except WouldDownload as download:  # a user's model's
            if processes.is_first:
                print(f'{args.config}: training would first download {download}')
            return
        except KeyboardInterrupt:
            processes.fail(f'{NAME}: stopped before the training began', 130)
        except SystemExit as stop:  # somebody's data set's: of several processes the others wait for this one
            processes.fail(f'{NAME}: error: sys.exit({stop.code!r}) was called before the training began', 1)
        if args.dry_run:
            if processes.is_first and needed:
                print(f'{args.config}: training would first download {needed[0]}; all but the data is checked')
            elif processes.is_first:
                left = config['iteration'] - trainer.updater.iteration
                is_aside = not args.resume and results.is_used(trainer.out)
                print(f'{args.config}: ready to train {left} iterations into {trainer.out}'
                      + '; the earlier run there would be set aside' * is_aside)
            return
        try:
            signal = run(trainer)
        except StoppedError as error:
            processes.fail(f'{NAME}: error: {error}', 1)
    if signal and processes.is_first:
        print(f'stopped by {signal} after iteration {trainer.updater.iteration}; to go on: '
              f'{go_on_command(args, processes)}')
    elif processes.is_first:
        print(summary(trainer, config, args.data_dir))


def prepare(args, device, processes, claims):
    """(config, trainer), resumed and with its results folder made; the folder is claimed until `claims` closes."""
    overrides = args.set + [f'{key}={getattr(args, key)}' for key in ('seed', 'loader_workers')
                            if getattr(args, key) is not None]
    config = load_config(args.config, overrides, args.quick)
    out = config['results_dir'] = args.results_dir or config['results_dir']
    check_folder(out)
    named = None if args.resume == 'auto' else args.resume
    trainer = build_trainer(config, args.config, get_device(device), out, args.data_dir, named, processes)
    resumed = resume(args.resume, out, trainer, processes)
    if trainer.updater.iteration > config['iteration']:
        raise ValueError(f'{resumed}: made {trainer.updater.iteration} iterations already; '
                         f'{args.config}: iteration: found {config["iteration"]}')
    if resumed:
        check_same_data(config, args.config, resumed, trainer.updater.iteration, processes.is_first)
    if processes.is_first and not args.dry_run:
        results.begin(out, with_files_located(config, args.config), resumed, claims,
                      is_done=trainer.updater.iteration == config['iteration'])
    processes.wait()
    return config, trainer


def go_on_command(args, processes):
    """Return the command, with all that this one was given, that goes on with the newest snapshot."""
    options = [('--config', Path(args.config))]
    options += [(f'--{name}', Path(value)) for name, value in (('data_dir', args.data_dir),
                                                               ('results_dir', args.results_dir)) if value]
    options += [(f'--{name}', value) for name, value in (('gpu', args.gpu), ('seed', args.seed),
                                                         ('loader_workers', args.loader_workers)) if value is not None]
    options += [('--set', text) for text in args.set] + [('--quick',)] * args.quick
    command = python_command('train.py', *(word for option in options for word in option), '--resume', 'auto')
    return command if processes.size == 1 else f'mpiexec -n {processes.size} {command}'


if __name__ == '__main__':
    main()
