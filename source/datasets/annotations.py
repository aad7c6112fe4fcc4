"""ImageNet's annotations: an .xml an image, its objects' classes and bounding boxes."""
import math
import os
from dataclasses import dataclass
from xml.etree import ElementTree

MOST_BYTES = 2 ** 20  # of an annotation; the longest of ImageNet has some 50 kB


@dataclass
class Box:
    """An object of class `wnid` between columns xmin and xmax and rows ymin and ymax, in pixels from the top left."""

    wnid: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float


@dataclass
class Annotation:
    """The boxes of an image of width × height pixels, as the annotator saw it."""

    width: int
    height: int
    boxes: list


def read_annotation(path):
    """Return the Annotation of an .xml file. Raises ValueError, naming it, where it is none."""
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise ValueError(f'{os.path.getsize(path)} bytes')
        with open(path, 'rb') as file:
            content = file.read()
        if b'<!DOCTYPE' in content or b'<!ENTITY' in content:  # which could make a short file a long one
            raise ValueError('a document type')
        root = ElementTree.fromstring(content)
        boxes = [Box(_text(found, 'name'), *(float(_text(found, f'bndbox/{side}')) for side in (
            'xmin', 'ymin', 'xmax', 'ymax'))) for found in root.iter('object')]
        if not all(math.isfinite(value) for box in boxes for value in (box.xmin, box.ymin, box.xmax, box.ymax)):
            raise ValueError('a box that is nowhere')
        size = [int(_text(root, f'size/{side}')) for side in ('width', 'height')]
    except FileNotFoundError:
        raise
    except Exception as error:  # ElementTree's own errors are no ValueErrors
        reason = ' '.join(str(error).split())
        raise ValueError(f'{path}: expected an annotation in XML, found none ({reason})') from None
    return Annotation(*size, boxes)


def _text(element, path):
    found = element.findtext(path)
    if not found or not found.strip():
        raise ValueError(f'no {path}')
    return found.strip()


def boxes_in_central_square(annotation, width, height, size):
    """The boxes of an image of width × height pixels in those of its central square at `size` px, cut at its edges.

    An annotation may count in another scale than the image has. Boxes outside the square are left out.
    """
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    columns, rows = width / max(annotation.width, 1), height / max(annotation.height, 1)
    found = []
    for box in annotation.boxes:
        xmin, xmax = (min(max((x * columns - left) * size / side, 0.), size) for x in (box.xmin, box.xmax))
        ymin, ymax = (min(max((y * rows - top) * size / side, 0.), size) for y in (box.ymin, box.ymax))
        if xmin < xmax and ymin < ymax:
            found.append(Box(box.wnid, xmin, ymin, xmax, ymax))
    return found


def find_annotation(folder, split, name):
    """The path of an image's annotation below `folder`, or None: as ImageNet lays them out, and flat."""
    stem = os.path.splitext(name)[0]
    for parts in ((split, stem), (split, os.path.basename(stem)), (stem,), (os.path.basename(stem),)):
        path = os.path.join(folder, *parts) + '.xml'
        if os.path.isfile(path):
            return path
    return None
