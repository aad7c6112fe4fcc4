"""Generates a sheet of images per class from a snapshot, for example

    python evaluations/gen_images.py --snapshot results/digits/ResNetGenerator_1200.npz --classes 3 7
"""
import argparse
from pathlib import Path

from evaluations.command_line import add_snapshot_arguments, load_generator, one_line_errors
from source.miscs.generate import generate_ims
from source.miscs.image_sheets import save_sheet
from source.miscs.results_dir import make_folder

import numpy as np


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_snapshot_arguments(parser)
    parser.add_argument('--rows', type=int, default=5, help='of images in a sheet (default: 5)')
    parser.add_argument('--columns', type=int, default=5, help='of images in a sheet (default: 5)')
    parser.add_argument('--classes', type=int, nargs='+', metavar='C', help='class numbers; default: all')
    parser.add_argument('--scale', type=int, default=1, help='repeat each pixel so many times (default: 1)')
    parser.add_argument('--results_dir', metavar='DIR', help='where to write; default: gen_images/ beside the snapshot')
    return parser.parse_args()


@one_line_errors
def main():
    args = parse_arguments()
    for name in ('rows', 'columns', 'scale'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name}: expected at least 1, found {getattr(args, name)}')
    gen, sampler = load_generator(args)
    classes = range(gen.n_classes) if args.classes is None else args.classes
    for c in classes:
        if not 0 <= c < gen.n_classes:
            raise ValueError(f'--classes {c}: the snapshot knows classes 0 to {gen.n_classes - 1}' if gen.n_classes
                             else f'--classes {c}: the snapshot is of an unconditional generator')
    out = make_folder(args.results_dir or Path(args.snapshot).parent / 'gen_images')
    n = args.rows * args.columns
    sheets = [(f'{c}.png', np.full(n, c, np.int32)) for c in classes] or [('samples.png', None)]
    for name, labels in sheets:
        # Differs from sngan_projection: rows and columns keep their order where they differ.
        ims, _ = generate_ims(gen, n, sampler, labels)
        save_sheet(out / name, ims, args.rows, args.columns, args.scale)
    print(f'{len(sheets)} sheet{"s" if len(sheets) > 1 else ""} of {args.rows}×{args.columns} images in {out}/')


if __name__ == '__main__':
    main()
