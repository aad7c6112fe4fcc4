"""The command behind calc_inception, calc_scores, calc_fid and calc_kid, which differ in the scores they give."""
from dataclasses import replace

from evaluations import command_line as cli
from source.build import class_names_of
from source.metrics.frechet_distance import SingularCovarianceWarning
from source.miscs.results_dir import make_folder
from source.miscs.standard_streams import tell, told_warnings
from source.scoring.judging import METRICS, N_KEPT, NEED_FEATS, judge, scores_of
from source.scoring.possible_metrics import NAMES, too_few
from source.scoring.protocols import PROTOCOLS, config_protocol
from source.scoring.reference import RealImages, StatisticsFile
from source.yaml_utils import load_config

import numpy as np

SUBSET_SIZE = 1000  # of KID's subsets, the field's


def parse_arguments(doc, metrics):
    parser = cli.image_parser(doc)
    cli.add_protocol_argument(parser)
    cli.add_order_argument(parser)
    parser.add_argument('--n_images', type=int, help="samples to score; default: the config's")
    parser.add_argument('--splits', type=int, help="of the samples, for the mean and std; default: the config's")
    parser.add_argument('--real', choices=('train', 'test'), help="split of the real images; default: the protocol's")
    parser.add_argument('--ref_stats', metavar='FILE', help="statistics of the real images for FID, ours, TTUR's (mu, "
                        "sigma) or the authors' (mean, cov); default: computed once and cached")
    cli.add_network_arguments(parser)
    parser.set_defaults(kid_subsets=100, kid_subset_size=None)
    if metrics is None:
        parser.add_argument('--metrics', nargs='+', choices=METRICS, metavar='M',
                            help=f'of {", ".join(METRICS)} (pr: precision and recall); default: all that are possible')
    if metrics is None or 'kid' in metrics:
        parser.add_argument('--kid_subsets', type=int, metavar='N', help='subsets that KID averages (default: 100)')
        parser.add_argument('--kid_subset_size', type=int, metavar='N',
                            help=f'images in each (default: {SUBSET_SIZE}, or as many as there are)')
    args = cli.parse_images(parser)
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
    return config_protocol(n_images, splits)


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


def open_reference(args, config, path, protocol, network):
    """What is compared with: RealImages, a StatisticsFile, or None where nothing is."""
    if set(args.metrics) == {'is'}:
        return None
    if args.ref_stats:
        return StatisticsFile(args.ref_stats, network)
    return RealImages(config, path, args.data_dir, protocol.real, protocol.n_real)


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
    """{name: score}; the images pass through the network once, and so do real ones."""
    needs_feats = bool(NEED_FEATS & set(args.metrics))
    judged = judge(images.batches(protocol.n_images), network, protocol.n_images, protocol.n_compared,
                   keep_probs='is' in args.metrics,
                   keep_feats=np.ones(protocol.n_compared, bool) if needs_feats else None, desc='images')
    statistics, feats = None, None
    if needs_feats:
        statistics, feats = reference.statistics_and_feats(network)
    elif reference is not None:
        statistics = reference.statistics(network)
    return scores_of(judged, network, args.metrics, statistics, feats, protocol.splits, args.kid_subsets, subset_size)


def run(doc, kind, metrics=None):
    """Parse, score, print, and write `<kind>.json`, or `<kind>_<protocol>.json` where a protocol is named.

    `metrics` are of judging.METRICS; None leaves the choice to the arguments.
    """
    args = parse_arguments(doc, metrics)
    path = cli.config_path(args)
    config = load_config(path)
    images_are_stored = cli.load_images(args) if args.images else None
    n_stored = images_are_stored and images_are_stored.n
    leave_out_splits(args, config, n_stored)
    protocol = chosen_protocol(args, config, n_stored)
    network = cli.load_network(args, config, path)
    reference = leave_out_comparisons(args, protocol, open_reference(args, config, path, protocol, network))
    images = images_are_stored or cli.load_images(args)
    check_size(args, images, reference)
    check_features(args, images, network, reference)
    use_known_classes(args, images, network, config, path)
    subset_size = kid_subset_size(args, protocol, reference)
    file = cli.result_file(args, kind)
    make_folder(file.parent)  # what cannot be written is said before all images are made
    for metric, why in args.left_out.items():
        tell(f'left out: {NAMES[metric]}: {why}')
    with told_warnings(SingularCovarianceWarning) as warned:
        scores = compute(args, protocol, images, network, reference, subset_size)
    record = {
        **cli.images_record(args, images), 'paper_row': config['paper_row'], **cli.network_record(network),
        'protocol': protocol.name, 'n_images': protocol.n_images, 'splits': protocol.splits,
        **reference_record(protocol, reference),
        'data': None if reference is None or args.ref_stats else cli.data_of(config), 'kid_subset_size': subset_size,
        'left_out': args.left_out, 'warnings': warned, **scores}
    cli.write_record(file, record)
    for name, value in scores.items():
        decimals = 6 if name.startswith('kid') else 4  # a good KID is of the order of 0.001
        print(f'{network.name} {name}: {value:.{decimals}f}  ({cli.protocol_text(record)})')
    cli.tell_foreign(record)
    print(f'{summary(record)}; written to {file}')


def reference_record(protocol, reference):
    if reference is None:
        return {'n_compared': None, 'reference': None, 'n_real': None, 'real': None}
    return {'n_compared': protocol.n_compared, 'reference': reference.text, 'n_real': reference.n,
            'real': reference.split}


def check_size(args, images, reference):
    """Raises ValueError where stored images are not of the real ones' size."""
    if args.images and isinstance(reference, RealImages) and images.dataset.size != reference.dataset.size:
        raise ValueError(f'--images {args.images}: expected {reference.dataset.size}x{reference.dataset.size} pixels '
                         f'as the real images, found {images.dataset.size}x{images.dataset.size}')


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
            cli.use_classes(args, images, class_names_of(config, path), network.n_classes)
        except ValueError as error:
            tell(f'{error}; the share recognized is left out')


def summary(record):
    """One line that says what the scores are of."""
    parts = [f'{record["n_images"]} images of {record["samples"]}']
    if record['order']:
        parts.append(f'in an order drawn with seed {record["seed"]}' if record['order'] == 'drawn' else record['order'])
    if 'is_mean' in record:
        parts.append(f'{record["splits"]} splits' if 'is_std' in record else '1 split: no std')
    if record['reference']:
        first = '' if record['n_compared'] == record['n_images'] else f'the first {record["n_compared"]} '
        parts.append(f'{first}against {record["reference"]}')
    if record['kid_subset_size']:
        parts.append(what_kid_is_of(record))
    return ', '.join(parts)


def what_kid_is_of(record):
    size = record['kid_subset_size']
    if 'kid_std' in record:
        return f'KID of subsets of {size}'
    is_all = size == record['n_compared'] == record['n_real']
    return f'KID of one set of all {size} images: no std' if is_all else f'KID of one subset of {size}: no std'
