"""The sizes of images, and how they are told."""
from source.datasets.open_image import FORMATS, ORIENTATION, TO_UPRIGHT, decode

from PIL import Image

TURNED = {orientation for orientation in TO_UPRIGHT if orientation >= 5}  # width and height change places


def size_of_file(path):
    """Return (width, height) of an image file, upright, from its header; raises DamagedImage where that is damaged."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size[::-1] if image.getexif().get(ORIENTATION) in TURNED else image.size
    except Exception:  # of the header or of its EXIF block alone
        return decode(path)[0].size


def describe_sizes(sizes):
    """Return how a collection of different (width, height) is told, as `3 sizes, 48x32 to 640x480 (WxH)`, or None."""
    if not sizes:
        return None
    ordered = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    first, last = ('x'.join(map(str, ordered[k])) for k in (0, -1))
    text = first if len(ordered) == 1 else f'{len(ordered)} sizes, {first} to {last}'
    return text if all(width == height for width, height in ordered) else f'{text} (WxH)'
