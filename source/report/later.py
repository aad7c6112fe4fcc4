"""The sections of what commands made of a run after its training: scores in records, pictures."""
import re
import time
from pathlib import Path

from source.command_line.short_texts import printable, some_of
from source.datasets.open_image import FORMATS, DamagedImage, open_rgb
from source.pictures.image_sheets import snapshot_of
from source.report.elements import content_tag, image_tag, text
from source.report.run import is_number
from source.results_folder.snapshot_names import iteration_in
from source.scoring.score_titles import SCORE_TITLES

import numpy as np
from PIL import Image

SCORES = ('is_mean', 'fid', 'kid_mean', 'precision', 'recall', 'density', 'coverage', 'recognized', 'intra_fid',
          'ms_ssim')  # in records
OF_ALL = 'is_mean', 'recognized', 'intra_fid', 'ms_ssim'  # the others are of `n_compared` images
FOLDERS = 'gen_images', 'nearest_neighbors'
MOST = 24  # pictures of a run
BYTES = {'.png': 20_000_000, '.gif': 2_000_000}  # a file may have; of a GIF all of them are put into the page
MAX_PIXELS, MAX_WIDTH, WIDE = 50_000_000, 960, 400  # of a picture; wider ones are made smaller, have a row of their own


def recorded_scores(record):
    """[(name, value)] of a record's scores, those of SCORES that are numbers."""
    return [(name, record[name]) for name in SCORES if is_number(record.get(name))]


def short(value):
    """What a record says, on one line of at most 80 characters."""
    value = printable(str(value))
    return value if len(value) <= 80 else f'{value[:77]}...'


def scored(run, record):
    """What a Run's record is of: 'iteration 1,200', 'images: mine.npz' or a name that tells no iteration."""
    samples = Path(record['samples'])
    name, folder = short(samples.name), samples.parent.name
    if record.get('order') is not None or samples.suffix != '.npz':  # those of snapshots have no order
        return f'images: {name}'
    when = _when(run, name)
    if not when:
        return f'{name}, iteration not known'
    # A record may have been written into the folder of another run.
    return when if folder in ('', '..', run.path.resolve().name) else f'{when} in {short(folder)}'


def _when(run, name):
    found = iteration_in(name, run.config['models']['generator']['name'])
    return found and f'iteration {found[0]:,}' + ', averaged weights' * found[1]


def records_section(runs):
    """A line for each score of each record: value, what was scored, its protocol and file."""
    several = len(runs) > 1
    lines = []
    for run in runs:
        for file, record in run.records.items():
            of, network = scored(run, record), short(record['feature_network'] or '–')
            network += ', a foreign judge' if record.get('foreign_judge') else ''
            for name, value in recorded_scores(record):
                lines.append([SCORE_TITLES.get(name, name), *([run.name] if several else []),
                              _value(record, name, value), of, _count(record, name), short(record['protocol']), network,
                              printable(file)])
    if not lines:
        return ''
    names = ['score', *['run'] * several, 'value', 'of', 'images', 'protocol', 'network', 'file']
    head = ''.join(f'<th scope="col">{name}</th>' for name in names)
    body = ''.join(f'<tr><th scope="row">{text(title)}</th>' + ''.join(f'<td>{text(cell)}</td>' for cell in cells)
                   + '</tr>' for title, *cells in lines)
    return ('<h2>Scores computed later</h2><p class="muted">By commands that scored a snapshot or images. Compare only '
            'scores of one protocol, network and number of images.</p>'
            '<div class="wide" tabindex="0" role="region" aria-label="Scores computed later">'
            f'<table class="records"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def _value(record, name, value):
    std = record.get(name.removesuffix('mean') + 'std') if name.endswith('_mean') else None
    if name == 'is_mean' and record.get('splits') == 1:  # earlier versions wrote 0 of one split
        std = None
    return f'{value:.4g}' + (f' ± {std:.2g}' if is_number(std) else '')


def _count(record, name):
    n = record.get('n_images')
    if name not in OF_ALL and is_number(record.get('n_compared')):
        n = record['n_compared']
    count = f'{n:,}' if is_number(n) else short(n) if isinstance(n, str) else '–'  # as '29 to 31'
    return f'{count} of each class' if name == 'intra_fid' and count != '–' else count


def pictures_section(run, material, of):
    """The newest pictures that commands made in the run's folder, and a line on those left out and why.

    Those that cannot be read are named in the Material's `missing`.
    """
    found, others = _files(run, material)
    newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    why = {f'older than the {MOST} newest': newest[MOST:]}
    figures, unknown = [], False
    for path in sorted(newest[:MOST], key=lambda path: (path.parent.name, _natural(path.name))):
        try:
            picture, reason = _picture(run, path, f'{path.parent.name}/{printable(path.name)}')
        except (DamagedImage, OSError) as error:
            material.missing.append(f'No picture of {path.parent.name}: {error}')
            continue
        if reason:
            why.setdefault(reason, []).append(path)
        else:
            html, is_wide, when = picture
            figures.append(_figure(path, html, is_wide, when))
            unknown |= not when
    why['no PNG or GIF'] = others
    lines = [f'{_names(paths)} ({reason})' for reason, paths in why.items() if paths]
    if not figures and not lines:
        return ''
    left_out = f'<p class="muted">Not shown: {text("; ".join(lines))}.</p>' if lines else ''
    note = (' Where no iteration is given the picture does not say which snapshot it is of.'
            if unknown else '')
    return (f'<h2>Pictures made later{of}</h2><p class="muted">By commands, from a snapshot. Dates are of the files.'
            f'{note}</p><div class="sheets">{"".join(figures)}</div>{left_out}')


def _files(run, material):
    """The pictures in the FOLDERS of a run, and what else gen_images/ holds, as paths."""
    found, others = [], []
    for name in FOLDERS:
        try:
            entries = sorted((run.path / name).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            material.missing.append(f'No pictures: {run.path / name}: {error.strerror}')
            continue
        for path in entries:
            if path.suffix.lower() in BYTES and path.is_file():
                found.append(path)
            elif name == 'gen_images' and not path.name.startswith('.'):
                others.append(path)
    return found, others


def _natural(name):
    """A key that sorts 2.png before 10.png."""
    return [(part.zfill(20) if part.isdigit() else part) for part in re.split('([0-9]+)', name)]


def _names(paths):
    return some_of([f'{path.parent.name}/{path.name}' for path in paths])


def _picture(run, path, name):
    """((HTML, whether it is wide, of which iteration), None), or (None, why it is left out); raises DamagedImage."""
    most = BYTES[path.suffix.lower()]
    if path.stat().st_size > most:
        return None, f'larger than {most / 1e6:g} MB'
    snapshot = None
    try:
        with Image.open(path, formats=FORMATS) as image:
            snapshot = snapshot_of(image)
            if image.width * image.height > MAX_PIXELS:
                return None, f'more than {MAX_PIXELS:,} pixels'
    except Exception:  # what is wrong with it, open_rgb says
        pass
    im = np.asarray(open_rgb(path))
    html = image_tag(im, name, MAX_WIDTH)
    content = path.read_bytes()
    if content.startswith(b'GIF8'):
        height, width = im.shape[:2]
        html += ('<details><summary>Play the animation</summary>'
                 + content_tag(content, 'gif', f'{name}, moving', (width, height)) + '</details>')
    return (html, im.shape[1] > WIDE, _when(run, snapshot or path.name) or short(snapshot or '')), None


def _figure(path, html, is_wide, when):
    try:
        date = time.strftime('%Y-%m-%d %H:%M', time.localtime(path.stat().st_mtime))
    except (OverflowError, ValueError):
        date = 'of an unknown date'
    when = text(', '.join(filter(None, (when, date))))
    name = f'{path.parent.name}/<wbr>' + text(printable(path.name)).replace('_', '_<wbr>')  # where a long one may break
    return f'<figure{" class=spread" * is_wide}><figcaption>{name}<br>{when}</figcaption>{html}</figure>'
