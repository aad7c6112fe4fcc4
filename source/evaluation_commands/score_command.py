"""The command behind calc_inception, calc_scores, calc_fid and calc_kid, which differ in the scores they give."""
from dataclasses import replace

from source.command_line.standard_streams import tell, told_warnings
from source.config.build import class_names_of, real_images_of
from source.datasets.image_sizes import describe_sizes
from source.evaluation_commands import arguments, inputs, records
from source.evaluation_commands.comparison_table import print_published
from source.feature_networks.known_classes import KNOWN
from source.files.folders import make_folder
from source.metrics.frechet_distance import SingularCovarianceWarning
from source.scoring.few_images import caution
from source.scoring.judging import METRICS, N_KEPT, NEED_FEATS, judge, scores_of
from source.scoring.possible_metrics import NAMES, too_few
from source.scoring.protocols import GIVEN, PROTOCOLS, config_protocol
from source.scoring.reference import GivenImages, RealImages, StatisticsFile
from source.scoring.statistics_files import load_statistics

import numpy as np

SUBSET_SIZE = 1000  # of KID's subsets, the field's
ALL_IMAGES = 'all images'  # so begins the protocol's name where there is no config


def parse_arguments(doc, metrics):
    parser = arguments.image_parser(doc)
    arguments.add_protocol_argument(parser)
    arguments.add_order_argument(parser)
    parser.add_argument('--n_images', type=int, help="samples to score; default: the config's")
    parser.add_argument('--splits', type=int, help="of the samples, for the mean and std; default: the config's")
    parser.add_argument('--real', choices=('train', 'test'), help="split of the real images; default: the protocol's")
    arguments.add_against_arguments(parser)
    parser.add_argument('--ref_stats', metavar='FILE', help="statistics of the real images for FID, ours, TTUR's (mu, "
                        "sigma) or the authors' (mean, cov); default: computed once and cached")
    arguments.add_network_arguments(parser)
    parser.set_defaults(kid_subsets=100, kid_subset_size=None)
    if metrics is None:
        parser.add_argument('--metrics', nargs='+', choices=METRICS, metavar='M',
                            help=f'of {", ".join(METRICS)} (pr: precision and recall, dc: density and coverage); '
                            'default: all that are possible')
    if metrics is None or 'kid' in metrics:
        parser.add_argument('--kid_subsets', type=int, metavar='N', help='subsets that KID averages (default: 100)')
        parser.add_argument('--kid_subset_size', type=int, metavar='N',
                            help=f'images in each (default: {SUBSET_SIZE}, or as many as there are)')
    args = arguments.parse_images(parser)
    if args.protocol and (args.n_images is not None or args.splits is not None):
        parser.error('--n_images and --splits go without --protocol, which says both')
    if args.images and args.n_images is not None:
        parser.error('--n_images goes with --snapshot; of --images all are scored')
    if args.ref_stats and args.real:
        parser.error('--real goes without --ref_stats, which holds the real images')
    asked = metrics or args.metrics
    args.left_out, args.is_asked = {}, bool(asked) and (metrics is None or len(metrics) == 1)
    args.metrics = asked or list(METRICS)
    if args.ref_stats:
        leave_out(args, {m: '--ref_stats holds no features' for m in args.metrics
                         if m in NEED_FEATS})
    elif not (args.snapshot or args.config or args.against):
        leave_out(args, {m: arguments.NO_REAL_IMAGES for m in args.metrics if m != 'is'})
    return args


def chosen_protocol(args, config, n_stored):
    """The Protocol that the arguments, the config and the number of stored images (None: a snapshot) make."""
    protocol = PROTOCOLS.get(args.protocol) or _config_protocol(args, config, n_stored)
    if 'is' not in args.metrics:
        protocol = replace(protocol, n_images=protocol.n_compared)
    if n_stored is not None and n_stored < protocol.n_images:
        raise ValueError(f'--images {args.images}: protocol {protocol.name} needs {protocol.n_images} images, '
                         f'found {n_stored}')
    if args.real in (None, protocol.real):
        return protocol
    # The paper does not say which real images its were, so either choice is its protocol; the others' is not.
    name = protocol.name if protocol.n_real else f'{protocol.name}, {args.real} images'
    return replace(protocol, name=name, real=args.real)


def _config_protocol(args, config, n_stored):
    n_images, splits = (config['evaluation'][key] if getattr(args, key) is None else getattr(args, key)
                        for key in ('n_images', 'splits'))
    n_images = n_images if n_stored is None else n_stored
    splits = splits if 'is' in args.metrics else 1
    if not 1 <= splits <= n_images >= 2:
        expected = ('expected --n_images of at least 2' if n_stored is None else
                    f'--images {args.images}: expected at least 2 images')
        raise ValueError(f'{expected} and --splits from 1 to as many, found {n_images} and {splits}')
    protocol = config_protocol(n_images, splits)
    if args.config or args.snapshot:
        return protocol
    return replace(protocol, name=f'{ALL_IMAGES}, {splits} splits' if 'is' in args.metrics else ALL_IMAGES)


def name_given(protocol, reference):
    """The Protocol, with a name that says it where the real images are a user's."""
    if reference is None or not reference.is_given or protocol.name.startswith(ALL_IMAGES):
        return protocol
    return replace(protocol, name=protocol.name + GIVEN)


def leave_out(args, reasons):
    """Remove from args.metrics those of {metric: why or None} with a reason, and note it in args.left_out.

    Raises ValueError, the first reason, where the metrics were asked for or none is left.
    """
    for metric, why in reasons.items():
        if why is not None:
            args.left_out[metric] = why
            args.metrics = [m for m in args.metrics if m != metric]
            if args.is_asked or not args.metrics:
                raise ValueError(f'{NAMES[metric]}: {why}')


def leave_out_splits(args, config, n_stored):
    """Leaves out the inception score where there are fewer images than the config's splits."""
    if 'is' in args.metrics and not args.is_asked and args.protocol is None and args.splits is None:
        n_images = next(n for n in (n_stored, args.n_images, config['evaluation']['n_images']) if n is not None)
        if n_images >= 2:  # fewer are refused whatever the metric
            leave_out(args, {'is': too_few('is', n_images, splits=config['evaluation']['splits'])})


def leave_out_comparisons(args, protocol, reference):
    """Leaves out what needs more images than are compared; returns the reference, None where nothing is left for it."""
    if reference is None:
        return None
    leave_out(args, {m: too_few(m, protocol.n_compared, reference.n) for m in args.metrics if m != 'is'})
    return None if set(args.metrics) == {'is'} else reference


def open_reference(args, config, path, protocol, network, given):
    """What is compared with: RealImages, GivenImages, a StatisticsFile, or None where nothing is."""
    if set(args.metrics) == {'is'}:
        return None
    if args.ref_stats:
        return StatisticsFile(args.ref_stats, network)
    if given is not None:
        return GivenImages(given, args.against, protocol.n_real)
    return RealImages(real_images_of(config, path, args.data_dir), protocol.real, protocol.n_real)


def kid_subset_size(args, protocol, reference):
    """Images in a subset; raises ValueError where there are not so many, before anything is computed."""
    if 'kid' not in args.metrics:
        return None
    most = min(protocol.n_compared, reference.n, N_KEPT)
    size = min(SUBSET_SIZE, most) if args.kid_subset_size is None else args.kid_subset_size
    if not 2 <= size <= most or args.kid_subsets < 1:
        raise ValueError(f'expected --kid_subsets of at least 1 and --kid_subset_size of 2 to {most}, the images '
                         f'there are; found {args.kid_subsets} and {size}')
    return size


def compute(args, protocol, images, network, reference, subset_size):
    """The sizes of the images, in words, and {name: score}; all pass through the network once, and so do real ones."""
    needs_feats = bool(NEED_FEATS & set(args.metrics))
    judged = judge(images.batches(protocol.n_images), network, protocol.n_images, protocol.n_compared,
                   keep_probs='is' in args.metrics,
                   keep_feats=np.ones(protocol.n_compared, bool) if needs_feats else None, desc='images')
    statistics, feats = None, None
    if needs_feats:
        statistics, feats = reference.statistics_and_feats(network)
    elif reference is not None:
        statistics = reference.statistics(network)
    return describe_sizes(judged.sizes), scores_of(
        judged, network, args.metrics, statistics, feats, protocol.splits, args.kid_subsets, subset_size)


def run(doc, kind, metrics=None):
    """Parse, score, print, and write `<kind>.json`, or `<kind>_<protocol>.json` where a protocol is named.

    `metrics` are of judging.METRICS; None leaves the choice to the arguments.
    """
    args = parse_arguments(doc, metrics)
    config, path = inputs.load_settings(args)
    images_are_stored = inputs.load_images(args) if args.images else None
    given = inputs.load_against(args)
    n_stored = images_are_stored and images_are_stored.n
    leave_out_splits(args, config, n_stored)
    protocol = chosen_protocol(args, config, n_stored)
    check_given(args, protocol, given)
    check_default_network(args, config, path)
    network = inputs.load_network(args, config, path, inputs.judged_images(path, images_are_stored, given))
    reference = leave_out_comparisons(args, protocol, open_reference(args, config, path, protocol, network, given))
    protocol = name_given(protocol, reference)
    images = images_are_stored or inputs.load_images(args)
    inputs.look_at_statistics(args, network, images, reference)
    records.tell_the_same(args, images, reference and given)
    check_features(args, images, network, reference)
    use_known_classes(args, images, network, config, path)
    subset_size = kid_subset_size(args, protocol, reference)
    file = records.result_file(args, kind)
    make_folder(file.parent)  # what cannot be written is said before all images are made
    for why in dict.fromkeys(args.left_out.values()):
        tell(f'left out: {", ".join(NAMES[m] for m in args.left_out if args.left_out[m] == why)}: {why}')
    with told_warnings(kept=SingularCovarianceWarning) as singular:
        sizes, scores = compute(args, protocol, images, network, reference, subset_size)
    few = reference and caution(f'{protocol.n_compared} images against {reference.n or "a number not known"}',
                                (protocol.n_compared, reference.n), args.metrics, singular, subset_size)
    record = {
        **records.images_record(args, images), **records.paper_record(args, config),
        **records.network_record(args, network),
        'protocol': protocol.name, 'n_images': protocol.n_images, 'splits': protocol.splits,
        **reference_record(protocol, reference), 'sizes': sizes, 'real_sizes': reference and reference.sizes,
        'data': None if reference is None or args.ref_stats or args.against else records.data_of(config),
        'kid_subset_size': subset_size,
        'left_out': args.left_out, 'warnings': [few] if few else [], **scores}
    records.write_record(file, record)
    for name, value in scores.items():
        decimals = 6 if name.startswith('kid') else 4  # a good KID is of the order of 0.001
        print(f'{network.name} {name}: {value:.{decimals}f}  ({records.protocol_text(record)})')
    records.tell_foreign(record)
    if few:
        print(few)
    print(f'{summary(record, path if args.against else None)}; written to {file}')
    print_published(record, file)


def reference_record(protocol, reference):
    if reference is None:
        return {'n_compared': None, 'reference': None, 'n_real': None, 'real': None}
    return {'n_compared': protocol.n_compared, 'reference': reference.text, 'n_real': reference.n,
            'real': reference.split}


def check_given(args, protocol, given):
    """Raises ValueError where there are fewer images in --against than the protocol asks for."""
    if given is not None and len(given) < (protocol.n_real or 0):
        raise ValueError(f'--against {args.against}: protocol {args.protocol} needs {protocol.n_real} images, '
                         f'found {len(given)}')


def check_default_network(args, config, path):
    """Raises ValueError, before weights are looked for, where --ref_stats names another network than the default."""
    if args.ref_stats and path is None and not args.network:
        found = load_statistics(args.ref_stats).network
        name = (found or '').removesuffix('_clean')
        if name and name != config['evaluation']['network']:
            resize = '' if found == name else ' --resize clean'
            raise ValueError(f'{args.ref_stats}: statistics under {found}; expected --network {name}{resize} with them')


def check_features(args, images, network, reference):
    """Raises ValueError where a file of statistics is of another number of features, before all images are made."""
    if isinstance(reference, StatisticsFile):
        ims, _ = next(images.batches(1))
        expected, found = network(ims)[0].shape[1], len(reference.statistics(network).mean)
        if expected != found:
            raise ValueError(f'{args.ref_stats}: expected statistics of {expected} features, as {network.name} makes, '
                             f'found {found}')


def use_known_classes(args, images, network, config, path):
    """Compare stored images that lie in classes with what the network recognizes, where these are its classes."""
    if 'is' in args.metrics and args.images and images.n_classes and network.n_classes:
        try:
            names = class_names_of(config, path) if path and not args.against else list(KNOWN[network.name])
            inputs.use_classes(args, images, names, network.n_classes)
        except ValueError as error:
            tell(f'{error}; the share recognized is left out')


def summary(record, config=None):
    """One line that says what the scores are of; `config`: the one that names the network but not the real images."""
    parts = [f'{record["n_images"]} images of {record["samples"]}']
    if record['order']:
        parts.append(f'in an order drawn with seed {record["seed"]}' if record['order'] == 'drawn' else record['order'])
    if 'is_mean' in record:
        parts.append(f'{record["splits"]} splits' if 'is_std' in record else '1 split: no std')
    if record['reference']:
        first = '' if record['n_compared'] == record['n_images'] else f'the first {record["n_compared"]} '
        parts.append(f'{first}against {record["reference"]}' + (
            f', given with --against, in place of the data set of {config}' if config else ''))
    parts += records.size_parts(record['sizes'], record['real_sizes'])
    if record['kid_subset_size']:
        parts.append(what_kid_is_of(record))
    return ', '.join(parts)


def what_kid_is_of(record):
    size = record['kid_subset_size']
    if 'kid_std' in record:
        return f'KID of subsets of {size}'
    is_all = size == record['n_compared'] == record['n_real']
    return f'KID of one set of all {size} images: no std' if is_all else f'KID of one subset of {size}: no std'
