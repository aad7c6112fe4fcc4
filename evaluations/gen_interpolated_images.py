"""Generates images on the way between classes or latents, for example

    python evaluations/gen_interpolated_images.py --classes 3 eight    # of the generator that comes with the project
    python evaluations/gen_interpolated_images.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --morph latents
    python evaluations/gen_interpolated_images.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --animate gif

`--morph classes` (for conditional generators the default) blends the classes in conditional batch normalization, each
row at one latent; with more than two classes a row passes them one after the other. `--morph latents` goes along the
sphere from one latent to another, each row of one class. `--morph corners` fills a square between four corners: four
classes at one latent or, with one class or none, four latents. `--animate` goes through all of --classes (default: all
there are, or ten of more than twenty) and back to the first; with `--morph latents` through --n_zs latents.
"""

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.evaluation_commands import arguments, inputs, records
from source.files.folders import make_folder
from source.miscs.generate import generate_from
from source.miscs.interpolation import blend_weights, corner_latents, corner_weights, round_trip, way_between
from source.pictures.animations import MOST_OF_A_GIF, save_animation, video_writer
from source.pictures.image_sheets import GAP, fitting_scale, make_sheet, save_picture
from source.pictures.labelled_sheets import heading_of, name_of, with_columns_named, with_rows_named

import numpy as np

ANIMATED = 8  # images in each frame of an animation, two rows of them
ANIMATION = {'frames': 16, 'fps': 15}  # what goes with one alone, with defaults
MAX_CLASSES, N_DRAWN = 20, 10  # with more classes, an animation goes through so many of them


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    arguments.add_generator_arguments(parser)
    arguments.add_class_arguments(parser, 'numbers or names; default: two drawn with the seed (--animate: all, or ten '
                            'drawn of more than twenty)')
    parser.add_argument('--n_zs', type=int, default=5, metavar='N', help='rows, of a latent each (default: 5)')
    parser.add_argument('--n_intp', type=int, default=5, metavar='N',
                        help='images from one class or latent to the next, both counted (default: 5)')
    parser.add_argument('--morph', choices=('classes', 'latents', 'corners'),
                        help='what changes from image to image (default: classes, or latents for an unconditional '
                        'generator); corners: four classes at the corners of a square')
    parser.add_argument('--animate', choices=('gif', 'mp4'), help='an animation instead of a sheet')
    parser.add_argument('--frames', type=int, metavar='N',
                        help='of an animation, from one class or latent to the next (default: 16)')
    parser.add_argument('--fps', type=int, metavar='N', help='of an animation: frames a second (default: 15)')
    parser.add_argument('--scale', type=int, metavar='N',
                        help='repeat each pixel so many times (default: so that a sheet or frame is about 512 px)')
    arguments.add_sampling_arguments(parser)
    args = parser.parse_args()
    arguments.complete_generator_arguments(parser, args)
    if args.animate and args.morph == 'corners':
        parser.error('--animate goes with --morph classes or latents')
    for name, default in ANIMATION.items():
        if not args.animate and getattr(args, name) is not None:
            parser.error(f'--{name} goes with --animate')
        if getattr(args, name) is None:
            setattr(args, name, default)
    return args


def check(args, gen, classes):
    """The morph to make; raises ValueError where the arguments don't fit it or the generator."""
    for name, least in (('n_zs', 1), ('n_intp', 2), ('frames', 1), ('fps', 1), ('scale', 1)):
        if getattr(args, name) is not None and getattr(args, name) < least:
            raise ValueError(f'--{name}: expected at least {least}, found {getattr(args, name)}')
    if args.animate == 'gif' and args.fps > MOST_OF_A_GIF:
        raise ValueError(f'--fps: expected at most {MOST_OF_A_GIF} for a GIF, found {args.fps}')
    morph = args.morph or ('classes' if gen.n_classes else 'latents')
    if morph == 'classes' and not gen.n_classes:
        raise ValueError(f'--morph classes: {args.snapshot} is of an unconditional generator; expected latents or '
                         'corners')
    n = None if classes is None else len(classes)
    if morph == 'classes' and n is not None and n < 2:
        raise ValueError(f'--classes: expected at least two classes to go between, found {n}')
    if morph == 'classes' and n is not None and any(a == b for a, b in zip(classes, classes[1:])):
        raise ValueError(f'--classes: expected another class after each, found {", ".join(args.classes)}')
    if morph == 'corners' and n not in (None, 0, 1, 4):
        raise ValueError(f'--classes: expected four classes for the corners, or one, found {n}')
    if morph == 'latents' and args.animate and args.n_zs < 2:
        raise ValueError(f'--n_zs: expected at least two latents to go between, found {args.n_zs}')
    return morph


def class_rows(args, gen, sampler, classes):
    """A row for each of n_zs latents, through all classes: (ims, columns)."""
    pairs = list(zip(classes, classes[1:]))
    y, weights = [], []
    for i, pair in enumerate(pairs):
        first = 1 if i else 0  # a class between two ways is shown once
        weights.append(blend_weights(args.n_intp)[first:])
        y.append(np.repeat([pair], args.n_intp - first, axis=0))
    y, weights = np.concatenate(y), np.concatenate(weights)
    z = np.repeat(sampler.continuous(args.n_zs), len(y), axis=0)
    return generate_from(gen, z, np.tile(y, (args.n_zs, 1)), np.tile(weights, (args.n_zs, 1))), len(y)


def latent_rows(args, gen, sampler, classes):
    """A row for each of n_zs pairs of latents, of the classes in turn: (ims, columns)."""
    starts, ends = sampler.continuous(args.n_zs), sampler.continuous(args.n_zs)
    z = way_between(gen.distribution)(starts, ends, np.linspace(0, 1, args.n_intp))
    z = z.transpose(1, 0, 2).reshape(args.n_zs * args.n_intp, -1)
    y = np.repeat(np.resize(classes, args.n_zs), args.n_intp) if gen.n_classes else None
    return generate_from(gen, z, y), args.n_intp


def corners(args, gen, sampler, classes):
    """A grid of n_zs × n_intp between four classes or four latents: (ims, columns)."""
    n = args.n_zs * args.n_intp
    if gen.n_classes and len(classes) == 4:
        z = np.repeat(sampler.continuous(1), n, axis=0)
        return generate_from(gen, z, np.repeat([classes], n, axis=0),
                             corner_weights(args.n_zs, args.n_intp)), args.n_intp
    z = corner_latents(sampler.continuous(4), args.n_zs, args.n_intp, way_between(gen.distribution))
    return generate_from(gen, z, np.resize(classes, n) if gen.n_classes else None), args.n_intp


def frames(args, gen, sampler, morph, classes):
    """The frames of an animation, each of ANIMATED images, uint8 (height, width, 3)."""
    if morph == 'classes':
        zs = sampler.continuous(ANIMATED)
        for a, b, weight in round_trip(classes, args.frames):
            y, weights = np.repeat([[a, b]], ANIMATED, axis=0), np.repeat([[1 - weight, weight]], ANIMATED, axis=0)
            yield _frame(generate_from(gen, zs, y, weights), args.scale)
    else:
        stations = [sampler.continuous(ANIMATED) for _ in range(args.n_zs)]
        y = np.resize(classes, ANIMATED) if gen.n_classes else None
        between = way_between(gen.distribution)
        for a, b, weight in round_trip(stations, args.frames):
            yield _frame(generate_from(gen, between(a, b, weight), y), args.scale)


def _frame(ims, scale):
    rows, columns = 2, ANIMATED // 2
    return make_sheet(ims, rows, columns, scale or fitting_scale(ims, rows, columns), GAP)


def labelled(sheet, args, morph, classes, names):
    """A sheet with its classes' names: over columns, at four corners, beside rows; of a single class as a heading."""
    if not classes:
        return sheet
    texts, between = [name_of(c, names) for c in classes], [None] * (args.n_intp - 2)
    if morph == 'classes':
        return with_columns_named(sheet, [t for text in texts[:-1] for t in (text, *between)] + texts[-1:])
    if len(classes) == 1:
        return with_columns_named(sheet, [heading_of(classes[0], names)])
    if morph == 'latents':
        return with_rows_named(sheet, np.resize(texts, args.n_zs).tolist())
    first, second, third, fourth = texts
    return with_columns_named(sheet, [first, *between, second], [third, *between, fourth])


@one_line_errors
def main():
    args = parse_arguments()
    if args.animate == 'mp4':
        video_writer()  # what is missing is said before all images are made
    gen, sampler = inputs.load_generator(args)
    classes, names = inputs.chosen_classes(args, gen)
    morph = check(args, gen, classes or None)
    if not classes and gen.n_classes:
        drawn = np.random.RandomState(args.seed).permutation(gen.n_classes).tolist()
        classes = (drawn[:N_DRAWN] if args.animate and gen.n_classes > MAX_CLASSES else
                   list(range(gen.n_classes)) if args.animate or morph == 'latents' else
                   drawn[:4] if morph == 'corners' and gen.n_classes >= 4 else drawn[:2])
        if morph == 'classes' and len(classes) < 2:
            raise ValueError(f'{args.snapshot}: knows one class, so there is no way between two')
        if morph == 'corners' and len(classes) != 4:
            classes = classes[:1]
    out = make_folder(args.results_dir)
    named = f'_{"-".join(map(str, classes))}' if classes and len(classes) <= 4 else ''
    if args.animate:
        path = out / f'morph_{morph}{named}.{args.animate}'
        records.tell_replaced([path])
        n = args.frames * (len(classes) if morph == 'classes' else args.n_zs)
        with progress_bar(n, 'frames', 'frame') as bar:
            made = []
            for frame in frames(args, gen, sampler, morph, classes):
                made.append(frame)
                bar.update()
        save_animation(path, made, args.fps, args.snapshot)
        of = f', classes {", ".join(map(str, classes))}' if classes else ''
        print(f'{path}: {n} frames, {morph}{of}')
        return
    path = out / f'{"interpolated_images" if morph == "classes" else morph}{named}.png'
    records.tell_replaced([path])
    make = {'classes': class_rows, 'latents': latent_rows, 'corners': corners}[morph]
    ims, columns = make(args, gen, sampler, classes)
    rows = len(ims) // columns
    sheet = make_sheet(ims, rows, columns, args.scale or fitting_scale(ims, rows, columns), GAP)
    save_picture(path, labelled(sheet, args, morph, classes, names), args.snapshot)
    between = '' if not gen.n_classes else f', class{"es" * (len(classes) > 1)} {", ".join(map(str, classes))}'
    print(f'{path}: {rows}x{columns} images, {morph}{between}')


if __name__ == '__main__':
    main()
