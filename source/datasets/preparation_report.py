"""The report of a preparation: how many images were written; the name of every other file, and why."""
from collections import defaultdict

from source.files.plain_json import one_line, read_json


def make_report(listing, made_of, entries):
    """The report, as its .json holds it, of a Listing and the entries of the preparation's journal."""
    n_rows = max((entry['n_rows'] for entry in entries), default=0)
    skipped, changed = [list(pair) for pair in listing.passed_over], defaultdict(list)
    for entry in entries:
        skipped += [list(pair) for pair in entry['skipped']]
        for name, change in entry['changed']:
            changed[change].append(name)
    present = set(listing.labels)
    return {'made_of': made_of, 'n_images': n_rows, 'n_classes': len(listing.classes), 'classes': listing.classes,
            'classes_without_images': [c for k, c in enumerate(listing.classes, listing.first_label)
                                       if k not in present],
            'n_skipped': len(skipped), 'skipped': skipped,
            'n_changed': {change: len(names) for change, names in changed.items()}, 'changed': changed}


def written(listing, report):
    """(names, labels) of the images of a listing that were written, in the order of their rows."""
    skipped = {name for name, _ in report['skipped']}
    kept = [k for k, name in enumerate(listing.names) if name not in skipped]
    return [listing.names[k] for k in kept], [listing.labels[k] for k in kept]


def is_report(report):
    """Whether what a file holds is as `make_report` makes it, as far as it is used again."""
    counts = report['n_images'], report['n_skipped'], *report['n_changed'].values()
    return all(type(n) is int for n in counts) and _are_pairs(report['skipped'])


def classes_in_report(path, resize_method):
    """Return the names of the classes in the report of images prepared by `resize_method`. Raises ValueError."""
    try:
        report = read_json(path)
        classes, found = report['classes'], report['made_of']['resize_method']
        if not isinstance(classes, list) or not all(isinstance(c, str) for c in classes):
            raise ValueError
    except OSError as error:
        raise ValueError(f'{path}: expected the report of the images beside it, found none: {error.strerror}') from None
    except (ValueError, TypeError, KeyError):
        raise ValueError(f'{path}: expected the report of what was prepared, found something else') from None
    if found != resize_method:
        raise ValueError(f'{path}: resize_method: expected {resize_method}, found {one_line(found)}')
    return classes


def are_entries(entries, n_files):
    """Whether a journal's entries follow one another and account for every file, of which there are `n_files`."""
    before, n_rows = 0, 0
    for entry in entries:
        numbers = [entry.get(name) for name in ('n_files', 'n_rows', 'box_bytes')]
        if [type(n) for n in numbers] != [int] * 3 or not all(_are_pairs(entry.get(k)) for k in ('skipped', 'changed')):
            return False
        n_rows += entry['n_files'] - before - len(entry['skipped'])
        if not before < entry['n_files'] <= n_files or entry['n_rows'] != n_rows or entry['box_bytes'] < 0:
            return False
        before = entry['n_files']
    return True


def _are_pairs(pairs):
    return isinstance(pairs, list) and all(
        isinstance(pair, list) and [type(text) for text in pair] == [str, str] for pair in pairs)
