"""Cropping and resizing all images of a listing once and for all: in parallel, resumable, with a report of every file.

What is written of a split, say `train` at 128 px, into a folder:

| file | |
| --- | --- |
| train_128.npy, train_128_labels.npy | the packed images (packed_file.py), row k of line k of the list |
| train_128/n########/*.png, train_128/image_list.txt | the same squares as files, with a list of their own |
| train_128_boxes.csv | where there are annotations: the boxes, in pixels of the squares |
| train_128_report.json | how many images were written; the name of every other file, and why; written last |

While it is being made everything is in train_128.part/; what is interrupted, even killed, goes on from there.
"""
import contextlib
import csv
import io
import json
import os
import shutil
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from source.datasets.listing import list_lines
from source.datasets.packed_file import AppendedFile, PackedWriter, labels_path, save_labels
from source.datasets.preparation_report import are_entries, is_report, make_report, written
from source.datasets.prepared_images import png_name, prepare_chunk
from source.files.atomic import atomic_write
from source.files.folders import make_folder
from source.files.journal import Journal
from source.files.lock import claimed
from source.files.plain_json import one_line, read_json

FORMATS = ('packed', 'folder')
CHUNK = 64  # images a worker takes at once
SYNC_EVERY = 512  # images between two lines of the journal, each after the images are on the disk
BOX_COLUMNS = ('row', 'name', 'wnid', 'xmin', 'ymin', 'xmax', 'ymax')
LIST_NAME = 'image_list.txt'


def prepare(listing, split, out, settings, workers=1, progress=None):
    """Write the images of a Listing as `split`_`size` into the folder `out`; return the report, as the .json holds it.

    What is there already, whole and of the same images and settings, is left as it is; what was begun goes on.
    `progress(total, initial)` makes a bar with `update(n)`, as tqdm. The results do not depend on `workers`, the
    number of threads. Raises ValueError where something else is there, the disk is too small or no image can be read.
    """
    made_of = {'split': split, 'images': listing.digest(), 'n_files': len(listing.names), 'size': settings.size,
               'resize_method': settings.resize_method, 'formats': sorted(settings.formats),
               'annotations': settings.annotations is not None}
    paths = _Paths(make_folder(out), f'{split}_{settings.size}')
    report = _finished(paths, made_of, settings)
    if report is not None:
        return report
    with claimed(make_folder(paths.part), f'{paths.part}: another process is at work in it'):
        journal = Journal(paths.in_part('journal.jsonl'), 'n_files', made_of)
        if not are_entries(journal.entries.values(), len(listing.names)):
            raise ValueError(f'{journal.path}: expected the journal of an interrupted preparation, found entries that '
                             f'are none; remove {paths.part} to begin anew')
        if not os.path.exists(paths.in_part('whole')):
            _make(listing, split, paths, settings, workers, journal, progress or (lambda total, initial: None))
        report = make_report(listing, made_of, journal.entries.values())
        if report['n_images'] == 0:
            raise ValueError(f'{listing.root}: expected images, found none that can be read; '
                             f'{paths.in_part("journal.jsonl")} says why')
        _publish(paths, listing, settings, report)
    return report


def _make(listing, split, paths, settings, workers, journal, progress):
    """Goes on with the part folder from the journal's last line to the end."""
    done = max(journal.entries, default=0)
    state = journal.entries.get(done, {'n_rows': 0, 'box_bytes': 0})
    n_rows, box_bytes = state['n_rows'], state['box_bytes']
    _check_room(paths, listing, settings, n_rows)
    with contextlib.ExitStack() as stack:
        sinks = [boxes := stack.enter_context(AppendedFile(paths.in_part('boxes.csv'), box_bytes))]
        if box_bytes == 0:
            box_bytes = boxes.write((','.join(BOX_COLUMNS) + '\n').encode())
        packed = None
        if 'packed' in settings.formats:
            packed = stack.enter_context(PackedWriter(paths.in_part('images.npy'), settings.size, n_rows))
            sinks.append(packed)
        bar = progress(total=len(listing.names), initial=done)
        if bar is not None:
            stack.enter_context(contextlib.closing(bar))
        skipped, changed = [], []
        for n_files, found in _in_parallel(listing, split, paths, settings, workers, done):
            box_bytes += boxes.write(_box_lines(found.boxes, n_rows))
            n_rows += len(found.ims)
            skipped, changed = skipped + found.skipped, changed + found.changed
            if packed is not None:
                packed.write(found.ims)
            if n_files - done >= SYNC_EVERY or n_files == len(listing.names):
                for sink in sinks:
                    sink.sync()
                journal.add({'n_files': n_files, 'n_rows': n_rows, 'box_bytes': box_bytes, 'skipped': skipped,
                             'changed': changed})
                if bar is not None:
                    bar.update(n_files - done)
                done, skipped, changed = n_files, [], []
        if packed is not None:
            packed.finish(n_rows)
    with atomic_write(paths.in_part('whole')):
        pass


class _Paths:
    def __init__(self, out, name):
        self.images, self.folder = out / f'{name}.npy', out / name
        self.boxes, self.report = out / f'{name}_boxes.csv', out / f'{name}_report.json'
        self.part = out / f'{name}.part'

    def in_part(self, name):
        return str(self.part / name)


def _finished(paths, made_of, settings):
    """The report of what is there, or None where there is nothing."""
    if not paths.report.exists():
        left = [path for path in (paths.images, paths.folder) if path.exists() and not paths.part.exists()]
        if left:
            raise ValueError(f'{left[0]}: is there, but without its report, {paths.report.name}; '
                             'move it away, or give another --out')
        return None
    try:
        report = read_json(paths.report)
        found = report['made_of']
        differing = [name for name in {**made_of, **found} if made_of.get(name) != found.get(name)]
        if not is_report(report):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f'{paths.report}: expected the report of what was prepared, found something else') from None
    if differing:
        raise ValueError(f'{paths.report}: is of other images or settings: {one_line(differing[0])}: expected '
                         f'{one_line(made_of.get(differing[0]))}, found {one_line(found.get(differing[0]))}; '
                         'give another --out')
    for kind, path in (('packed', paths.images), ('folder', paths.folder)):
        if kind in settings.formats and not path.exists():
            raise ValueError(f'{path}: expected it beside {paths.report.name}, found nothing; remove that to make it')
    shutil.rmtree(paths.part, ignore_errors=True)  # of a run killed in its last moment
    return report


def _check_room(paths, listing, settings, n_rows):
    n_bytes = (len(listing.names) - n_rows) * 3 * settings.size ** 2 * ('packed' in settings.formats)
    free = shutil.disk_usage(paths.part).free
    if n_bytes > free:
        raise ValueError(f'{paths.part.parent}: expected room for {n_bytes / 1e9:.1f} GB of images, found '
                         f'{free / 1e9:.1f} GB free')


def _in_parallel(listing, split, paths, settings, workers, first):
    """Yields (number of files gone through, Prepared) of all chunks from `first` on, in their order."""
    folder = paths.in_part('folder') if 'folder' in settings.formats else None
    pool, ahead = ThreadPoolExecutor(workers, 'prepare'), deque()
    try:
        for start in range(first, len(listing.names), CHUNK):
            names = listing.names[start:start + CHUNK]
            ahead.append((start + len(names),
                          pool.submit(prepare_chunk, listing.root, names, split, settings, folder)))
            if len(ahead) > 2 * workers:
                n_files, future = ahead.popleft()
                yield n_files, future.result()
        for n_files, future in ahead:
            yield n_files, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _box_lines(boxes, first_row):
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(
        [first_row + k, name, wnid, *(f'{value:.2f}' for value in sides)] for k, name, wnid, *sides in boxes)
    return text.getvalue().encode(errors='surrogateescape')


def _publish(paths, listing, settings, report):
    """Gives everything its final name; the report comes last and says that the rest is whole."""
    names, labels = written(listing, report)
    moves = []
    if 'folder' in settings.formats:
        if os.path.exists(paths.in_part('folder')):
            write_list(os.path.join(paths.in_part('folder'), LIST_NAME), map(png_name, names), labels)
        moves.append((paths.in_part('folder'), paths.folder))
    if settings.annotations is not None:
        moves.append((paths.in_part('boxes.csv'), paths.boxes))
    if 'packed' in settings.formats:
        in_part = paths.in_part('images.npy')
        if os.path.exists(in_part):
            save_labels(in_part, labels)
        moves += [(labels_path(in_part), labels_path(paths.images)), (in_part, paths.images)]
    with atomic_write(paths.in_part('report.json')) as file:
        file.write((json.dumps(report, indent=1) + '\n').encode())
    for source, target in [*moves, (paths.in_part('report.json'), paths.report)]:
        if os.path.exists(source):
            os.replace(source, target)
        elif not os.path.exists(target):
            raise ValueError(f'{source}: expected it beside the journal, found nothing; remove {paths.part} to begin '
                             'anew')
    shutil.rmtree(paths.part, ignore_errors=True)  # NFS keeps the folder while its lock is open


def write_list(path, names, labels):
    """Writes a list as ImageNetDataset reads it; killed, it leaves no part under that name."""
    folder, name = os.path.split(path)
    aside = os.path.join(folder, f'.{name}.part')
    with open(aside, 'wb') as file:
        file.writelines(list_lines(names, labels))
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)

