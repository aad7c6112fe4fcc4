"""What stands on sheets in words: headings, the names of classes over columns and beside rows."""
import re
import unicodedata

from source.command_line.short_texts import printable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT_SIZE, SMALLEST = 14, 11  # of a sheet of the usual size; for names that would not fit
LETTERS = 40  # font sizes in the longer side of a large sheet, which is shown reduced
LONGEST = 8  # font sizes in a name beside a row


def name_of(c, names):
    """The name of class `c` as a sheet shows it, or its number.

    `names` is a list or None. Of several names parted by commas the first is taken, without an ImageNet identifier
    before it; without accents, as Pillow's own font is ASCII alone, and not at all in another script.
    """
    name = names[c] if names and c < len(names) else ''
    name = re.sub(r'^n\d{8} +', '', name.strip()).split(',')[0].strip()
    letters = (letter for letter in unicodedata.normalize('NFKD', name) if not unicodedata.combining(letter))
    name = printable(''.join(letters))
    return name if name.isascii() and name else str(c)


def heading_of(c, names):
    """A heading over images of class `c`: '3: three', or 'class 3' where it has no name."""
    name = name_of(c, names)
    return f'class {c}' if name == str(c) else f'{c}: {name}'


def with_columns_named(sheet, above=(), below=()):
    """Return a sheet, uint8 (height, width, 3), with the texts of its columns in white bands over and under it.

    Texts are str or None, one for each of evenly wide columns; a single one is a heading. No texts, no band.
    """
    over, under = (band(texts, sheet.shape[1], _font_size(sheet)) if texts else sheet[:0] for texts in (above, below))
    return np.concatenate([over, sheet, under])


def with_rows_named(sheet, texts):
    """Return a sheet, uint8 (height, width, 3), with the str of each of its rows in a white band at the left."""
    height = len(sheet)
    step = height / len(texts)
    font = ImageFont.load_default(max(1, min(_font_size(sheet), int(step))))
    texts = [_fitted(text, font, LONGEST * font.size) for text in texts]
    page = Image.new('RGB', (int(max(map(font.getlength, texts)) + font.size), height), 'white')
    for k, text in enumerate(texts):
        ImageDraw.Draw(page).text((page.width - font.size // 2, (k + .5) * step), text, 'black', font, anchor='rm')
    return np.concatenate([np.asarray(page), sheet], axis=1)


def band(texts, width, size=FONT_SIZE):
    """White, uint8 (1.7 size, width, 3), with texts, str or None, each over the middle of its share of the width.

    A text may reach over neighbours that are None. Where one does not fit, all are smaller; then it is shortened.
    """
    page = Image.new('RGB', (width, int(1.7 * size)), 'white')
    step, margin = width / len(texts), size / 8
    drawn = [k for k, text in enumerate(texts) if text]
    # Columns to the next text. Those at the sides begin where the sheet does, so not all of these are theirs.
    apart = min((b - a for a, b in zip(drawn, drawn[1:])), default=2 * len(texts) - 1)
    room = step * (apart + 1) / 2 - 2 * margin
    fonts = map(ImageFont.load_default, range(size, min(size, max(SMALLEST, size * 2 // 3)) - 1, -1))
    for font in fonts:
        if all(font.getlength(texts[k]) <= room for k in drawn):
            break
    for k in drawn:
        text = _fitted(texts[k], font, room)
        length = font.getlength(text)
        left = min(max((k + .5) * step - length / 2, margin), width - margin - length)
        ImageDraw.Draw(page).text((left, page.height / 2), text, 'black', font, anchor='lm')
    return np.asarray(page)


def _font_size(sheet):
    return max(FONT_SIZE, max(sheet.shape) // LETTERS)


def _fitted(text, font, room):
    """A text, or what of its beginning takes no more than `room` pixels before dots, '' where no letter does."""
    if font.getlength(text) <= room:
        return text
    begun = (text[:n].rstrip() + '...' for n in range(min(len(text) - 1, int(room)), 0, -1))
    return next((short for short in begun if font.getlength(short) <= room), '')
