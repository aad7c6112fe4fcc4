"""Of which class ImageNet's validation images are, from any of the forms in which that is published."""
import csv
import os

from source.datasets.annotations import read_annotation
from source.datasets.imagenet_files import WNID


def validation_classes(path):
    """A function from the name of a validation image to its class, wnid or label.

    `path` is the folder of ImageNet's annotations of them (ILSVRC2012_val_00000001.xml, …), Kaggle's
    LOC_val_solution.csv, or a text file of 'name class' lines, where a class is a wnid or a label.
    Raises ValueError for anything else, FileNotFoundError where there is nothing.
    """
    if os.path.isdir(path):
        return _of_annotations(path)
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


def _of_solution(path):
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
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
    with open(path, encoding='utf-8-sig', errors='surrogateescape') as file:
        return [line.strip() for line in file if line.strip()]
