"""The sections of images: samples over time and by class, nearest real images."""
from source.datasets.open_image import DamagedImage, open_rgb
from source.pictures.image_sheets import make_sheet
from source.report.elements import image_tag, text
from source.report.material import COLUMNS, ROWS, spread

import numpy as np

MAX_SHEETS, MIN_SHEETS = 24, 6  # of samples over time: on the page, and at least of each run
MAX_WIDTH, MAX_WIDTH_OF_CLASS = 960, 400  # of such a sheet and one of a class in pixels, shown 640 and 250 wide
SIDE = 64  # least height of a single image, in pixels


def time_section(run, material, of, n_sliders=1):
    """The sliders of a run; `n_sliders` are on the page, which divide MAX_SHEETS among them.

    Sheets that cannot be read are named in the material's `missing`.
    """
    n = max(MIN_SHEETS, MAX_SHEETS // max(1, n_sliders))
    parts = [_slider(run, material, sheets, title, n) for sheets, title in (
        (run.previews, ''), (run.previews_ema, 'averaged weights')) if sheets]
    return f'<h2>Samples over time{of}</h2>{"".join(parts)}' if parts else ''


def _slider(run, material, sheets, title, n):
    ims, damaged = {}, []
    for iteration in spread(list(sheets), n):
        try:
            ims[iteration] = np.asarray(open_rgb(sheets[iteration]))
        except DamagedImage as error:
            damaged.append(f'{iteration:,}')
            material.missing.append(f'No samples of iteration {iteration:,}: {error}')
    name = _id(run.name, title)
    images = []
    conditional = run.config['updater']['args'].get('conditional', False)
    what = 'Samples, one column per class' if conditional else 'Samples'
    for k, (iteration, im) in enumerate(ims.items()):
        hidden = {} if k == len(ims) - 1 else {'hidden': True}
        images.append(image_tag(im, f'{what}, after {iteration:,} iterations'
                                + (f', {title}' if title else ''), MAX_WIDTH, **{'data-iteration': f'{iteration:,}'},
                                **hidden))
    heading = f'<h3>{text(title.capitalize())}</h3>' if title else ''
    note = f'<p class="muted">Not shown: the samples after {", ".join(damaged)} iterations.</p>' if damaged else ''
    if not images:
        return heading + note
    return (f'{heading}<div class="time"><div class="control" hidden><label for="{name}">{what}; same latents. '
            f'Iteration <output for="{name}">{max(ims):,}</output></label>'
            f'<input type="range" id="{name}" min="0" max="{len(ims) - 1}" value="{len(ims) - 1}" step="1"></div>'
            f'{"".join(images)}</div>{note}')


def _id(*texts):
    return 'samples-' + '-'.join(''.join(c if c.isalnum() else '-' for c in text) for text in texts if text)


def _scale(ims):
    return max(1, SIDE // ims.shape[-1])


def _class_name(material, c):
    if c is None:
        return 'samples'
    names = material.class_names
    return f'{c} · {names[c]}' if names and c < len(names) and names[c] != str(c) else f'class {c}'


def classes_section(material, of):
    if not material.sheets:
        return ''
    figures = []
    for c, ims in material.sheets.items():
        name = _class_name(material, c)
        sheet = make_sheet(ims, ROWS, COLUMNS, _scale(ims), _scale(ims))
        figures.append(f'<figure><figcaption>{text(name)}</figcaption>'
                       + image_tag(sheet, f'{ROWS * COLUMNS} samples: {name}', MAX_WIDTH_OF_CLASS) + '</figure>')
    which = 'Samples by class' if None not in material.sheets else 'Samples'
    note = ('The same latents in every class.' if None not in material.sheets else '')
    return (f'<h2>{which}{of}</h2><p class="muted">After {material.iteration:,} iterations. {note}</p>'
            f'<div class="sheets">{"".join(figures)}</div>')


def neighbors_section(material, of):
    if material.neighbors is None:
        return ''
    found, dataset = material.neighbors, material.dataset
    rows = []
    for i, im in enumerate(found.ims):
        name = 'sample' if found.y is None else f'sample of {_class_name(material, int(found.y[i]))}'
        cells = [image_tag(make_sheet(im[None], 1, 1, _scale(im)), name)]
        for by, words in (('features', "the discriminator's features"), ('pixels', 'pixels')):
            indices = found.by[by][0][i]
            ims = dataset.load_ims(indices)
            cells.append(image_tag(make_sheet(ims, 1, len(ims), _scale(ims), _scale(ims)),
                                   f'the {len(ims)} real images nearest to this {name} in {words}'))
        rows.append('<tr>' + ''.join(f'<td>{cell}</td>' for cell in cells) + '</tr>')
    k = found.by['pixels'][0].shape[1]
    return (f'<h2>Nearest real images{of}</h2><p class="muted">The {k} of {len(dataset):,} training images nearest '
            "to each sample by L1, in the discriminator's features φ and in pixels: a sample that is a copy would be "
            'beside itself.</p><table class="neighbors"><colgroup><col><col><col></colgroup>'
            '<thead><tr><th scope="col">sample</th><th scope="col">nearest in φ</th>'
            f'<th scope="col">nearest in pixels</th></tr></thead><tbody>{"".join(rows)}</tbody></table>')
