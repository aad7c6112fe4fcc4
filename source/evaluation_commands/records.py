"""The record of what a command found, and what it says beside the scores."""
import contextlib
import json
import re
import sys
from pathlib import Path

from source.command_line.short_texts import shortened
from source.command_line.standard_streams import tell
from source.config.checks import ConfigError
from source.config.paper_batches import other_batch
from source.config.yaml_utils import load_config
from source.files.atomic import atomic_write
from source.files.folders import make_folder
from source.files.plain_json import read_json
from source.results_folder.results_dir import versions
from source.results_folder.snapshot_names import iteration_in
from source.scoring.statistics_cache import fingerprint

# What makes a record one of something else, where it differs.
WHAT_IT_IS_OF = ('samples', 'feature_network', 'network_sha256', 'protocol', 'real', 'reference', 'n_images', 'splits',
                 'data', 'seed', 'order')
LATER = 'data', 'order'  # which records of earlier versions lack


def result_file(args, kind):
    """`<kind>.json`, or `<kind>_<protocol>.json` where one is named: beside the snapshot, if not told otherwise."""
    folder = Path(args.results_dir or (Path(args.snapshot).parent if args.snapshot else '.'))
    return folder / f'{kind}{f"_{args.protocol}" if args.protocol else ""}.json'


def data_of(config):
    """The data set of a config, as a record names it."""
    data = config['dataset']
    args = ', '.join(f'{name}={shortened(value)}' for name, value in data['args'].items())
    return f'{data["dataset_name"]}({args})'


def paper_record(args, config):
    """The row of the published numbers that a config names, and how a snapshot's batches and iteration differ, or None.

    The config.yml beside the snapshot says which batches it had, whatever config is named.
    """
    row, snapshot = config['paper_row'], getattr(args, 'snapshot', None)
    if row is None:
        return {'paper_row': None, 'other_batch': None, 'other_iteration': None}
    trained, beside = {**config, 'processes': None}, snapshot and Path(snapshot).with_name('config.yml')
    if beside and beside.is_file():
        with contextlib.suppress(ConfigError):
            trained = load_config(beside)
    found = snapshot and iteration_in(Path(snapshot).name, config['models']['generator']['name'])
    other = found and found[0] != config['iteration'] and (
        f'of iteration {found[0]}, the numbers of {row} of {config["iteration"]}')
    return {'paper_row': row, 'other_batch': other_batch({**trained, 'paper_row': row, 'paper': config['paper']}),
            'other_iteration': other or None}


def network_record(args, network):
    return {'feature_network': network.name, 'network_sha256': network.digest, 'foreign_judge': network.foreign,
            'resize': args.resize}


def protocol_text(record):
    """What stands beside a score: its protocol, and whether the judge is foreign to the data."""
    return f'protocol {record["protocol"]}' + ('; a foreign judge' if record['foreign_judge'] else '')


def sizes_of_classes(texts):
    """What image_sizes.py said of each class, None where that is not known, as said of all; None where none is."""
    texts = set(texts) - {None}
    if len(texts) < 2:
        return next(iter(texts), None)
    ends = [size for text in texts for size in re.findall(r'(\d+)x(\d+)', text)]
    first, *_, last = sorted({(int(w), int(h)) for w, h in ends}, key=lambda size: (size[0] * size[1], size))
    counts = sorted({int((re.match(r'(\d+) sizes', text) or (0, 1))[1]) for text in texts})
    n = ' to '.join(map(str, (counts[0], counts[-1])[:len(counts)]))
    shape = ' (WxH)' if any('WxH' in text for text in texts) else ''
    return f'{n} size{"s" * (counts[-1] > 1)} a class, {first[0]}x{first[1]} to {last[0]}x{last[1]}{shape}'


def size_parts(sizes, real_sizes):
    """What is said of the sizes of images on either side, None where they are not known: nothing of a common one."""
    if real_sizes and sizes != real_sizes:
        return [f'of {sizes} against {real_sizes}']
    return [f'of {sizes}'] if ' size' in (sizes or '') else []


def tell_the_same(args, images, given):
    """Says where the stored images are compared with themselves, which is hardly meant."""
    if args.images and given is not None and fingerprint(images.dataset) == fingerprint(given):
        tell(f'warning: --images {args.images} and --against {args.against} are the same images: their distance is 0 '
             'but for rounding')


def tell_foreign(record):
    if record['foreign_judge']:
        print(f'note: {record["foreign_judge"]}: these scores say little of the images')


def images_record(args, images):
    """What is scored, and what its order and draws depend on."""
    order = None if args.snapshot else images.order
    return {'samples': args.snapshot or args.images, 'seed': args.seed if order in (None, 'drawn') else None,
            'order': order}


def write_record(path, record):
    """Writes what a command found as JSON, with the versions of all packages, whole or not at all.

    A record of something else that was there is replaced, and that is said on standard error.
    """
    make_folder(path.parent)
    _tell_what_is_replaced(path, record)
    with atomic_write(path) as file:
        file.write((json.dumps({**record, 'versions': versions()}, indent=2) + '\n').encode())


def _tell_what_is_replaced(path, record):
    try:
        earlier = read_json(path)
    except FileNotFoundError:
        return
    except ValueError:
        earlier = None
    if not isinstance(earlier, dict):
        print(f'{path}: replaced, what was no record', file=sys.stderr)
        return
    differing = [f'no {name}' if earlier.get(name) is None else f'{name} {earlier[name]}'
                 for name in WHAT_IT_IS_OF if earlier.get(name) != record.get(name)
                 and (name in earlier or name not in LATER)]
    if differing:
        print(f'{path}: replaced, which was of {", ".join(differing)}; --results_dir keeps both', file=sys.stderr)
    elif lost := [name for name in earlier if name not in record and isinstance(earlier[name], float)]:
        print(f'{path}: replaced, which had {", ".join(lost)} too; --results_dir keeps both', file=sys.stderr)


def tell_replaced(paths, hint='--results_dir keeps both'):
    """Says on standard error which of these files are there already, as they will be replaced."""
    there = [str(path) for path in paths if Path(path).exists()]
    if there:
        more = f' and {len(there) - 1} more' if len(there) > 1 else ''
        print(f'{there[0]}{more}: replaced; {hint}', file=sys.stderr)
