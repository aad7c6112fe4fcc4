"""Sheets: many small images in one."""
from pathlib import Path

from source.command_line.short_texts import printable
from source.files.atomic import atomic_write

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

GAP = 4  # white pixels between the images of a sheet that is to be looked at
SHOWN = 512  # its longer side, about
KEY = 'snapshot'  # in pictures that say what they are of


def fitting_scale(ims, rows, columns):
    """How often to repeat each pixel of ims (N, C, H, W) so that a sheet of them is about SHOWN pixels; at least 1."""
    return max(1, round(SHOWN / max(rows * ims.shape[2], columns * ims.shape[3])))


def make_sheet(ims, rows, columns, scale=1, gap=0):
    """Lays out ims uint8 (rows·columns, C, H, W), row by row, as one uint8 array (height, width, 3); grey for C = 1.

    `scale` repeats each pixel; `gap` white pixels part the images.
    """
    if len(ims) != rows * columns:
        raise ValueError(f'a sheet of {rows}x{columns} takes {rows * columns} images, got {len(ims)}')
    ims = ims.repeat(scale, axis=2).repeat(scale, axis=3)
    ims = np.pad(ims, ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=255)
    _, channels, h, w = ims.shape
    sheet = ims.reshape(rows, columns, channels, h, w).transpose(0, 3, 1, 4, 2).reshape(rows * h, columns * w, channels)
    sheet = sheet[:rows * h - gap, :columns * w - gap]
    return sheet.repeat(3, axis=2) if channels == 1 else sheet


def save_sheet(path, ims, rows, columns, scale=1, gap=0):
    """`make_sheet`, written by `save_picture`."""
    save_picture(path, make_sheet(ims, rows, columns, scale, gap))


def save_picture(path, picture, snapshot=None):
    """Writes uint8 (height, width, 3) as an image file of the kind that its name ends in, whole or not at all.

    A PNG says in itself which `snapshot`, a file's name, it is of: `snapshot_of` reads it.
    """
    image = Image.fromarray(picture)
    kind = Image.registered_extensions().get(Path(path).suffix.lower())
    if kind is None:
        raise ValueError(f'{path}: expected the name of an image file, as one that ends in .png')
    with atomic_write(path) as file:
        image.save(file, kind, **({'pnginfo': _named(snapshot)} if kind == 'PNG' and snapshot else {}))


def _named(snapshot):
    info = PngInfo()
    info.add_itxt(KEY, printable(Path(snapshot).name))
    return info


def snapshot_of(image):
    """The name of the snapshot that a picture, opened by Pillow, says it is of, or None."""
    comment = image.info.get('comment', b'')  # a GIF's
    if isinstance(comment, bytes) and comment.startswith(f'{KEY}: '.encode()):
        return comment.decode(errors='replace').removeprefix(f'{KEY}: ')[:255]
    name = image.info.get(KEY)
    return None if name is None else str(name)[:255]
