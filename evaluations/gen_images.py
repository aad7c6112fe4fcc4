"""Generates images: a sheet per class, or --n images as files or one .npz. Without a snapshot they are of the generator
that comes with the project. For example

    python evaluations/gen_images.py
    python evaluations/gen_images.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --classes 3 seven
    python evaluations/gen_images.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --n 50000 --npz
"""

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.config.build import class_names_of
from source.config.yaml_utils import load_config
from source.evaluation_commands import arguments, inputs, records
from source.files.folders import make_folder, whole_folder
from source.miscs.generate import generate_batches, generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.pictures.image_sheets import GAP, fitting_scale, make_sheet, save_picture
from source.pictures.image_writers import folder_names, write_files, write_npz
from source.pictures.labelled_sheets import heading_of, with_columns_named

import numpy as np

SHEET = {'rows': 5, 'columns': 5, 'scale': None, 'same_latents': False}  # what goes with sheets alone, with defaults


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    arguments.add_generator_arguments(parser)
    arguments.add_class_arguments(parser, 'class numbers or names; default: all')
    parser.add_argument('--rows', type=int, metavar='N', help='of images in a sheet (default: 5)')
    parser.add_argument('--columns', type=int, metavar='N', help='of images in a sheet (default: 5)')
    parser.add_argument('--scale', type=int, metavar='N',
                        help='of a sheet: repeat each pixel so many times (default: so that it is about 512 px)')
    parser.add_argument('--same_latents', action='store_true', help='the same latents in the sheet of every class')
    parser.add_argument('--n', type=int, metavar='N', help='instead of sheets: N single images, of the classes in turn '
                        'or, without --classes, of random ones as in scoring, into images/<class>/')
    parser.add_argument('--npz', action='store_true', help='with --n: into samples.npz, arrays ims and labels')
    arguments.add_sampling_arguments(parser)
    args = parser.parse_args()
    arguments.complete_generator_arguments(parser, args)
    if args.npz and args.n is None:
        parser.error('--npz goes with --n')
    for name, default in SHEET.items():
        if args.n is not None and getattr(args, name):
            parser.error(f'--{name} goes with sheets, not with --n')
        if getattr(args, name) is None:
            setattr(args, name, default)
    return args


def write_sheets(args, gen, sampler, classes, names, out):
    n = args.rows * args.columns
    sheets = ([(f'{c}.png', np.full(n, c, np.int32), [heading_of(c, names)]) for c in classes]
              or [('samples.png', None, [])])
    records.tell_replaced(out / name for name, _, _ in sheets)
    with progress_bar(len(sheets), 'sheets', 'sheet') as bar:
        for name, labels, heading in sheets:
            if args.same_latents:
                sampler = NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, args.seed, args.truncation)
            # Differs from sngan_projection: rows and columns keep their order where they differ.
            ims, _ = generate_ims(gen, n, sampler, labels)
            scale = args.scale or fitting_scale(ims, args.rows, args.columns)
            sheet = make_sheet(ims, args.rows, args.columns, scale, GAP)
            save_picture(out / name, with_columns_named(sheet, heading), args.snapshot)
            bar.update()
    print(f'{len(sheets)} sheet{"s" if len(sheets) > 1 else ""} of {args.rows}x{args.columns} images in {out}/')


def write_images(args, gen, sampler, classes, names, out):
    labels = None if classes is None else np.resize(np.array(classes, np.int32), args.n)
    with progress_bar(args.n, 'images') as bar:
        batches = _shown(generate_batches(gen, args.n, sampler, labels), bar)
        if args.npz:
            path = out / 'samples.npz'
            records.tell_replaced([path])
            write_npz(path, batches, args.n)
        else:
            path = out / 'images'
            with whole_folder(path) as folder:
                write_files(folder, batches, args.n, names)
    print(f'{args.n} images in {path}{"" if args.npz else "/"}')


def _shown(batches, bar):
    for ims, y in batches:
        yield ims, y
        bar.update(len(ims))


@one_line_errors
def main():
    args = parse_arguments()
    for name in ('rows', 'columns', 'scale', 'n'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f'--{name}: expected at least 1, found {getattr(args, name)}')
    gen, sampler = inputs.load_generator(args)
    classes, names = inputs.chosen_classes(args, gen)
    if len(set(classes or ())) < len(classes or ()):
        raise ValueError(f'--classes: expected each once, found {", ".join(args.classes)}')
    out = make_folder(args.results_dir)
    if args.n is not None:
        path = inputs.config_path(args)
        names = folder_names(class_names_of(load_config(path), str(path)))
        write_images(args, gen, sampler, classes or None, names if gen.n_classes else None, out)
    else:
        write_sheets(args, gen, sampler, range(gen.n_classes) if classes is None else classes, names, out)


if __name__ == '__main__':
    main()
