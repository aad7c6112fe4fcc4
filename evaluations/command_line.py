"""What the command lines here share: arguments for a snapshot, and the generator it holds."""
import functools
import sys
from pathlib import Path

from source.build import build_models
from source.kernels.switch import use_cpu_kernels
from source.miscs.devices import get_device
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import SnapshotError, load_model
from source.yaml_utils import ConfigError, load_config


def add_snapshot_arguments(parser, required=True):
    parser.add_argument('--snapshot', required=required, metavar='FILE', help='<class name>_<iteration>.npz')
    parser.add_argument('--config', '--config_path', metavar='FILE',
                        help='config of the snapshot; default: the config.yml beside it')
    parser.add_argument('--gpu', '--device', '-g', type=int, metavar='N',
                        help='index of the GPU, −1 for the CPU; default: a GPU if there is one')
    parser.add_argument('--seed', type=int, default=1234, help='of the latents and labels (default: 1234)')


def config_path(args):
    if args.snapshot and not Path(args.snapshot).is_file():
        raise SnapshotError(f'{args.snapshot}: no such snapshot')
    path = Path(args.config) if args.config else Path(args.snapshot).parent / 'config.yml'
    if not path.is_file():
        raise ConfigError(f'{path}: no such config; give the one of {args.snapshot} as --config FILE')
    return path


def load_generator(args):
    """The generator of a snapshot on its device, and a sampler of its inputs."""
    path = config_path(args)
    if not 0 <= args.seed < 2 ** 32:
        raise ValueError(f'--seed: expected 0 to {2 ** 32 - 1}, found {args.seed}')
    config = load_config(path)
    use_cpu_kernels(config['cpu_kernels'])
    gen, _ = build_models(config, str(path))
    load_model(args.snapshot, gen)
    gen.to_device(get_device(args.gpu))
    return gen, NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, args.seed)


def one_line_errors(main):
    """Turns what is wrong with a user's input into one line and exit status 2."""
    @functools.wraps(main)
    def wrapped():
        try:
            main()
        except (ValueError, OSError) as error:
            print(f'{Path(sys.argv[0]).name}: error: {error}', file=sys.stderr)
            sys.exit(2)
    return wrapped
