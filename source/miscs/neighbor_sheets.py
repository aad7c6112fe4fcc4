"""A sheet of samples and the real images nearest to them, under headings."""
from source.miscs.image_sheets import make_sheet

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEADINGS = {'features': 'nearest real images, L1 of features', 'pixels': 'nearest real images, L1 of pixels'}
MARGIN, SIDE = 12, 64  # between the parts; least height of an image, in pixels
FONT_SIZE = 14


def draw_neighbors(neighbors, dataset):
    """uint8 (height, width, 3): a row for each sample, of it, its neighbours in φ, and those in pixels."""
    scale = max(1, SIDE // neighbors.ims.shape[-1])
    gap = max(1, scale)
    parts = [('sample', neighbors.ims, 1)]
    for name, (indices, _) in neighbors.by.items():
        parts.append((HEADINGS[name], dataset.load_ims(indices.ravel()), indices.shape[1]))
    sheets = [(heading, make_sheet(ims, len(neighbors.ims), columns, scale, gap)) for heading, ims, columns in parts]
    font = ImageFont.load_default(FONT_SIZE)
    widths = [max(sheet.shape[1], int(font.getlength(heading)) + 1) for heading, sheet in sheets]
    head = FONT_SIZE + 10
    page = Image.new('RGB', (sum(widths) + MARGIN * (len(sheets) + 1), head + sheets[0][1].shape[0] + MARGIN), 'white')
    draw, left = ImageDraw.Draw(page), MARGIN
    for (heading, sheet), width in zip(sheets, widths, strict=True):
        draw.text((left, 4), heading, fill='black', font=font)
        page.paste(Image.fromarray(sheet), (left, head))
        left += width + MARGIN
    return np.asarray(page)
