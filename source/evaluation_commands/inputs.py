"""What the arguments name: the config, generator, images and the network that judges them."""
from source import generators
from source.command_line.devices import get_device, gpu_index
from source.config.build import build_feature_network, class_names_of, use_kernels
from source.config.checks import ConfigError
from source.config.class_names import find_class, read_class_names
from source.config.yaml_utils import load_config
from source.datasets.image_files import open_images
from source.feature_networks import load_feature_network
from source.feature_networks.known_classes import own_names, why_foreign
from source.generators import config_of
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.standing_statistics import restate_statistics
from source.scoring.comparison import PUBLISHED, check_row, load_published
from source.scoring.image_sources import GeneratedImages, StoredImages

# In place of a config, where images are scored that belong to none.
WITHOUT_CONFIG = {'paper_row': None, 'cpu_kernels': True, 'precision': 'tf32',
                  'evaluation': {'network': 'inception', 'weights': None, 'n_images': None, 'splits': 10}}


def load_settings(args):
    """The config that the arguments name, or that lies beside the snapshot, and its path.

    Where there is neither: WITHOUT_CONFIG and None.
    """
    if not args.config and not getattr(args, 'snapshot', None):
        return WITHOUT_CONFIG, None
    path = config_path(args) if hasattr(args, 'snapshot') else args.config
    config = load_config(path)
    check_row(path, config['paper_row'], {p.row for p in load_published(PUBLISHED)})
    return config, path


def config_path(args):
    return config_of(args.snapshot, args.config)


def _check_seed(args):
    if not 0 <= args.seed < 2 ** 32:
        raise ValueError(f'--seed: expected 0 to {2 ** 32 - 1}, found {args.seed}')


def load_generator(args):
    """The generator of a snapshot on its device, and a sampler of its inputs."""
    path = config_path(args)
    _check_seed(args)
    if args.truncation is not None and not args.truncation > 0:
        raise ValueError(f'--truncation: expected a number above 0, found {args.truncation}')
    if args.standing < 0:
        raise ValueError(f'--standing: expected at least 0 batches, found {args.standing}')
    gen = generators.load_generator(args.snapshot, path, gpu_index(get_device(args.gpu)))
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
    said = '--weights' if args.weights else '--network' if is_another else None  # who is to blame for an error
    device = get_device(args.gpu)
    use_kernels(config, device)
    gpu = gpu_index(device)
    network = (build_feature_network({**config, 'evaluation': evaluation}, str(path), gpu, said)
               if path and dataset is None else
               _network_of(evaluation, gpu, said or path and f'{path}: evaluation.network', dataset))
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
    network.be_foreign(why_foreign(name, names, 'these images', 'class folders of'))


def look_at_statistics(args, network, images, real):
    """As `look_at_folders`, where stored images are compared with --ref_stats of others that a user gave."""
    if args.images and args.ref_stats and real is not None and real.is_given:
        look_at_folders(network, network.name.removesuffix('_clean'), images.dataset)
