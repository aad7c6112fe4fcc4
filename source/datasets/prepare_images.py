"""Prepares a large folder of images for training: the central square of each, resized, all in one packed file that
training maps into memory. For example

    python source/datasets/prepare_images.py --images pictures --out pictures_64 --size 64
    python train.py --config configs/sn_projection_folder.yml --data_dir pictures_64 --set size=64

What is interrupted goes on when the command is run again. Images that cannot be read are skipped; the report names
each, and why, as it names every other file that is no image. Written into --out: images_64.npy with
images_64_labels.npy, and images_64_report.json with the names of the classes.
"""
import functools
import os
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.command_line.short_texts import printable, some_of
from source.datasets.class_folders import n_of, without_class
from source.datasets.listing import list_folder
from source.datasets.preparation import prepare
from source.datasets.prepared_images import Settings
from source.datasets.square_crops import RESIZE_METHODS
from source.files.folders import make_folder

SPLIT = 'images'  # what the files' names begin with


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--images', required=True, metavar='DIR', help='folder of the images; subfolders are classes')
    parser.add_argument('--out', required=True, metavar='DIR', help='where to write, outside --images')
    add_square_arguments(parser, 64)
    args = parser.parse_args()
    check_square_arguments(args)
    return args


def add_square_arguments(parser, size):
    parser.add_argument('--size', type=int, default=size, help=f'of the squares, in pixels (default: {size})')
    parser.add_argument('--resize_method', choices=sorted(RESIZE_METHODS), default='bilinear',
                        help="Pillow's, on uint8 (default: bilinear)")
    parser.add_argument('--workers', type=int, default=os.cpu_count(), metavar='N',
                        help='threads (default: one a core)')


def check_square_arguments(args):
    for name in ('size', 'workers'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name}: expected at least 1, found {getattr(args, name)}')


def prepare_squares(args, split, listing, formats=('packed',), annotations=None):
    """Prepare the images of a Listing as the arguments say; return the report and the paths of what was written."""
    settings = Settings(args.size, args.resize_method, formats, annotations)
    report = prepare(listing, split, args.out, settings, args.workers,
                     lambda total, initial: progress_bar(total, split, initial=initial))
    stem = f'{split}_{args.size}'
    names = [name for kind, name in (('packed', f'{stem}.npy'), ('folder', f'{stem}/')) if kind in formats]
    return report, [Path(args.out) / name for name in (*names, f'{stem}_report.json')]


def report_lines(report):
    """What became of the images that needed something done, or were skipped, a line each."""
    lines = [f'  {n} {change}' for change, n in report['n_changed'].items()]
    lines.append(f'  {report["n_skipped"]} skipped' + (':' if report['skipped'] else ''))
    lines += [f'    {printable(name)}: {printable(why)}' for name, why in report['skipped'][:10]]
    return lines + ['    ...'] * (len(report['skipped']) > 10)


@functools.partial(one_line_errors, interrupted='interrupted; run the same command again to go on')
def main():
    args = parse_arguments()
    if not os.path.isdir(args.images):
        raise FileNotFoundError(f'--images {args.images}: no such folder')
    if Path(args.images).resolve() in (out := Path(args.out).resolve(), *out.parents):
        raise ValueError(f'--out {args.out}: expected a folder outside --images {args.images}')
    listing = list_folder(args.images)
    if not listing.names:
        raise ValueError(f'--images {args.images}: expected images, found none')
    make_folder(args.out)
    report, paths = prepare_squares(args, SPLIT, listing)
    classes = f'of {n_of(listing.classes)} ({some_of(listing.classes)})' if listing.classes else (
        'without classes' + (f', as {printable(without_class(listing.names))} is not in a subfolder of the first level'
                             if any('/' in name for name in listing.names) else ''))
    print('\n'.join([f'{report["n_images"]} images {classes} in {", ".join(map(str, paths))}', *report_lines(report)]))


if __name__ == '__main__':
    main()
