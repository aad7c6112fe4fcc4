"""Times how fast images are read for training, uint8 and cropped, from the packed file and from others, for example

    python benchmarks/bench_data.py --out benchmarks/results/data.json

Images are pieces of scikit-learn's photographs, in a temporary folder and in the system's cache; each run is a process
of its own, and the sides take turns. `cores_used` tells whether the machine was free: where it was not, images_per_
cpu_second times the cores is what a free one reads. The last rows open as many images as ImageNet has, for memory.
"""
import datetime
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.bench_step import machine
from benchmarks.peer_process import run_peer
from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.datasets.packed_file import HEADER_BYTES, PackedWriter, header, save_labels

import h5py
import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

N_IMAGENET = 1281167
JPEG_SHAPE, JPEG_QUALITY = (500, 375), 90
READS = {'whole': {'augmentation': False, 'crop_ratio': 1.}, 'flip': {'augmentation': True, 'crop_ratio': 1.},
         'crop 0.9, flip': {'augmentation': True, 'crop_ratio': .9}}
FORMATS = {'packed': ('packed', 'train.npy'), 'h5py, contiguous': ('h5', 'contiguous.h5'),
           'h5py, a chunk an image': ('h5', 'chunked.h5'), 'folder of JPEGs': ('folder', 'list.txt')}


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--size', type=int, default=128, help='of the images, in pixels (default: 128)')
    parser.add_argument('--n_images', type=int, default=4096, metavar='N',
                        help='images in the packed file (default: 4096)')
    parser.add_argument('--n_jpegs', type=int, default=512, metavar='N', help='images in the folder (default: 512)')
    parser.add_argument('--n_full', type=int, default=N_IMAGENET, metavar='N',
                        help=f'images opened for the memory they take (default: {N_IMAGENET})')
    parser.add_argument('--batchsize', type=int, default=64, help='images in a batch (default: 64)')
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2], metavar='N', help='threads (default: 1 2)')
    parser.add_argument('--rounds', type=int, default=3, metavar='K', help='runs of each side (default: 3)')
    parser.add_argument('--seconds', type=float, default=2, help='of a run, warm-up left out (default: 2)')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write, as benchmarks/results/data.json')
    return parser.parse_args()


def pieces(n, shape):
    """n pieces of the photographs, PIL images of this shape."""
    rng = np.random.RandomState(0)
    photos = [Image.fromarray(photo) for photo in load_sample_images().images]
    for k in range(n):
        photo, scale = photos[k % len(photos)], rng.uniform(.5, 1.)
        width, height = (int(extent * scale) for extent in photo.size)
        left, top = rng.randint(photo.width - width + 1), rng.randint(photo.height - height + 1)
        yield photo.resize(shape, Image.Resampling.BILINEAR, (left, top, left + width, top + height))


def write_data(root, args):
    """Writes the same images in every format, and JPEGs as ImageNet has them, with their list."""
    ims = np.stack([np.asarray(image) for image in pieces(args.n_images, (args.size, args.size))])
    with PackedWriter(root / 'train.npy', args.size) as writer:
        writer.write(ims)
        writer.finish(len(ims))
    save_labels(root / 'train.npy', np.arange(len(ims)) % 1000)
    for name, chunks in (('contiguous.h5', None), ('chunked.h5', (1, *ims.shape[1:]))):
        with h5py.File(root / name, 'w') as file:
            file.create_dataset('ims', data=ims, chunks=chunks)
    lines = []
    (root / 'n01440764').mkdir()
    for k, image in enumerate(pieces(args.n_jpegs, JPEG_SHAPE)):
        lines.append(f'n01440764/n01440764_{k}.JPEG {k % 1000}\n')
        image.save(root / lines[-1].split()[0], quality=JPEG_QUALITY)
    (root / 'list.txt').write_text(''.join(lines))
    with open(root / 'full.npy', 'wb') as file:  # takes no room on the disk: all zeros, never written
        file.write(header(args.n_full, args.size))
        file.truncate(HEADER_BYTES + args.n_full * 3 * args.size ** 2)
    save_labels(root / 'full.npy', np.arange(args.n_full) % 1000)
    (root / 'full.txt').write_text(''.join(lines[k % len(lines)] for k in range(args.n_full)))


def requests(args):
    """{name: what its process is asked}; the folder is read with one crop only, as decoding takes the time."""
    common = {'size': args.size, 'batchsize': args.batchsize, 'seconds': args.seconds, 'like': 'train.npy'}
    found = {}
    for kind, (module, path) in FORMATS.items():
        n = args.n_jpegs if module == 'folder' else args.n_images
        for read, options in READS.items():
            for workers in args.workers:
                if module != 'folder' or read == list(READS)[-1]:
                    found[f'{kind}; {read}; {workers} workers'] = {
                        **common, **options, 'format': module, 'path': path, 'workers': workers, 'warm_up': n}
    for kind, path in (('packed', 'full.npy'), ('folder', 'full.txt')):
        workers = args.workers[-1]
        found[f'{kind}, {args.n_full} images; crop 0.9, flip; {workers} workers'] = {
            **common, **READS['crop 0.9, flip'], 'format': kind, 'path': path, 'workers': workers, 'warm_up': 0}
    return found


def compare(args, say):
    """{side: medians of its runs, and the runs} and the versions."""
    with tempfile.TemporaryDirectory() as root:
        write_data(Path(root), args)
        sides = requests(args)
        runs = {side: [] for side in sides}
        for i in range(args.rounds):
            for side, request in sides.items():
                run = run_peer(side, 'data_reading', {**request, 'root': root}, 1, sys.executable)
                versions = run.pop('versions')
                runs[side].append(run)
                say(f'round {i + 1}, {side}: {run["images_per_second"]:.0f} images/s on {run["cores_used"]:.2f} cores, '
                    f'{run["images_per_cpu_second"]:.0f} a core, {run["own_bytes_added"] / 2 ** 20:.0f} MiB')
    return {side: {**{name: median(run[name] for run in its) for name in its[0]}, 'runs': its}
            for side, its in runs.items()}, versions


@one_line_errors
def main():
    args = parse_arguments()
    for name, lowest in (('size', 1), ('n_images', 1), ('n_jpegs', 1), ('n_full', 1), ('batchsize', 1), ('rounds', 1),
                         ('seconds', 0)):
        if not getattr(args, name) >= lowest:
            raise ValueError(f'--{name}: expected at least {lowest}, found {getattr(args, name)}')
    where = machine()
    if where['load_before'] > .5:
        print(f'warning: the machine is busy (load {where["load_before"]}): see cores_used', file=sys.stderr)
    figures, versions = compare(args, lambda line: print(line, flush=True))
    results = {
        'what': f'batches of {args.batchsize} images, uint8 (3, {args.size}, {args.size}), in random order from a warm '
                f'cache: {args.n_images} packed, {args.n_jpegs} JPEGs of {JPEG_SHAPE[0]}x{JPEG_SHAPE[1]}',
        'unit': 'images/s, bytes', 'machine': where, 'versions': versions, 'date': datetime.date.today().isoformat(),
        'command': f'python benchmarks/bench_data.py --rounds {args.rounds} --seconds {args.seconds:g}',
        'figures': figures}
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(json.dumps(results, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
