"""Writes mean and covariance of the features of a data set, or of images of yours, for --ref_stats, for example

    python evaluations/calc_ref_stats.py --config configs/sn_projection_mnist.yml --out mnist_stats.npz
    python evaluations/calc_ref_stats.py --config configs/sn_projection_mnist.yml --per_class --out mnist_stats/
    python evaluations/calc_ref_stats.py --images photos/ --network efficientnet_lite0 --out photos_stats.npz

With --per_class the files are <out>/class_<c>.npz, D^2 * 8 bytes each (D = 2048: 34 MB), which calc_intra_fid reads.
The folder is written whole, and an earlier one set aside.
"""
from dataclasses import replace
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.config.build import real_images_of
from source.datasets.image_files import open_images
from source.datasets.pairs_as_images import as_given
from source.evaluation_commands import arguments, inputs, records
from source.files.folders import check_folder, make_folder, whole_folder
from source.scoring.judging import reference_statistics
from source.scoring.real_classes import check_number
from source.scoring.reference import GivenImages, RealImages
from source.scoring.statistics_files import save_statistics

import numpy as np


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    arguments.add_config_arguments(parser, 'names the data set, without --images, and the feature network')
    arguments.add_stored_arguments(parser, 'instead of a data set: ')
    arguments.add_network_arguments(parser)
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--real', choices=('train', 'test'), help='split of the data set (default: train)')
    parser.add_argument('--per_class', action='store_true', help='a file for each class')
    parser.add_argument('--out', required=True, metavar='PATH', help='the .npz to write; with --per_class a folder')
    args = parser.parse_args()
    if not args.images and not args.config:
        parser.error('expected --config, which names a data set, or --images')
    for name in ('real', 'data_dir'):
        if args.images and getattr(args, name):
            parser.error(f'--{name} goes without --images, which are the real images')
    if args.key and not args.images:
        parser.error('--key goes with --images')
    if not args.per_class and Path(args.out).suffix != '.npz':
        parser.error(f'--out: expected a name ending in .npz, got {args.out}')
    return args


def open_real_images(args, config, path, stored):
    """The RealImages or GivenImages that the arguments name."""
    if stored is not None:
        real = GivenImages(stored, args.images)
        if args.per_class and not stored.labelled:
            raise ValueError(f'--images {args.images}: expected a subfolder for each class, or labels in the .npz')
        if args.per_class:
            check_number(stored.n_classes, f'--images {args.images}')
        return real
    split = args.real or 'train'
    real = RealImages(real_images_of(config, path, args.data_dir), split)
    if real.split != split:
        raise ValueError(f'--real {split}: {path}: {type(as_given(real.dataset)).__name__} has no test set')
    if args.per_class and not real.dataset.n_classes:
        raise ValueError(f'{path}: dataset: expected real images of several classes, found {real.text} without any')
    return real


def save(args, path, found, network, **texts):
    save_statistics(path, replace(found, network=network.name, network_sha256=network.digest, key=None,
                                  given=args.images, **texts))


def save_classes(args, folder, real, network):
    """Writes a file for each class of at least two images; returns the sizes of each and the classes left out."""
    labels = real.dataset.labels
    of = f'of {args.images}' if args.images else f'of {type(as_given(real.dataset)).__name__}'
    if found := getattr(real.dataset, 'found', None):  # of a user's folder, whose class says nothing of it
        of += f' ({found})'
    names = getattr(real.dataset, 'folders', None) if args.images else None
    sizes, left_out = [], []
    classes = np.unique(labels) if args.images else range(real.dataset.n_classes)  # labels of one's own may have gaps
    with progress_bar(len(classes), 'classes', 'class') as bar:
        for c in classes:
            indices = np.flatnonzero(labels == c)
            if len(indices) < 2:
                left_out.append(names[c] if names else c)
            else:
                found = reference_statistics(real.dataset, network, indices)
                kind = '' if args.images else f'{real.split} '
                sizes.append(found.sizes)
                save(args, folder / f'class_{c}.npz', found, network, class_name=names[c] if names else None,
                     images=f'{len(indices)} {kind}images of class {c} {of}')
            bar.update()
    return sizes, left_out


@one_line_errors
def main():
    args = parse_arguments()
    config, path = inputs.load_settings(args)
    stored = open_images(args.images, key=args.key) if args.images else None
    network = inputs.load_network(args, config, path, stored)
    real = open_real_images(args, config, path, stored)
    if real.n < 2:
        raise ValueError(f'{real.description}: expected at least 2 images')
    out = Path(args.out)
    if args.per_class:
        if out.name in ('', '..'):
            raise ValueError(f'--out {out}: expected the name of a folder, which is written whole')
        check_folder(out)
        make_folder(out.parent)
        with whole_folder(out) as folder:  # so that classes of other images never lie beside these
            sizes, left_out = save_classes(args, folder, real, network)
        for c in left_out:
            print(f'class {c}: fewer than 2 images, left out')
        print(f'{len(sizes)} classes, {real.text}{said_of(records.sizes_of_classes(sizes))} under {network.name} '
              f'({network.digest[:12]}): {out}/class_<c>.npz')
    else:
        make_folder(out.parent)
        if out.is_dir():
            raise ValueError(f'--out {out}: expected the name of a file, found a folder; --per_class takes one')
        records.tell_replaced([out], '--out names another file')
        statistics = real.statistics(network)
        save(args, out, statistics, network)
        print(f'{statistics.images}{said_of(statistics.sizes)} under {network.name} ({network.digest[:12]}): {out}')


def said_of(sizes):
    return ''.join(f', {part}' for part in records.size_parts(sizes, None))


if __name__ == '__main__':
    main()
