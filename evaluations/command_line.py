"""What the command lines here share: arguments, the generator, network and images they name, and the record written."""
import contextlib
import json
import re
import sys
from pathlib import Path

import gen_models
from source.build import NETWORKS, build_feature_network, build_models, class_names_of
from source.datasets.class_names import find_class, read_class_names
from source.datasets.image_files import open_images
from source.feature_networks import load_feature_network
from source.feature_networks.known_classes import own_names, why_foreign
from source.kernels.switch import use_cpu_kernels, use_precision
from source.miscs.argument_parser import ArgumentParser
from source.miscs.commands_to_copy import from_here
from source.miscs.devices import get_device, gpu_index
from source.miscs.files import atomic_write
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.one_line_errors import one_line_errors  # noqa: F401  (all commands here use it)
from source.miscs.plain_json import read_json
from source.miscs.results_dir import make_folder, versions
from source.miscs.short_texts import shortened
from source.miscs.snapshots import SnapshotError, load_model
from source.miscs.standard_streams import tell
from source.miscs.standing_statistics import restate_statistics
from source.paper_batches import other_batch
from source.scoring.image_sources import GeneratedImages, StoredImages
from source.scoring.protocols import PROTOCOLS
from source.scoring.statistics_cache import fingerprint
from source.yaml_utils import ConfigError, load_config

# What makes a record one of something else, where it differs.
WHAT_IT_IS_OF = ('samples', 'feature_network', 'network_sha256', 'protocol', 'real', 'reference', 'n_images', 'splits',
                 'data', 'seed', 'order')
LATER = 'data', 'order'  # which records of earlier versions lack
NO_REAL_IMAGES = 'no real images: --against, --ref_stats or --config names them'
# In place of a config, where images are scored that belong to none.
WITHOUT_CONFIG = {'paper_row': None, 'precision': 'tf32',
                  'evaluation': {'network': 'inception', 'weights': None, 'n_images': None, 'splits': 10}}


def add_snapshot_arguments(parser, required=True):
    parser.add_argument('--snapshot', required=required, metavar='FILE', help='<class name>_<iteration>.npz')
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


def shipped_generator():
    """Return the path of the generator that comes with the project; its config and its card lie beside it."""
    return str(next((Path(gen_models.__file__).parent / 'mnist').glob('*.npz')))


def add_sampling_arguments(parser):
    parser.add_argument('--truncation', type=float, metavar='T', help='draw latents within +-T alone: typical images '
                        'rather than varied ones')
    parser.add_argument('--standing', type=int, metavar='N', help="make the batch normalizations' statistics anew "
                        'from N batches of 100 samples, of truncated latents with --truncation, first; default: '
                        'those that training left')


def add_class_arguments(parser, what):
    parser.add_argument('--classes', nargs='*', metavar='C', help=what)
    parser.add_argument('--class_names', metavar='FILE', help='names of the classes, one a line in their order; '
                        "default: the data set's")


def add_config_arguments(parser, config_help):
    parser.add_argument('--config', '--config_path', metavar='FILE', help=config_help)
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
                        'of the .npz; default: as gen_images.py recorded it, or drawn with --seed, as splits and '
                        'the first images of a sorted folder would be of few classes')


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


def load_settings(args):
    """The config that the arguments name, or that lies beside the snapshot, and its path.

    Where there is neither: WITHOUT_CONFIG and None.
    """
    if not args.config and not getattr(args, 'snapshot', None):
        return WITHOUT_CONFIG, None
    path = config_path(args) if hasattr(args, 'snapshot') else args.config
    return load_config(path), path


def config_path(args):
    return config_of(args.snapshot, args.config)


def config_of(snapshot, config):
    """The path of the config that is named, or else lies beside the snapshot; either may be None."""
    if snapshot and Path(snapshot).is_dir():
        raise SnapshotError(f'{snapshot}: expected a file as <class name>_<iteration>.npz, found a folder')
    if snapshot and not Path(snapshot).is_file():
        raise SnapshotError(f'{snapshot}: no such snapshot')
    path = Path(config) if config else Path(snapshot).parent / 'config.yml'
    if not path.is_file():
        hint = f'give the one of {snapshot} as --config FILE' if snapshot else '--config names another'
        raise ConfigError(f'{path}: no such config; {hint}')
    return path


def _check_seed(args):
    if not 0 <= args.seed < 2 ** 32:
        raise ValueError(f'--seed: expected 0 to {2 ** 32 - 1}, found {args.seed}')


def load_generator(args):
    """The generator of a snapshot on its device, and a sampler of its inputs."""
    path = config_path(args)
    _check_seed(args)
    config = load_config(path)
    use_cpu_kernels(config['cpu_kernels'])
    use_precision(config['precision'])
    gen, _ = build_models(config, str(path))
    if args.truncation is not None and not args.truncation > 0:
        raise ValueError(f'--truncation: expected a number above 0, found {args.truncation}')
    if args.standing < 0:
        raise ValueError(f'--standing: expected at least 0 batches, found {args.standing}')
    load_model(args.snapshot, gen)
    gen.to_device(get_device(args.gpu))
    if args.standing:
        # Draws of its own, so that the images are of the same latents with and without it.
        sampler = NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, (args.seed, 1), args.truncation)
        restate_statistics(gen, sampler, args.standing)
    return gen, NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, args.seed, args.truncation)


def chosen_classes(args, gen):
    """The numbers of the classes that the arguments name, a list or None, and the names of all, a list or None."""
    path = config_path(args)
    names = (read_class_names(args.class_names, gen.n_classes) if args.class_names else
             class_names_of(load_config(path), str(path)))
    return (None if args.classes is None else [find_class(c, names, gen.n_classes) for c in args.classes]), names


def load_images(args):
    """The images that `image_parser`'s arguments name: GeneratedImages or StoredImages."""
    if args.snapshot:
        return GeneratedImages(load_generator(args)[0], args.seed)
    _check_seed(args)
    return StoredImages(open_images(args.images, key=args.key), args.seed, args.keep_order)


def load_against(args):
    """The images of --against, an ImageFolder or ImageArray, or None without it."""
    if args.against:
        return open_images(args.against, key=args.against_key, said='--against', said_key='--against_key')
    return None


def use_classes(args, images, names, n_classes):
    """Number the classes of stored images as the data set does; ValueError says which of --images does not fit."""
    try:
        images.use_classes(names, n_classes)
    except ValueError as error:
        raise ValueError(f'--images {args.images}: {error}') from None


def judged_images(path, stored, given):
    """The images whose class folders say what they are: those of --against with --images, and without a config any.

    `stored` are the StoredImages of --images. None where the config's data set says it.
    """
    return None if path and not (stored and given) else given or stored.dataset


def load_network(args, config, path, dataset=None):
    """The feature network that the arguments or else the config name, on the device of the arguments.

    What it may be foreign to is the images of `dataset` or, without these, the data set of the config, or else any.
    """
    evaluation = config['evaluation']
    is_another = args.network and args.network != evaluation['network']
    if is_another:  # the config's weights are of the other
        evaluation = {**evaluation, 'network': args.network, 'weights': None}
    evaluation = {**evaluation, 'weights': args.weights or evaluation['weights']}
    if evaluation['network'] is None:
        raise ConfigError(f'{path}: evaluation.network: missing; expected the name of a feature network here or as '
                          '--network')
    use_precision(config['precision'])
    said = '--weights' if args.weights else '--network' if is_another else None  # who is to blame for an error
    device = gpu_index(get_device(args.gpu))
    network = (build_feature_network({**config, 'evaluation': evaluation}, str(path), device, said)
               if path and dataset is None else
               _network_of(evaluation, device, said or path and f'{path}: evaluation.network', dataset))
    if args.resize == 'clean':
        try:
            network.use_clean_resize()
        except ValueError as error:
            raise ValueError(f'--resize clean: {error}') from None
    return network


def _network_of(evaluation, device, said, dataset):
    name = evaluation['network']
    try:
        network = load_feature_network(name, device, evaluation['weights'])
    except (ValueError, OSError) as error:
        raise ValueError(f'{said}: {error}' if said else str(error)) from None
    look_at_folders(network, name, dataset)
    return network


def look_at_folders(network, name, dataset):
    """Make a network of this name foreign to images whose class folders are not its classes."""
    names = own_names(name, getattr(dataset, 'folders', None) or [])
    network.foreign = why_foreign(name, names, 'these images', 'class folders of')
    if network.foreign:
        network.n_classes = 0


def look_at_statistics(args, network, images, real):
    """As `look_at_folders`, where stored images are compared with --ref_stats of others that a user gave."""
    if args.images and args.ref_stats and real is not None and real.is_given:
        look_at_folders(network, network.name.removesuffix('_clean'), images.dataset)


def result_file(args, kind):
    """`<kind>.json`, or `<kind>_<protocol>.json` where one is named: beside the snapshot, if not told otherwise."""
    folder = Path(args.results_dir or (Path(args.snapshot).parent if args.snapshot else '.'))
    return folder / f'{kind}{f"_{args.protocol}" if args.protocol else ""}.json'


def data_of(config):
    """The data set of a config, as a record names it."""
    data = config['dataset']
    args = ', '.join(f'{name}={shortened(value)}' for name, value in data['args'].items())
    return f'{data["dataset_name"]}({args})'


def paper_record(args, config):
    """The row of the published numbers that a config names, and how a snapshot's batches differ from theirs, or None.

    The config.yml beside the snapshot says which it had, whatever config is named.
    """
    row, snapshot = config['paper_row'], getattr(args, 'snapshot', None)
    if row is None:
        return {'paper_row': None, 'other_batch': None}
    trained, beside = {**config, 'processes': None}, snapshot and Path(snapshot).with_name('config.yml')
    if beside and beside.is_file():
        with contextlib.suppress(ConfigError):
            trained = load_config(beside)
    return {'paper_row': row, 'other_batch': other_batch({**trained, 'paper_row': row, 'paper': config['paper']})}


def network_record(args, network):
    return {'feature_network': network.name, 'network_sha256': network.digest, 'foreign_judge': network.foreign,
            'resize': args.resize}


def protocol_text(record):
    """What stands beside a score: its protocol, and whether the judge is foreign to the data."""
    return f'protocol {record["protocol"]}' + ('; a foreign judge' if record['foreign_judge'] else '')


def sizes_of_classes(texts):
    """What image_sizes.py said of each class, None where that is not known, as said of all; None where none is."""
    texts = set(texts) - {None}
    if len(texts) < 2:
        return next(iter(texts), None)
    ends = [size for text in texts for size in re.findall(r'(\d+)x(\d+)', text)]
    first, *_, last = sorted({(int(w), int(h)) for w, h in ends}, key=lambda size: (size[0] * size[1], size))
    counts = sorted({int((re.match(r'(\d+) sizes', text) or (0, 1))[1]) for text in texts})
    n = ' to '.join(map(str, (counts[0], counts[-1])[:len(counts)]))
    shape = ' (WxH)' if any('WxH' in text for text in texts) else ''
    return f'{n} size{"s" * (counts[-1] > 1)} a class, {first[0]}x{first[1]} to {last[0]}x{last[1]}{shape}'


def size_parts(sizes, real_sizes):
    """What is said of the sizes of images on either side, None where they are not known: nothing of a common one."""
    if real_sizes and sizes != real_sizes:
        return [f'of {sizes} against {real_sizes}']
    return [f'of {sizes}'] if ' size' in (sizes or '') else []


def tell_the_same(args, images, given):
    """Says where the stored images are compared with themselves, which is hardly meant."""
    if args.images and given is not None and fingerprint(images.dataset) == fingerprint(given):
        tell(f'warning: --images {args.images} and --against {args.against} are the same images: their distance is 0 '
             'but for rounding')


def tell_foreign(record):
    if record['foreign_judge']:
        print(f'note: {record["foreign_judge"]}: these scores say little of the images')


def images_record(args, images):
    """What is scored, and what its order and draws depend on."""
    order = None if args.snapshot else images.order
    return {'samples': args.snapshot or args.images, 'seed': args.seed if order in (None, 'drawn') else None,
            'order': order}


def write_record(path, record):
    """Writes what a command found as JSON, with the versions of all packages, whole or not at all.

    A record of something else that was there is replaced, and that is said on standard error.
    """
    make_folder(path.parent)
    _tell_what_is_replaced(path, record)
    with atomic_write(path) as file:
        file.write((json.dumps({**record, 'versions': versions()}, indent=2) + '\n').encode())


def _tell_what_is_replaced(path, record):
    try:
        earlier = read_json(path)
    except FileNotFoundError:
        return
    except ValueError:
        earlier = None
    if not isinstance(earlier, dict):
        print(f'{path}: replaced, what was no record', file=sys.stderr)
        return
    differing = [f'no {name}' if earlier.get(name) is None else f'{name} {earlier[name]}'
                 for name in WHAT_IT_IS_OF if earlier.get(name) != record.get(name)
                 and (name in earlier or name not in LATER)]
    if differing:
        print(f'{path}: replaced, which was of {", ".join(differing)}; --results_dir keeps both', file=sys.stderr)


def tell_replaced(paths, hint='--results_dir keeps both'):
    """Says on standard error which of these files are there already, as they will be replaced."""
    there = [str(path) for path in paths if Path(path).exists()]
    if there:
        more = f' and {len(there) - 1} more' if len(there) > 1 else ''
        print(f'{there[0]}{more}: replaced; {hint}', file=sys.stderr)
