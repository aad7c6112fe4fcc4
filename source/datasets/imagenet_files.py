"""The raw folders of ImageNet: which images there are, and of which class each is."""
import os
import re

from source.datasets.find_images import FOLDER, IMAGE, entries_of
from source.datasets.listing import Listing

WNID = re.compile(r'n\d{8}')
N_CLASSES = 1000
DOGS_AND_CATS = range(151, 294)
FIRST_DOG, LAST_CAT = 'n02085620', 'n02130308'  # their wnids, where the 1,000 classes are in order


def read_wnids(path):
    """The first words of a file's lines, as LOC_synset_mapping.txt has them: the classes in order of their labels."""
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        wnids = [line.split()[0] for line in file if line.strip()]
    bad = next((wnid for wnid in wnids if not WNID.fullmatch(wnid)), None)
    if bad is not None or not wnids or len(set(wnids)) < len(wnids):
        raise ValueError(f"{path}: expected a class a line, each once, as 'n01440764 tench'; found "
                         f'{bad[:50] if bad is not None else f"{len(wnids)} lines of {len(set(wnids))} classes"!r}')
    return wnids


def list_class_folders(root, wnids=None, first_label=0):
    """The Listing of `root`/n########/*. Labels count the classes of `wnids` from `first_label`, or else the folders.

    Where the folders are just the 143 dogs and cats they keep ImageNet's labels, from 151. Raises FileNotFoundError
    where there are no such folders.
    """
    folders, passed_over = _folders(root)
    if not folders:
        found = ', '.join(sorted(os.listdir(root))[:5]) or 'nothing' if os.path.isdir(root) else 'no such folder'
        raise FileNotFoundError(f'{root}: expected folders n########, one a class, found {found}')
    if wnids is None:
        wnids = folders
        if (len(folders), folders[0], folders[-1]) == (len(DOGS_AND_CATS), FIRST_DOG, LAST_CAT):
            first_label = DOGS_AND_CATS[0]
    listing = Listing(root, wnids, first_label, passed_over=passed_over)
    label_of = {wnid: k for k, wnid in enumerate(wnids, first_label)}
    for folder in folders:
        if folder not in label_of:
            listing.passed_over.append((folder, 'a class that is not among those listed'))
            continue
        names = _images(root, folder, listing.passed_over)
        listing.names += names
        listing.labels += [label_of[folder]] * len(names)
    return listing


def list_flat_folder(root, wnids, class_of, first_label=0):
    """The Listing of `root`/*, the class of a name being what `class_of(name)` returns: a wnid or a label.

    `first_label` is the label of wnids[0].

    Names of which it returns None, or raises ValueError, are passed over.
    """
    listing = Listing(root, wnids, first_label)
    labels = {wnid: k for k, wnid in enumerate(wnids, first_label)}
    for name in _images(root, '', listing.passed_over):
        try:
            found = class_of(name)
        except (ValueError, OSError) as error:
            listing.passed_over.append((name, str(error)))
            continue
        label = labels.get(found) if isinstance(found, str) else found
        if label is None or not 0 <= label - first_label < len(wnids):
            listing.passed_over.append((name, 'no class is known of it' if found is None else f'of class {found}, '
                                        'which is not among those listed'))
            continue
        listing.names.append(name)
        listing.labels.append(label)
    return listing


def has_class_folders(root):
    return bool(_folders(root)[0])


def has_dogs_and_cats(listing):
    """Whether labels 151 to 293 of a Listing are the 143 dogs and cats."""
    ends = [k - listing.first_label for k in (DOGS_AND_CATS[0], DOGS_AND_CATS[-1])]
    return 0 <= ends[0] and ends[1] < len(listing.classes) and [listing.classes[k] for k in ends] == [
        FIRST_DOG, LAST_CAT]


def _folders(root):
    folders, passed_over = [], []
    for name, kind in entries_of(root) if os.path.isdir(root) else ():
        if kind == FOLDER and WNID.fullmatch(name):
            folders.append(name)
        else:
            passed_over.append((name, 'not the folder of a class, n########'))
    return folders, passed_over


def _images(root, folder, passed_over):
    names = []
    for name, kind in entries_of(os.path.join(root, folder)):
        name = f'{folder}/{name}' if folder else name
        if kind == FOLDER:
            passed_over.append((name, 'a folder'))
        elif kind != IMAGE:
            passed_over.append((name, kind))
        elif '\n' in name or '\r' in name or name != name.strip():
            passed_over.append((name, 'its name cannot stand in a list'))
        else:
            names.append(name)
    return names
