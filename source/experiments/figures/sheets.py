"""Samples of methods in all settings, beside real images (Figures 6 and 12)."""
from source.datasets.open_image import open_rgb
from source.experiments.catalogue import METHODS, SETTINGS
from source.experiments.figures.page import Page
from source.experiments.real_data import NAME as REAL
from source.experiments.run_cell import SHEET
from source.pictures.image_sheets import GAP, make_sheet

import numpy as np


def draw_samples_6(records, results):
    return _draw(records, results, 'Figure 6: samples')


def draw_samples_12(records, results):
    return _draw(records, results, 'Figure 12: samples')


def _draw(records, results, what):
    """Of each cell's lowest seed."""
    methods = [method for method in METHODS if any(v.method == method for v, _ in records)]
    first = {}
    for (variant, seed), record in sorted(records.items(), key=lambda item: item[0][1]):
        first.setdefault((variant.method, variant.setting), (variant, seed, record))
    shown = {(variant, seed): record for variant, seed, record in first.values()}
    if not any(results.samples(record['name']).exists() for record in shown.values()):
        return None
    page = Page(shown, len(methods), 1 + len(SETTINGS), (1.62 * (1 + len(SETTINGS)) + .5, 1.62 * len(methods) + .3),
                f'{what} of {", ".join(METHODS[method] for method in methods)} in the settings A to F; on the left '
                'real images, the same in every row.', scores=False)
    for row, (axes, method) in enumerate(zip(page.axes, methods, strict=True)):
        _show(axes[0], results.samples(REAL), 'not kept')
        axes[0].set_ylabel(METHODS[method], fontsize=11)
        if row == 0:
            axes[0].set_title('Dataset', fontsize=11)
        for axis, setting in zip(axes[1:], SETTINGS, strict=True):
            if row == 0:
                axis.set_title(setting, fontsize=11)
            variant, _, record = first.get((method, setting), (None, None, None))
            status = 'not run' if record is None else record['status'].partition(':')[0]
            _show(axis, record and results.samples(record['name']), 'not kept' if status == 'finished' else status)
    return page


def _parted(sheet):
    """A stored sheet of SHEET x SHEET images, which has no gaps, with gaps; a picture of other sizes as it is."""
    height, width, _ = sheet.shape
    if height % SHEET or width % SHEET:
        return sheet
    ims = sheet.reshape(SHEET, height // SHEET, SHEET, width // SHEET, 3).transpose(0, 2, 4, 1, 3)
    return make_sheet(ims.reshape(SHEET ** 2, *ims.shape[2:]), SHEET, SHEET, gap=GAP)


def _show(axis, path, otherwise):
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    if path and path.exists():
        axis.imshow(_parted(np.asarray(open_rgb(path))), interpolation='nearest')
    else:
        axis.text(.5, .5, otherwise, ha='center', va='center', transform=axis.transAxes, color='#777')
        axis.set_facecolor('#f2f2f2')
