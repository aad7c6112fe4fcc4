"""Scores a snapshot's samples, or a folder of images, with the feature network that a config names, for example

    python evaluations/calc_inception.py --snapshot results/digits/ResNetGenerator_1250.npz
    python evaluations/calc_inception.py --images my_digits/ --config configs/sn_projection_digits.yml
"""
import argparse
import json
from pathlib import Path

from evaluations.command_line import add_snapshot_arguments, config_path, load_generator, one_line_errors
from source.build import build_dataset, build_feature_network
from source.miscs.devices import get_device
from source.miscs.generate import generate_ims
from source.miscs.results_dir import make_folder, versions
from source.scoring import reference_statistics, score_samples
from source.yaml_utils import ConfigError, load_config

import numpy as np
from PIL import Image
from tqdm import tqdm

IMAGE_SUFFIXES = {'.png', '.jpg', '.jpeg', '.bmp', '.webp'}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_snapshot_arguments(parser, required=False)
    parser.add_argument('--images', metavar='DIR', help='folder of images to score instead of a snapshot')
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--n_images', type=int, help="samples to score; default: the config's")
    parser.add_argument('--splits', type=int, help="of the samples, for the mean and std; default: the config's")
    parser.add_argument('--results_dir', metavar='DIR', help='where to write scores.json; default: beside the snapshot')
    args = parser.parse_args()
    if bool(args.snapshot) == bool(args.images):
        parser.error('expected either --snapshot or --images')
    if args.images and not args.config:
        parser.error('--images needs --config, which names the feature network and the real data')
    if args.images and args.n_images is not None:
        parser.error('--n_images goes with --snapshot; of --images all are scored')
    return args


def read_images(folder, size):
    """All images of a folder, in order of their names: uint8 (N, 3, size, size)."""
    if not Path(folder).is_dir():
        raise ValueError(f'--images {folder}: no such folder')
    paths = sorted(p for p in Path(folder).rglob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise ValueError(f'--images {folder}: no images ({", ".join(sorted(IMAGE_SUFFIXES))}) in it')
    ims = []
    for path in tqdm(paths, unit='image', desc='reading'):
        try:
            with Image.open(path) as image:
                im = np.asarray(image.convert('RGB'))
        except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, …
            raise ValueError(f'{path}: expected an image, found a file Pillow cannot read ({error})') from error
        if im.shape[:2] != (size, size):
            raise ValueError(f'{path}: expected {size}×{size} pixels, found {im.shape[1]}×{im.shape[0]}')
        ims.append(im.transpose(2, 0, 1))
    return np.stack(ims)


@one_line_errors
def main():
    args = parse_arguments()
    source = config_path(args)
    config = load_config(source)
    evaluation = config['evaluation']
    if evaluation['network'] is None:
        raise ConfigError(f'{source}: evaluation.network: missing; expected the name of a feature network')
    n_images, splits = (evaluation[key] if getattr(args, key) is None else getattr(args, key)
                        for key in ('n_images', 'splits'))
    if args.snapshot and not 1 <= splits <= n_images >= 2:
        raise ValueError(f'expected --n_images of at least 2 and --splits from 1 to as many, '
                         f'found {n_images} and {splits}')
    network = build_feature_network(config, str(source))
    dataset = build_dataset(config, str(source), args.data_dir)
    if args.snapshot:
        gen, sampler = load_generator(args)
        ims, y = generate_ims(gen, n_images, sampler)
        what, out = args.snapshot, Path(args.results_dir or Path(args.snapshot).parent)
    else:
        get_device(args.gpu)  # refuses one that is not there
        ims, y = read_images(args.images, dataset.size), None
        what, out = args.images, Path(args.results_dir or '.')
        if not 1 <= splits <= len(ims) >= 2:
            raise ValueError(f'--images {args.images}: expected at least 2 images and --splits from 1 to as many, '
                             f'found {len(ims)} and {splits}')
    scores = score_samples(ims, y, network, reference_statistics(dataset, network), splits)
    record = {'samples': what, 'feature_network': network.name, 'network_sha256': network.digest,
              'n_images': len(ims), 'splits': splits, 'reference': f'{len(dataset)} training images',
              'seed': args.seed if args.snapshot else None, 'versions': versions(), **scores}
    (make_folder(out) / 'scores.json').write_text(json.dumps(record, indent=2) + '\n')
    for name, score in scores.items():
        print(f'{network.name} {name}: {score:.4f}')
    print(f'{len(ims)} images of {what}, {splits} splits, against {len(dataset)} training images; '
          f'written to {out / "scores.json"}')


if __name__ == '__main__':
    main()
