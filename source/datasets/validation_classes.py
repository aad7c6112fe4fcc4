"""Of which class ImageNet's validation images are, from any of the forms in which that is published."""
import csv
import os
import re

from source.datasets.annotations import read_annotation
from source.datasets.imagenet_files import WNID

from scipy.io import loadmat

GROUND_TRUTH, META = 'ILSVRC2012_validation_ground_truth.txt', 'meta.mat'  # of the development kit


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
