"""One way to open an image file, whatever its encoding: training, statistics and preparation see the same pixels.

| encoding | becomes |
| --- | --- |
| CMYK, YCbCr, one bit or byte of grey, palette | RGB, as Pillow converts it (Adobe's inverted CMYK included) |
| transparency | the colours without it |
| 16 bits | the high byte |
| several frames | the first |
| turned by its EXIF orientation | upright; a damaged EXIF block counts as none |
| empty, cut, damaged, 32-bit, another kind of file | DamagedImage, which names it and says why |
"""
import warnings

import numpy as np
from PIL import Image

warnings.filterwarnings('ignore', category=Image.DecompressionBombWarning)  # twice as large ones are refused
FORMATS = ('JPEG', 'PNG', 'GIF', 'BMP', 'WEBP', 'TIFF', 'PPM')  # none of which runs another program, as EPS does
SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.apng', '.gif', '.bmp', '.webp', '.tif', '.tiff', '.ppm', '.pgm',
            '.pbm', '.pnm')  # of their files' names, in lower case
ORIENTATION = 0x0112  # the EXIF tag
TRANSPARENCY = 'transparency left out'  # what `decode` says of it
TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class DamagedImage(ValueError):
    """An image that training meets and cannot use; the message names its file, in one line."""


class MissingImage(DamagedImage, FileNotFoundError):
    """An image whose file is not there."""


def open_rgb(path):
    """Return the image of a file, a PIL image in mode RGB, upright. Raises DamagedImage or MissingImage."""
    return decode(path)[0]


def decode(path):
    """Return what `open_rgb` does and the list of what was done to it, in words: empty for an ordinary RGB image."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
            rgb, changes = _to_rgb(image)
            orientation = _orientation(image)
    except FileNotFoundError:
        raise MissingImage(f'{path}: expected an image, found no file') from None
    except PermissionError:  # nothing is known of the image
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, …
        raise DamagedImage(f'{path}: expected an image, found a file Pillow cannot read '
                           f'({_reason(error, path)})') from error
    # Differs from sngan_projection: there an image turned by its EXIF orientation stays on its side.
    if orientation in TO_UPRIGHT:
        rgb, changes = rgb.transpose(TO_UPRIGHT[orientation]), [*changes, f'turned upright (EXIF {orientation})']
    return rgb, changes


def _to_rgb(image):
    mode, changes = image.mode, []
    if mode == 'RGB':
        return image.copy(), changes  # the file's own object closes with it
    if mode == 'F':
        raise ValueError('32-bit floating-point pixels')
    if mode.startswith('I'):
        values = np.asarray(image)
        if values.min() < 0 or values.max() >= 2 ** 16:
            raise ValueError('32-bit pixels')
        if 0 < values.max() < 2 ** 8:
            raise ValueError('16-bit pixels, none of them above 255: their high bytes are all 0')
        return Image.fromarray((values >> 8).astype(np.uint8)).convert('RGB'), ['16-bit grey']
    if mode in ('L', '1', 'LA', 'La'):
        changes.append('grey')
    elif mode in ('P', 'PA'):
        changes.append('palette')
    elif mode not in ('RGBA', 'RGBa', 'RGBX'):
        changes.append(mode)
    if mode in ('RGBA', 'RGBa', 'LA', 'La', 'PA') or 'transparency' in image.info:
        image = image.convert('RGBA')
        if image.getchannel('A').getextrema()[0] < 255:
            changes.append(TRANSPARENCY)
    return image.convert('RGB'), changes


def _orientation(image):
    try:
        return image.getexif().get(ORIENTATION)
    except Exception:  # a damaged EXIF block, which says nothing of the pixels
        return None


def _reason(error, path):
    if isinstance(error, Image.UnidentifiedImageError):
        with open(path, 'rb') as file:
            return f'none of {", ".join(FORMATS)}' if file.read(1) else 'it is empty'
    return ' '.join(str(error).split()) or type(error).__name__
