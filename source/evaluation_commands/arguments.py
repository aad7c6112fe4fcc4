"""The arguments that commands share, and what does not go together among them."""
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.commands_to_copy import from_here
from source.command_line.standard_streams import tell
from source.config.build import NETWORKS
from source.config.shipped_configs import find_config
from source.generators import shipped_generator
from source.scoring.protocols import PROTOCOLS

NO_REAL_IMAGES = 'no real images: --against, --ref_stats or --config names them'


def add_snapshot_arguments(parser, required=True):
    parser.add_argument('--snapshot', required=required, metavar='FILE',
                        help='the generator, <class name>_<iteration>.npz')
    add_config_arguments(parser, 'config of the snapshot; default: the config.yml beside it')
    parser.add_argument('--seed', type=int, default=1234,
                        help='of the latents and labels, or of the order of stored images (default: 1234)')
    parser.set_defaults(truncation=None, standing=0)


def add_generator_arguments(parser):
    """Add the arguments of what samples a generator: without --snapshot it is the one that comes with the project."""
    add_snapshot_arguments(parser, required=False)
    parser.add_argument('--results_dir', metavar='DIR', help='where to write; default: gen_images/ beside the '
                        'snapshot, or results/gen_images/ without one')


def complete_generator_arguments(parser, args):
    """Fill in, and tell, which generator is sampled where none is named, and where its images go."""
    if args.snapshot:
        args.results_dir = args.results_dir or Path(args.snapshot).parent / 'gen_images'
        return
    if args.config:
        parser.error('--config goes with --snapshot')
    args.snapshot, args.results_dir = shipped_generator(), args.results_dir or Path('results/gen_images')
    tell(f'no --snapshot: {from_here(Path(args.snapshot))}, trained on MNIST, is taken')


def add_sampling_arguments(parser):
    parser.add_argument('--truncation', type=float, metavar='T', help='draw latents within +-T alone: typical images '
                        'rather than varied ones; default: all')
    parser.add_argument('--standing', type=int, metavar='N', help="make the batch normalizations' statistics anew "
                        'from N batches of 100 samples, of truncated latents with --truncation, first; default: '
                        'those that training left')


def add_class_arguments(parser, what):
    parser.add_argument('--classes', nargs='*', metavar='C', help=what)
    parser.add_argument('--class_names', metavar='FILE', help='names of the classes, one a line in their order; '
                        "default: the data set's")


def add_config_arguments(parser, config_help):
    parser.add_argument('--config', '--config_path', type=find_config, metavar='FILE', help=config_help)
    parser.add_argument('--gpu', '--device', '-g', type=int, metavar='N',
                        help='index of the GPU, -1 for the CPU; default: a GPU if there is one')


def add_network_arguments(parser):
    parser.add_argument('--network', choices=sorted(NETWORKS), help="feature network; default: the config's, or "
                        'inception without one')
    parser.add_argument('--weights', metavar='FILE', help="of the feature network; default: the config's, or its own")
    parser.add_argument('--resize', choices=('own', 'clean'), default='own', help="how images come to the network's "
                        'size: as its own code does (default), or as clean-fid does, which smooths where it reduces')


def add_against_arguments(parser):
    parser.add_argument('--against', metavar='PATH', help='the real images, in place of a data set: a folder of '
                        'images, or an .npz or .npy')
    parser.add_argument('--against_key', metavar='NAME', help='of the images in that .npz; default: as of --key')


def add_protocol_argument(parser):
    parser.add_argument('--protocol', choices=list(PROTOCOLS), help='paper: IS of 10 x 5,000 samples, the first 5,000 '
                        'against 10,000 real images, of the test set where there is one; modern: 50,000 samples '
                        "against the training set; default: the config's counts, against the training set")


def image_parser(doc):
    """A parser for a command that takes a snapshot or stored images."""
    parser = ArgumentParser(description=doc)
    add_snapshot_arguments(parser, required=False)
    add_stored_arguments(parser, 'instead of a snapshot: ')
    parser.set_defaults(keep_order=False)
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--results_dir', metavar='DIR', help='where to write the scores; default: beside the snapshot, '
                        'or here')
    return parser


def add_stored_arguments(parser, prefix=''):
    parser.add_argument('--images', metavar='PATH', help=f'{prefix}a folder of images of any sizes, or an .npz or .npy '
                        'of uint8 images (N, 3, H, W), (N, H, W, 3) or, grey ones, (N, H, W)')
    parser.add_argument('--key', metavar='NAME', help='of the images in the .npz; default: ims, images, x, arr_0 or '
                        'the only one')


def add_order_argument(parser):
    parser.add_argument('--keep_order', action='store_true', help='take stored images in the order of their names, or '
                        'of the .npz; default: as evaluations/gen_images.py recorded it, or drawn with --seed, as '
                        'splits and the first images of a sorted folder would be of few classes')


def parse_images(parser):
    args = parser.parse_args()
    if bool(args.snapshot) == bool(args.images):
        parser.error('expected either --snapshot or --images')
    if hasattr(args, 'against'):
        _check_real_arguments(parser, args)
    return args


def _check_real_arguments(parser, args):
    has_data_set = bool(args.snapshot or args.config)
    for name in ('ref_stats', 'real', 'data_dir'):
        if getattr(args, name, None) and args.against:
            parser.error(f'--{name} goes without --against, which names the real images')
        if getattr(args, name, None) and not has_data_set and name != 'ref_stats':
            parser.error(f'--{name} goes with --config, which names the data set')
    if args.against_key and not args.against:
        parser.error('--against_key goes with --against')
