"""Shows samples beside the real images nearest to them, by L1 in the discriminator's features phi and in pixels, as

    python evaluations/nearest_neighbors.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --k 5

It takes the discriminator beside the generator. Features of the real images are computed once for each of its
snapshots and kept in nearest_neighbors/ beside it.
"""
import json
import time
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.devices import get_device
from source.command_line.one_line_errors import one_line_errors
from source.config.build import build_models, build_real_images
from source.config.yaml_utils import load_config
from source.evaluation_commands import arguments, inputs, records
from source.files.atomic import atomic_write, file_sha256
from source.files.folders import make_folder
from source.miscs.generate import generate_ims
from source.pictures.neighbor_sheets import draw_neighbors
from source.results_folder.snapshot_names import discriminator_beside
from source.results_folder.snapshots import load_model
from source.scoring.neighbors import cached_features, find_neighbors
from source.scoring.statistics_cache import fingerprint

import numpy as np
from PIL import Image


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    arguments.add_snapshot_arguments(parser)
    parser.add_argument('--dis_snapshot', metavar='FILE', help="the discriminator's; default: that of the generator's "
                        'iteration beside it')
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    arguments.add_class_arguments(parser, 'numbers or names of the classes to sample in turn; default: all')
    parser.add_argument('--n', type=int, default=10, metavar='N', help='samples (default: 10)')
    parser.add_argument('--k', type=int, default=5, metavar='K', help='neighbours of each (default: 5)')
    arguments.add_sampling_arguments(parser)
    parser.add_argument('--results_dir', metavar='DIR',
                        help='where to write; default: nearest_neighbors/ beside the snapshot')
    return parser.parse_args()


def load_discriminator(args, config, path):
    """The discriminator on its device, and its file."""
    _, dis = build_models(config, str(path))
    if not hasattr(dis, 'features'):
        raise ValueError(f'{path}: {type(dis).__name__} offers no features')
    file = Path(args.dis_snapshot) if args.dis_snapshot else discriminator_beside(args.snapshot, type(dis).__name__)
    load_model(file, dis)
    dis.to_device(get_device(args.gpu))
    return dis, file


@one_line_errors
def main():
    args = parse_arguments()
    for name in ('n', 'k'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name}: expected at least 1, found {getattr(args, name)}')
    path = inputs.config_path(args)
    config = load_config(path)
    gen, sampler = inputs.load_generator(args)
    classes, _ = inputs.chosen_classes(args, gen)
    dis, file = load_discriminator(args, config, path)
    dataset = build_real_images(config, str(path), args.data_dir)
    if len(dataset) < args.k:
        raise ValueError(f'--k: expected at most {len(dataset)}, the number of real images, found {args.k}')
    labels = np.resize(classes or range(gen.n_classes), args.n) if gen.n_classes else None
    ims, y = generate_ims(gen, args.n, sampler, labels)
    if dataset.size != ims.shape[-1]:
        raise ValueError(f'{path}: dataset: images are {dataset.size}x{dataset.size}, samples {ims.shape[-1]} wide')
    out = make_folder(args.results_dir or Path(args.snapshot).parent / 'nearest_neighbors')
    feats = cached_features(dis, dataset, out / f'features_{file.stem}.npy',
                            {'discriminator_sha256': file_sha256(file), 'images': fingerprint(dataset)})
    start = time.perf_counter()
    neighbors = find_neighbors(ims, y, dis, dataset, feats, args.k)
    seconds = time.perf_counter() - start
    image, record = out / f'{Path(args.snapshot).stem}.png', out / f'{Path(args.snapshot).stem}.json'
    records.tell_replaced([image])
    with atomic_write(image) as written:
        Image.fromarray(draw_neighbors(neighbors, dataset)).save(written, 'PNG')
    with atomic_write(record) as written:
        written.write((json.dumps({
            'samples': args.snapshot, 'discriminator': str(file), 'seed': args.seed, 'n_real': len(dataset),
            'labels': None if y is None else y.tolist(),
            **{name: {'indices': indices.tolist(), 'distances': distances.tolist(),
                      'labels': dataset.labels[indices].tolist()}
               for name, (indices, distances) in neighbors.by.items()}}, indent=2) + '\n').encode())
    print(f'{image}: {args.n} samples, each with the {args.k} nearest of {len(dataset)} real images in phi and in '
          f'pixels ({seconds:.1f} s); numbers in {record}')


if __name__ == '__main__':
    main()
