"""Writes mean and covariance of a data set's features, for --ref_stats, whole or class by class, for example

    python evaluations/calc_ref_stats.py --config configs/sn_projection_digits.yml --out digits_stats.npz
    python evaluations/calc_ref_stats.py --config configs/sn_projection_digits.yml --per_class --out digits_stats/

With --per_class the files are <out>/class_<c>.npz, D^2 * 8 bytes each (D = 2048: 34 MB), which calc_intra_fid reads.
"""
from pathlib import Path

from evaluations import command_line as cli
from source.datasets.pairs_as_images import as_given
from source.miscs.argument_parser import ArgumentParser
from source.miscs.progress_bar import progress_bar
from source.miscs.results_dir import make_folder
from source.scoring.judging import reference_statistics
from source.scoring.reference import RealImages
from source.scoring.statistics_files import ReferenceStatistics, save_statistics
from source.yaml_utils import load_config

import numpy as np


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    cli.add_config_arguments(parser, 'names the data set and the feature network', required=True)
    cli.add_network_arguments(parser)
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--real', choices=('train', 'test'), default='train', help='split (default: train)')
    parser.add_argument('--per_class', action='store_true', help='a file for each class')
    parser.add_argument('--out', required=True, metavar='PATH', help='the .npz to write; with --per_class a folder')
    args = parser.parse_args()
    if not args.per_class and Path(args.out).suffix != '.npz':
        parser.error(f'--out: expected a name ending in .npz, got {args.out}')
    return args


def save(path, found, network, text):
    save_statistics(path, ReferenceStatistics(found.mean, found.cov, found.n, network.name, network.digest, text))


def save_classes(folder, real, network):
    """Writes a file for each class of at least two images; returns their number and the classes left out."""
    labels, name = real.dataset.labels, type(as_given(real.dataset)).__name__
    left_out = []
    with progress_bar(real.dataset.n_classes, 'classes', 'class') as bar:
        for c in range(real.dataset.n_classes):
            indices = np.flatnonzero(labels == c)
            if len(indices) < 2:
                left_out.append(c)
            else:
                found = reference_statistics(real.dataset, network, indices)
                text = f'{len(indices)} {real.split} images of class {c} of {name}'
                save(folder / f'class_{c}.npz', found, network, text)
            bar.update()
    return real.dataset.n_classes - len(left_out), left_out


@cli.one_line_errors
def main():
    args = parse_arguments()
    config = load_config(args.config)
    network = cli.load_network(args, config, args.config)
    real = RealImages(config, args.config, args.data_dir, args.real)
    if real.split != args.real:
        raise ValueError(f'--real {args.real}: {args.config}: {type(as_given(real.dataset)).__name__} has no test set')
    out = Path(args.out)
    if args.per_class:
        make_folder(out)
        cli.tell_replaced([out / f'class_{c}.npz' for c in range(real.dataset.n_classes)], '--out names another folder')
        n, left_out = save_classes(out, real, network)
        for c in left_out:
            print(f'class {c}: fewer than 2 images, left out')
        print(f'{n} classes, {real.text} under {network.name} ({network.digest[:12]}): {out}/class_<c>.npz')
    else:
        make_folder(out.parent)
        if out.is_dir():
            raise ValueError(f'--out {out}: expected the name of a file, found a folder; --per_class takes one')
        cli.tell_replaced([out], '--out names another file')
        statistics = real.statistics(network)
        save(out, statistics, network, statistics.images)
        print(f'{statistics.images} under {network.name} ({network.digest[:12]}): {out}')


if __name__ == '__main__':
    main()
