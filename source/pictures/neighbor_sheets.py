"""A sheet of samples and the real images nearest to them, under headings."""
from source.pictures.image_sheets import make_sheet
from source.pictures.labelled_sheets import FONT_SIZE, band

import numpy as np
from PIL import Image, ImageFont

HEADINGS = {'features': 'nearest real images, L1 of features', 'pixels': 'nearest real images, L1 of pixels'}
MARGIN, SIDE = 12, 64  # between the parts; least height of an image, in pixels


def draw_neighbors(neighbors, dataset):
    """uint8 (height, width, 3): a row for each sample, of it, its neighbours in φ, and those in pixels."""
    scale = max(1, SIDE // neighbors.ims.shape[-1])
    gap = max(1, scale)
    parts = [('sample', neighbors.ims, 1)]
    for name, (indices, _) in neighbors.by.items():
        parts.append((HEADINGS[name], dataset.load_ims(indices.ravel()), indices.shape[1]))
    sheets = [(heading, make_sheet(ims, len(neighbors.ims), columns, scale, gap)) for heading, ims, columns in parts]
    font = ImageFont.load_default(FONT_SIZE)
    widths = [max(sheet.shape[1], int(font.getlength(heading)) + 4) for heading, sheet in sheets]
    heads = [band([heading], width) for (heading, _), width in zip(sheets, widths, strict=True)]
    head = len(heads[0])
    page = Image.new('RGB', (sum(widths) + MARGIN * (len(sheets) + 1), head + sheets[0][1].shape[0] + MARGIN), 'white')
    left = MARGIN
    for (_, sheet), heading, width in zip(sheets, heads, widths, strict=True):
        page.paste(Image.fromarray(heading), (left, 0))
        page.paste(Image.fromarray(sheet), (left, head))
        left += width + MARGIN
    return np.asarray(page)
