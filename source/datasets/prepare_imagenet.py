"""Prepares ImageNet for training from its raw folders: lists of the images, and their central squares, resized, in one
packed file that training maps into memory. For example

    python source/datasets/prepare_imagenet.py --train ILSVRC2012/train --out datasets --size 128
    python train.py --config configs/sn_projection_imagenet.yml --data_dir datasets --loader_workers 2 \\
        --set dataset.dataset_fn=datasets/packed.py --set dataset.dataset_name=PackedDataset \\
        --set dataset.args.path=train_128.npy

    python source/datasets/prepare_imagenet.py --val ILSVRC2012/val --val_classes LOC_val_solution.csv \\
        --synsets LOC_synset_mapping.txt --out datasets
    python source/datasets/prepare_imagenet.py --train ILSVRC2012/train --out datasets --formats list

What is interrupted goes on when the command is run again. Images that cannot be read are skipped; the report names
each, and why, as it names every other file that is no image. Written into --out: image_list.txt and
image_list_dog_and_cat.txt (image_list_val.txt, ...), lists of the raw files in the order of the packed images;
train_128.npy with train_128_labels.npy; train_128_report.json.
"""
import functools
import os
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.datasets import imagenet_files
from source.datasets.listing import list_lines
from source.datasets.preparation import FORMATS, write_list
from source.datasets.preparation_report import written
from source.datasets.prepare_images import add_square_arguments, check_square_arguments, prepare_squares, report_lines
from source.datasets.validation_classes import validation_classes
from source.files.folders import make_folder


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--train', metavar='DIR', help='folder of the training images, n########/*.JPEG')
    parser.add_argument('--val', metavar='DIR', help='folder of the validation images, *.JPEG or n########/*.JPEG')
    parser.add_argument('--val_classes', metavar='PATH', help="where --val is flat: LOC_val_solution.csv, a list of "
                        "'name class' lines or the folder of the images' annotations; default: --annotations")
    parser.add_argument('--annotations', metavar='DIR', help='folder of the annotations (*.xml); their boxes are '
                        'written in pixels of the squares, to train_128_boxes.csv')
    parser.add_argument('--synsets', metavar='FILE', help='the classes in order of their labels, one a line, as in '
                        'LOC_synset_mapping.txt; default: the folders of --train, sorted')
    parser.add_argument('--out', default='datasets', metavar='DIR', help='where to write (default: datasets)')
    add_square_arguments(parser, 128)
    parser.add_argument('--formats', nargs='+', choices=[*FORMATS, 'list'], default=['packed'],
                        help='packed: one file to map into memory; folder: .png files; list: only the lists, of all '
                        'images, none of them opened (default: packed)')
    return parser.parse_args()


def list_splits(args):
    """{'train': Listing, 'val': Listing} of those that are asked for."""
    wnids = imagenet_files.read_wnids(args.synsets) if args.synsets else None
    listings = {}
    if args.train:
        listings['train'] = imagenet_files.list_class_folders(args.train, wnids)
        wnids = listings['train'].classes
    first = listings['train'].first_label if args.train else 0
    if args.val and imagenet_files.has_class_folders(args.val):
        listings['val'] = imagenet_files.list_class_folders(args.val, wnids, first)
    elif args.val:
        if not os.path.isdir(args.val):
            raise FileNotFoundError(f'{args.val}: expected as --val a folder of images, found no folder')
        source = args.val_classes or (args.annotations and _val_folder(args.annotations))
        if not source or wnids is None:
            raise ValueError(f'{args.val}: has no folders n########: expected '
                             + ('--val_classes' if not source else '--synsets or --train, which number the classes'))
        listings['val'] = imagenet_files.list_flat_folder(
            args.val, wnids, validation_classes(source), first)
    for listing in listings.values():
        if not listing.names:
            raise ValueError(f'{listing.root}: expected images, found none')
    return listings


def _val_folder(annotations):
    below = os.path.join(annotations, 'val')
    return below if os.path.isdir(below) else annotations


def write_lists(split, out, listing, names, labels):
    """Writes image_list[_val].txt and, where their labels are known, that of the dogs and cats; returns the paths."""
    stem = 'image_list' if split == 'train' else f'image_list_{split}'
    lists = {f'{stem}.txt': (names, labels)}
    if imagenet_files.has_dogs_and_cats(listing):
        chosen = [k for k, label in enumerate(labels) if label in imagenet_files.DOGS_AND_CATS]
        lists[f'{stem}_dog_and_cat.txt'] = [names[k] for k in chosen], [labels[k] for k in chosen]
    paths = []
    for name, (its_names, its_labels) in lists.items():
        paths.append(path := Path(out) / name)
        content = b''.join(list_lines(its_names, its_labels))
        if not path.exists():
            write_list(path, its_names, its_labels)
        elif path.read_bytes() != content:
            raise ValueError(f'{path}: is there and holds other images; move it away, or give another --out')
    return paths


def summary(split, listing, report, paths):
    lines = [f'{split}: {report["n_images"]} images of {len(set(listing.labels))} classes in '
             + ', '.join(map(str, paths))]
    if len(listing.classes) != imagenet_files.N_CLASSES and listing.first_label == 0:
        lines.append(f'  {len(listing.classes)} classes, not {imagenet_files.N_CLASSES}: labels count these; '
                     '--synsets gives those of ImageNet')
    if not imagenet_files.has_dogs_and_cats(listing):
        lines.append('  no list of dogs and cats, whose classes have not their labels here')
    return '\n'.join(lines + report_lines(report))


@functools.partial(one_line_errors, interrupted='interrupted; run the same command again to go on')
def main():
    args = parse_arguments()
    _check(args)
    for split, listing in list_splits(args).items():
        _prepare_split(args, split, listing)


def _check(args):
    if not args.train and not args.val:
        raise ValueError('expected --train or --val')
    check_square_arguments(args)
    for name in ('train', 'val', 'annotations'):
        folder = getattr(args, name)
        if folder and not os.path.isdir(folder):
            raise FileNotFoundError(f'--{name} {folder}: no such folder')


def _prepare_split(args, split, listing):
    make_folder(args.out)
    report = {'n_images': len(listing.names), 'n_changed': {}, 'skipped': listing.passed_over,
              'n_skipped': len(listing.passed_over)}
    paths = []
    formats = tuple(sorted(set(args.formats) - {'list'}))
    if formats:
        report, paths = prepare_squares(args, split, listing, formats, args.annotations)
    names, labels = written(listing, report)
    paths += write_lists(split, args.out, listing, names, labels)
    print(summary(split, listing, report, paths))


if __name__ == '__main__':
    main()
