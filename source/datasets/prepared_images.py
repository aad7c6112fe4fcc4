"""What becomes of an image that is prepared: its central square, resized, and the boxes in it; or why it is skipped."""
import os
from dataclasses import dataclass, field

from source.datasets.annotations import boxes_in_central_square, find_annotation, read_annotation
from source.datasets.open_image import SUFFIXES, decode
from source.datasets.square_crops import ENLARGED, RESIZE_METHODS, central_square, resized

import numpy as np


@dataclass(frozen=True)
class Settings:
    """What is made of each image.

    Args:
        size: of the squares, in pixels.
        resize_method: one of RESIZE_METHODS.
        formats: of FORMATS, any.
        annotations: folder of the boxes, or None.
    """

    size: int = 128
    resize_method: str = 'bilinear'
    formats: tuple = ('packed',)
    annotations: str = None


@dataclass
class Prepared:
    """What became of a chunk of images."""

    ims: np.ndarray  # uint8 (B, size, size, 3), of those that could be read
    skipped: list = field(default_factory=list)  # (name, why)
    changed: list = field(default_factory=list)  # (name, what was done to it)
    boxes: list = field(default_factory=list)  # (index into ims, name, wnid, xmin, ymin, xmax, ymax)


def prepare_chunk(root, names, split, settings, folder=None):
    """Return the Prepared of some images; with `folder` their squares are written there too, as .png."""
    ims, found = [], Prepared(None)
    for name in names:
        try:
            image, changes = decode(os.path.join(root, name))
        except ValueError as error:
            found.skipped.append((name, _without_path(error)))
            continue
        square = resized(central_square(image), settings.size, RESIZE_METHODS[settings.resize_method])
        if settings.annotations is not None:
            try:
                found.boxes += _boxes(settings, split, name, image.size, changes, len(ims))
            except (ValueError, OSError) as error:
                changes = [*changes, f'boxes left out: {error}']
        changes = [*changes, *[ENLARGED] * (min(image.size) < settings.size)]
        found.changed += [(name, change) for change in changes]
        if folder is not None:
            path = os.path.join(folder, png_name(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as file:  # should it be cut, its chunk is not in the journal and comes again
                square.save(file, 'PNG', compress_level=1)
                file.flush()
                os.fsync(file.fileno())
        ims.append(np.asarray(square))
    found.ims = np.stack(ims) if ims else np.empty((0, settings.size, settings.size, 3), np.uint8)
    return found


def _boxes(settings, split, name, shape, changes, k):
    path = find_annotation(settings.annotations, split, name)
    if path is None:
        return []
    if any(change.startswith('turned') for change in changes):
        raise ValueError('the image was turned, its annotation was not')
    return [(k, name, box.wnid, box.xmin, box.ymin, box.xmax, box.ymax)
            for box in boxes_in_central_square(read_annotation(path), *shape, settings.size)]


def _without_path(error):
    """What is wrong with a file, without the place it has on this machine."""
    return str(error).partition(': expected an image, found ')[2] or str(error)


def png_name(name):
    """The square's name: a.png for a.JPEG; a.jpg.png for any other, so that no two images have the same."""
    stem, suffix = os.path.splitext(name)
    of_two = os.path.splitext(stem)[1].lower() in SUFFIXES
    return f'{stem}.png' if suffix == '.JPEG' and not of_two else f'{name}.png'
