"""Intra-class MS-SSIM: how alike two samples of a class are, in [0, 1], lower for more varied ones, for example

    python evaluations/calc_ms_ssim.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --n_pairs 100
    python evaluations/calc_ms_ssim.py --images my_images/            # of yours, a subfolder for each class

Pairs are of distinct samples of a class; without classes, of any two. Images are compared in their own size.
"""
from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.command_line.standard_streams import tell
from source.config.build import class_names_of, n_classes_of
from source.datasets.image_sizes import describe_sizes
from source.datasets.open_image import DamagedImage
from source.evaluation_commands import arguments, inputs, records
from source.evaluation_commands.comparison_table import print_published
from source.files.folders import check_folder, make_folder
from source.metrics.ms_ssim import FULL_SIZE, SMALLEST, ms_ssim

import numpy as np

N_PAIRS = 100  # of each class, as Odena et al. 2017 drew


def parse_arguments():
    parser = arguments.image_parser(__doc__)
    parser.set_defaults(protocol=None)
    parser.add_argument('--n_pairs', type=int, default=N_PAIRS, metavar='N',
                        help=f'pairs of each class (default: {N_PAIRS})')
    args = arguments.parse_images(parser)
    if args.n_pairs < 1:
        parser.error(f'--n_pairs: expected at least 1, got {args.n_pairs}')
    return args


def size_of(args, images):
    """(width, height) of all images; raises ValueError where they differ or leave nothing at the coarsest scale."""
    said = args.snapshot or f'--images {args.images}'
    try:
        size = images.size()
    except DamagedImage:
        raise
    except ValueError as error:
        raise ValueError(f'{said}: {error}') from None
    if min(size) < SMALLEST:
        raise ValueError(f'{said}: expected images with sides of at least {SMALLEST} px, found '
                         f'{describe_sizes([size])}')
    return size


def class_means(images, classes, n_pairs):
    """{class: mean similarity of its pairs}."""
    means = {}
    with progress_bar(len(classes), 'classes', 'class') as bar:
        for c in classes:
            scores = []
            for ims0, ims1 in images.pairs_of_class(c, n_pairs):
                scores.append(ms_ssim(ims0, ims1))
            means[c] = float(np.concatenate(scores).mean())
            bar.update()
    return means


def match_classes(args, images, config):
    """Number stored images' classes as the config's data set, where that has classes."""
    names = class_names_of(config, args.config)
    n_classes = len(names) if names else n_classes_of(config)
    try:
        if n_classes:
            inputs.use_classes(args, images, names, n_classes)
    except ValueError as error:
        if names:
            raise
        tell(f'{error}; the folders are taken as classes')


@one_line_errors
def main():
    args = parse_arguments()
    config, _ = inputs.load_settings(args)
    images = inputs.load_images(args)
    if args.images and args.config and images.n_classes:
        match_classes(args, images, config)
    classes, names = list(images.classes) or [0], images.classes
    too_few = [c for c in classes if images.n_of_class(c) is not None and images.n_of_class(c) < 2]
    classes = [c for c in classes if c not in too_few]
    if not classes:
        raise ValueError(f'--images {args.images}: no class has two images')
    file = records.result_file(args, 'ms_ssim')
    check_folder(file.parent)
    width, height = size_of(args, images)
    for c in too_few:
        print(f'class {names.get(c, c)}: {images.n_of_class(c)} images make no pair; left out')
    make_folder(file.parent)  # what cannot be written is said before all images are made
    means = class_means(images, classes, args.n_pairs)
    means, too_few = {names.get(c, c): value for c, value in means.items()}, [names.get(c, c) for c in too_few]
    mean = float(np.mean(list(means.values())))
    is_full = min(width, height) >= FULL_SIZE
    window = 'full window' if is_full else f'window shrunk with the coarse scales, below {FULL_SIZE} px'
    protocol = f'{args.n_pairs} pairs a class'  # the paper does not say how many it took
    record = {
        'samples': args.snapshot or args.images, 'data': args.config and records.data_of(config), 'seed': args.seed,
        **records.paper_record(args, config), 'protocol': protocol, 'feature_network': None, 'ms_ssim': mean,
        'n_pairs': args.n_pairs, 'size': [height, width], 'window': window, 'within_classes': images.n_classes > 0,
        'n_classes': len(classes), 'too_few': too_few, 'classes': means}
    records.write_record(file, record)
    print(f'ms_ssim: {mean:.4f}  (protocol {protocol}; {width}x{height} px, {window})')
    which = f'in each of {len(classes)} classes of' if images.n_classes else 'of any two of'
    print(f'mean over {args.n_pairs} pairs {which} {record["samples"]}; written to {file}')
    print_published(record, file)


if __name__ == '__main__':
    main()
