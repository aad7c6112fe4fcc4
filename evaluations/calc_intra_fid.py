"""Intra-FID: the Frechet distance within each class, all training images of it against 5,000 samples of it, and the
mean over classes, for example

    python evaluations/calc_intra_fid.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --n_images 500
    python evaluations/calc_intra_fid.py --images mine/ --against photos/ --network efficientnet_lite0      # of yours

Interrupted, it goes on where it stopped when it is started again: each class, when done, is a line of
intra_fid_classes.jsonl. Stored images are an .npz with labels, or a folder with a subfolder for each class that has its
name in the data set or its number; with --against PATH the subfolders of both are matched by their names.
"""
import hashlib

from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.config.build import class_names_of, n_classes_of, real_images_of
from source.config.checks import ConfigError
from source.evaluation_commands import arguments, inputs, records
from source.evaluation_commands.comparison_table import print_published
from source.files.atomic import file_sha256
from source.files.journal import Journal
from source.scoring.few_images import caution
from source.scoring.intra_fid import intra_fid
from source.scoring.protocols import GIVEN, PROTOCOLS
from source.scoring.real_classes import ClassesOfImages, StatisticsFolder, check_number
from source.scoring.reference import GivenImages, RealImages
from source.scoring.statistics_cache import fingerprint

import numpy as np

N_PER_CLASS = PROTOCOLS['paper'].n_per_class


def parse_arguments():
    parser = arguments.image_parser(__doc__)
    arguments.add_protocol_argument(parser)
    arguments.add_order_argument(parser)
    parser.add_argument('--n_images', type=int, default=N_PER_CLASS, metavar='N',
                        help=f'samples of each class (default: {N_PER_CLASS})')
    arguments.add_against_arguments(parser)
    parser.add_argument('--ref_stats', metavar='DIR', help='folder of class_<c>.npz, from calc_ref_stats --per_class; '
                        'default: computed from the training images')
    arguments.add_network_arguments(parser)
    args = arguments.parse_images(parser)
    if not (args.snapshot or args.config or args.against or args.ref_stats):
        parser.error(arguments.NO_REAL_IMAGES)
    if args.n_images < 2 or (args.protocol and args.n_images != N_PER_CLASS):
        parser.error('--n_images: expected ' + (f'{N_PER_CLASS}, as protocol {args.protocol} says' if args.protocol
                                                else 'at least 2') + f'; got {args.n_images}')
    return args


def check_classes(args, images, real, config, path):
    """Number both sides' classes alike; raise ValueError where either has none, or others."""
    if not images.n_classes:
        raise ValueError(f'{args.snapshot}: of an unconditional generator, which has no classes' if args.snapshot else
                         f'--images {args.images}: expected a subfolder for each class, or labels in the .npz')
    if args.against and not real.n_classes:
        raise ValueError(f'--against {args.against}: expected a subfolder for each class, or labels in the .npz')
    if isinstance(real, ClassesOfImages) and not real.n_classes:
        raise ValueError(f'{path}: dataset: expected real images of several classes, found {real.text} without any')
    if real.names is not None:
        match_own_names(args, images, real, config, path)
        return
    n_classes = real.n_classes if isinstance(real, ClassesOfImages) else n_classes_of(config) if path else 0
    if args.images:
        names = class_names_of(config, path) if path else None
        n_classes = n_classes or (images.n_classes if path else real.n_classes)
        check_number(n_classes, f'--images {args.images}')
        inputs.use_classes(args, images, names, n_classes)
    elif n_classes and n_classes != images.n_classes:
        raise ValueError(f'{args.snapshot}: has {images.n_classes} classes, but the real images have {n_classes}')


def match_own_names(args, images, real, config, path):
    """Number classes that the real images name themselves: stored images' by these names, a snapshot's as its own."""
    try:
        if args.images:
            images.use_names(real.names)
        else:
            real.use_names(class_names_of(config, path) or list(map(str, range(images.n_classes))))
    except ValueError as error:
        raise ValueError(f'--images {args.images}: {error}' if args.images else f'{real.text}: {error}') from None


def protocol_of(args, images, real):
    """The name of what is computed: 'paper' with its number of images of each class; else 'config'."""
    counts = {c: args.n_images if args.snapshot else images.n_of_class(c) for c in range(images.n_classes)}
    smallest = min(counts, key=counts.get)
    if counts[smallest] < args.n_images:
        if args.protocol:
            raise ValueError(f'--images {args.images}: protocol {args.protocol} needs {args.n_images} images of each '
                             f'class, found {counts[smallest]} of class {images.classes.get(smallest, smallest)}')
        name = 'config'
    else:
        name = args.protocol or ('paper' if args.n_images == N_PER_CLASS else 'config')
    if name == 'config' and not (args.config or args.snapshot):
        return f'at most {args.n_images} images of each class'
    return name + GIVEN * real.is_given


def open_journal(args, file, network, images, real):
    settings = {
        'images': file_sha256(args.snapshot) if args.snapshot else fingerprint(images.dataset),
        'n_classes': images.n_classes, 'n_images': args.n_images, **records.network_record(args, network),
        'reference': real.fingerprint, **records.images_record(args, images)}
    for name in ('samples', 'resize'):  # the path, which may change, and what the network's name says
        del settings[name]
    if real.numbering is not None:
        settings['numbering'] = real.numbering
    if args.images:
        settings['labels'] = hashlib.sha256(np.asarray(images.labels, '<i4').tobytes()).hexdigest()
    journal = Journal(file.with_name(f'{file.stem}_classes.jsonl'), 'class', settings)
    if journal.entries:
        print(f'{journal.path}: {len(journal.entries)} of {images.n_classes} classes are done')
    return journal


@one_line_errors
def main():
    args = parse_arguments()
    config, path = inputs.load_settings(args)
    stored = inputs.load_images(args) if args.images else None
    given = inputs.load_against(args)
    network = inputs.load_network(args, config, path, inputs.judged_images(path, stored, given))
    images = stored or inputs.load_images(args)
    real = (StatisticsFolder(args.ref_stats, network) if args.ref_stats else
            ClassesOfImages(RealImages(real_images_of(config, path, args.data_dir)) if given is None else
                            GivenImages(given, args.against), network))
    check_classes(args, images, real, config, path)
    inputs.look_at_statistics(args, network, images, real)
    protocol = protocol_of(args, images, real)
    names = called(args, images, real, config, path)
    records.tell_the_same(args, images, given)
    file = records.result_file(args, 'intra_fid')
    journal = open_journal(args, file, network, images, real)
    with progress_bar(images.n_classes, 'classes', 'class') as bar:
        bar.update(len(journal.entries))
        result = intra_fid(images, real.of_class, network, images.n_classes, args.n_images, journal,
                           lambda _: bar.update())
    classes = [journal.entries[c] for c in range(images.n_classes)]
    report(file, network, {
        **records.images_record(args, images), **records.paper_record(args, config),
        **records.network_record(args, network),
        'protocol': protocol, 'n_images': images_of_each(classes), 'reference': real.text,
        'data': None if args.ref_stats or args.against else records.data_of(config), **result,
        'class_names': names, 'classes': classes})


def called(args, images, real, config, path):
    """What the classes are called, in order, or None where nothing says it."""
    if args.images and real.names:
        return real.names
    try:
        names = class_names_of(config, path) if path else None
    except ConfigError:  # of a user's data set whose file is gone, which samples do not need
        return None
    return names if names and len(names) == images.n_classes else None


def images_of_each(classes):
    """How many images of each class were compared: 5000, or '29 to 31'."""
    counts = [entry['n_images'] for entry in classes if entry['fid'] is not None]
    fewest, most = min(counts, default=0), max(counts, default=0)
    return most if fewest == most else f'{fewest} to {most}'


def few_of_each(network, record):
    """The caution of too few images in a class, a line, or None."""
    compared = [entry for entry in record['classes'] if entry['fid'] is not None]
    real = [entry['n_real'] for entry in compared if entry['n_real'] is not None]
    of_real = f'{min(real)} to {max(real)}' if real else 'a number not known'
    singular = [f'in {record["singular"]} of {len(compared)} classes a covariance has not full rank, from too few '
                f'images for the features of {network.name}'] if record['singular'] else []
    return caution(f'{record["n_images"]} images of each class against {of_real}',
                   [*real, *(entry['n_images'] for entry in compared)], {'fid'}, singular)


def report(file, network, record):
    """Prints what was found and writes it."""
    for c in record['too_few']:
        entry, names = record['classes'][c], record['class_names']
        if entry['n_real'] == entry['n_images'] == 0:  # a gap in the labels of both
            continue
        print(f'class {names and names[c] or c}: {entry["n_real"]} real and {entry["n_images"]} generated images, too '
              'few; left out')
    if record['intra_fid'] is None:
        raise ValueError(f'{record["samples"]}: no class has two real and two generated images')
    few = few_of_each(network, record)
    records.write_record(file, {**record, 'warnings': [few] if few else []})
    print(f'{network.name} intra_fid: {record["intra_fid"]:.4f}  ({records.protocol_text(record)})')
    records.tell_foreign(record)
    if few:
        print(few)
    sizes = [records.sizes_of_classes(entry.get(side) for entry in record['classes'] if entry['fid'] is not None)
             for side in ('sizes', 'real_sizes')]
    parts = [f'mean over {record["n_classes"]} classes', f'{record["n_images"]} images of each of {record["samples"]} '
             f'against {record["reference"]}', *records.size_parts(*sizes)]
    print(f'{", ".join(parts)}; written to {file}')
    print_published(record, file)


if __name__ == '__main__':
    main()
