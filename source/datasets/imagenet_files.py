"""The raw folders of ImageNet: which images there are, and of which class each is."""
import csv
import hashlib
import os
import re
from dataclasses import dataclass, field

from source.datasets.annotations import read_annotation

from scipy.io import loadmat

WNID = re.compile(r'n\d{8}')
SUFFIXES = ('.jpeg', '.jpg', '.png', '.bmp', '.webp', '.gif', '.tif', '.tiff', '.ppm')
N_CLASSES = 1000
DOGS_AND_CATS = range(151, 294)
FIRST_DOG, LAST_CAT = 'n02085620', 'n02130308'  # their wnids, where the 1,000 classes are in order
GROUND_TRUTH, META = 'ILSVRC2012_validation_ground_truth.txt', 'meta.mat'  # of the development kit


@dataclass
class Listing:
    """Images of one split under `root`, in order of their names;"""

    root: str
    wnids: list  # the classes, in order of their labels
    first_label: int = 0  # of wnids[0]
    names: list = field(default_factory=list)  # relative to root, with slashes
    labels: list = field(default_factory=list)
    passed_over: list = field(default_factory=list)  # (name, why)

    @property
    def has_dogs_and_cats(self):
        """Whether labels 151 to 293 are the 143 dogs and cats."""
        ends = [k - self.first_label for k in (DOGS_AND_CATS[0], DOGS_AND_CATS[-1])]
        return 0 <= ends[0] and ends[1] < len(self.wnids) and [self.wnids[k] for k in ends] == [FIRST_DOG, LAST_CAT]


def read_wnids(path):
    """The first words of a file's lines, as LOC_synset_mapping.txt has them: the classes in order of their labels."""
    with open(path, encoding='utf-8', errors='replace') as file:
        wnids = [line.split()[0] for line in file if line.strip()]
    bad = next((wnid for wnid in wnids if not WNID.fullmatch(wnid)), None)
    if bad is not None or not wnids or len(set(wnids)) < len(wnids):
        raise ValueError(f"{path}: expected a class a line, each once, as 'n01440764 tench'; found "
                         f'{bad[:50] if bad is not None else f"{len(wnids)} lines of {len(set(wnids))} classes"!r}')
    return wnids


def list_class_folders(root, wnids=None):
    """The Listing of `root`/n########/*. Labels count the classes of `wnids`, or else the folders, in order.

    Where the folders are just the 143 dogs and cats they keep ImageNet's labels, from 151. Raises FileNotFoundError
    where there are no such folders.
    """
    folders, passed_over = _folders(root)
    if not folders:
        found = ', '.join(sorted(os.listdir(root))[:5]) or 'nothing' if os.path.isdir(root) else 'no such folder'
        raise FileNotFoundError(f'{root}: expected folders n########, one a class, found {found}')
    first_label = 0
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


def _folders(root):
    folders, passed_over = [], []
    for entry in sorted(os.scandir(root) if os.path.isdir(root) else (), key=lambda entry: entry.name):
        if entry.is_dir() and WNID.fullmatch(entry.name):
            folders.append(entry.name)
        else:
            passed_over.append((entry.name, 'not the folder of a class, n########'))
    return folders, passed_over


def _images(root, folder, passed_over):
    names = []
    for entry in sorted(os.scandir(os.path.join(root, folder)), key=lambda entry: entry.name):
        name = f'{folder}/{entry.name}' if folder else entry.name
        suffix = os.path.splitext(entry.name)[1]
        if entry.is_dir():
            passed_over.append((name, 'a folder'))
        elif suffix.lower() not in SUFFIXES:
            passed_over.append((name, f'its name ends in {suffix or "nothing"}, not in .JPEG or another of an image'))
        elif '\n' in name or '\r' in name or name != name.strip():
            passed_over.append((name, 'its name cannot stand in a list'))
        else:
            names.append(name)
    return names


def validation_classes(path):
    """A function from the name of a validation image to its class, wnid or label.

    `path` is the folder of ImageNet's annotations of them (ILSVRC2012_val_00000001.xml, …), the unpacked development
    kit, Kaggle's LOC_val_solution.csv, or a text file of 'name class' lines, where a class is a wnid or a label.
    Raises ValueError for anything else, FileNotFoundError where there is nothing.
    """
    if os.path.isdir(path):
        kit = next((folder for folder in (path, os.path.join(path, 'data'))
                    if os.path.isfile(os.path.join(folder, GROUND_TRUTH))), None)
        return _of_development_kit(kit) if kit else _of_annotations(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'{path}: expected the classes of validation images, found no file or folder')
    found = _of_solution(path) if path.endswith('.csv') else _of_list(path)
    if not found:
        raise ValueError(f'{path}: expected the classes of validation images, found none')
    return lambda name: found.get(os.path.splitext(name)[0])


def _of_annotations(folder):
    def class_of(name):
        path = os.path.join(folder, f'{os.path.splitext(name)[0]}.xml')
        if not os.path.exists(path):
            return None
        names = {box.wnid for box in read_annotation(path).boxes}
        if len(names) != 1:
            raise ValueError(f'{path}: expected objects of one class, found {len(names)}')
        return names.pop()
    return class_of


def _of_development_kit(folder):
    """The kit numbers classes in an order of its own, which meta.mat tells; line i is of image i."""
    path, meta = (os.path.join(folder, name) for name in (GROUND_TRUTH, META))
    try:
        synsets = loadmat(meta, squeeze_me=True)['synsets']
        wnids = dict(zip((int(k) for k in synsets['ILSVRC2012_ID']), map(str, synsets['WNID']), strict=True))
    except FileNotFoundError:
        raise FileNotFoundError(f'{meta}: expected it beside {GROUND_TRUTH}, found no file') from None
    except Exception as error:  # a damaged file raises whatever its bytes suggest
        raise ValueError(f"{meta}: expected the development kit's synsets, found a file without them "
                         f'({type(error).__name__}: {" ".join(str(error).split())})') from error
    numbers = _lines(path)
    bad = next((line for line in numbers if not line.isdecimal() or int(line[:9]) not in wnids), None)
    if bad is not None:
        raise ValueError(f'{path}: expected a class of {META} a line, found {bad[:50]!r}')

    def class_of(name):
        digits = re.search(r'(\d{1,9})$', os.path.splitext(name)[0])
        k = int(digits[1]) if digits else 0
        return wnids[int(numbers[k - 1])] if 0 < k <= len(numbers) else None
    return class_of


def _of_solution(path):
    try:
        with open(path, encoding='utf-8', newline='') as file:
            rows = list(csv.DictReader(file))
        return {row['ImageId']: row['PredictionString'].split()[0] for row in rows}
    except (KeyError, IndexError, AttributeError, TypeError, csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected Kaggle's LOC_val_solution.csv, ImageId and PredictionString; found "
                         f'another table ({type(error).__name__}: {error})') from None


def _of_list(path):
    classes = {}
    for number, line in enumerate(_lines(path), 1):
        *name, found = line.rsplit(maxsplit=1)
        if not name or not (WNID.fullmatch(found) or found.isdecimal() and len(found) < 10):
            raise ValueError(f"{path}:{number}: expected 'name class', a wnid or a label, found {line[:100]!r}")
        classes[os.path.splitext(os.path.basename(name[0].strip()))[0]] = int(found) if found.isdecimal() else found
    return classes


def _lines(path):
    with open(path, encoding='utf-8', errors='surrogateescape') as file:
        return [line.strip() for line in file if line.strip()]


def list_digest(listing):
    """What identifies the images of a listing, their order and classes: a SHA-256 in hexadecimal digits."""
    digest = hashlib.sha256()
    for name, label in zip(listing.names, listing.labels, strict=True):
        digest.update(f'{name} {label}\n'.encode(errors='surrogateescape'))
    return digest.hexdigest()


def list_lines(names, labels):
    """The list file of ImageNetDataset, as bytes, a line at a time."""
    for name, label in zip(names, labels, strict=True):
        yield f'{name} {label}\n'.encode(errors='surrogateescape')
