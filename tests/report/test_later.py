"""What commands made of a run later: scores in records and pictures, on the page."""
import base64
import html
import json
import os
import re
import shutil

from evaluations import report
from source.pictures.animations import save_animation
from source.pictures.image_sheets import save_picture
from source.report import later
from source.report.later import pictures_section, recorded_scores, records_section
from source.report.material import Material
from source.report.run import read_run, read_runs
from tests.narrow import run as run_command
from tests.report.page import Page

import numpy as np
import pytest
from PIL import Image

RECORD = {'samples': 'results/run/ResNetGenerator_4.npz', 'protocol': 'config', 'feature_network': 'digits',
          'foreign_judge': None, 'order': None, 'n_images': 7000, 'splits': 10, 'n_compared': 5000}
HOSTILE = '<script>alert(1)</script>&"\n| x |\x00\ud800' + 'y' * 5000


def write(folder, name, **changes):
    (folder / name).write_text(json.dumps({**RECORD, **changes}))


def rows(*folders):
    """The table of records as lists of texts."""
    table = records_section(read_runs(folders))
    return [[html.unescape(cell) for cell in re.findall('<t[hd](?: scope="row")?>(.*?)</t[hd]>', line)]
            for line in re.findall('<tr>(.*?)</tr>', table)[1:]]


def test_scores_with_their_iteration_and_file(folder):
    write(folder, 'all_scores.json', is_mean=2.5, is_std=.25, fid=30.125, kid_mean=.5, kid_std=.0625, recognized=.75)
    write(folder, 'fid.json', samples='mine/a.npz', order='drawn', n_images=60, n_compared=60, fid=7, splits=1)
    write(folder, 'inception.json', samples='elsewhere/ResNetGenerator_ema_1200.npz', is_mean=3., is_std=0., splits=1,
          foreign_judge='why', protocol='all images')
    write(folder, 'intra_fid.json', n_images='29 to 31', intra_fid=5.)
    write(folder, 'ms_ssim.json', samples='images/', feature_network=None, n_images=None, ms_ssim=.125)
    write(folder, 'other.json', samples='best.npz', fid=1.)
    found = ['config', 'digits', 'all_scores.json']
    assert rows(folder) == [
        ['inception score', '2.5 ± 0.25', 'iteration 4', '7,000', *found],
        ['FID', '30.12', 'iteration 4', '5,000', *found],
        ['KID', '0.5 ± 0.062', 'iteration 4', '5,000', *found],
        ['share recognized as their class', '0.75', 'iteration 4', '7,000', *found],
        ['FID', '7', 'images: a.npz', '60', 'config', 'digits', 'fid.json'],
        ['inception score', '3', 'iteration 1,200, averaged weights in elsewhere', '7,000', 'all images',
         'digits, a foreign judge', 'inception.json'],
        ['intra-FID', '5', 'iteration 4', '29 to 31 of each class', 'config', 'digits', 'intra_fid.json'],
        ['MS-SSIM within classes (lower: more varied)', '0.125', 'images: images', '–', 'config', '–', 'ms_ssim.json'],
        ['FID', '1', 'best.npz, iteration not known', '5,000', 'config', 'digits', 'other.json']]


@pytest.mark.parametrize('samples, expected', [
    ('ResNetGenerator_4.npz', 'iteration 4'), ('../ResNetGenerator_4.npz', 'iteration 4'),
    ('old/ResNetGenerator_4.npz', 'iteration 4 in old'), ('ResNetGenerator_4', 'images: ResNetGenerator_4'),
    ('OtherGenerator_4.npz', 'OtherGenerator_4.npz, iteration not known'),
    ('ResNetGenerator_.npz', 'ResNetGenerator_.npz, iteration not known'),
    (f'ResNetGenerator_{"9" * 19}.npz', f'ResNetGenerator_{"9" * 19}.npz, iteration not known'),
    ('ResNetGenerator_٤.npz', 'ResNetGenerator_٤.npz, iteration not known'), ('', 'images: ')])
def test_what_was_scored(folder, samples, expected):
    write(folder, 'fid.json', samples=samples, fid=1.)
    assert rows(folder)[0][2] == expected


def test_several_runs_with_records(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / 'two')
    write(folder, 'fid.json', fid=1.)
    write(other, 'fid.json', fid=2., samples='two/ResNetGenerator_4.npz')
    assert [row[:4] for row in rows(folder, other)] == [
        ['FID', 'run', '1', 'iteration 4'], ['FID', 'two', '2', 'iteration 4']]
    assert records_section([read_run(tmp_path / 'two')]).count('<th scope="col">run</th>') == 0


def test_hostile_records(folder, capsys):
    """Neither stop the report nor come to be HTML or another line of the card; those that cannot be read are named."""
    write(folder, 'fid.json', **dict.fromkeys(('samples', 'protocol', 'feature_network', 'foreign_judge'), HOSTILE),
          n_images=HOSTILE, fid=1.5, seed=HOSTILE, order=HOSTILE, n_compared=[1])
    write(folder, 'a.json', n_images={'a': 1}, n_compared=True, is_mean=2., is_std='x', splits=[], fid=10 ** 400,
          kid_mean=float('nan'), precision=float('inf'), recall=True, seed=[HOSTILE])
    write(folder, '<i>.json', n_images=10 ** 400, intra_fid=1., paper_row='no such row')
    write(folder, 'no_text.json', samples=3, fid=1.)
    write(folder, os.fsdecode(b'\xff.json'), protocol=None)
    (folder / 'deep.json').write_text('[' * 100_000)
    (folder / 'huge.json').write_text('{"samples": ' + '9' * 5000)
    assert run_command(report.main, folder, '--quick') == 0
    page, said = Page((folder / 'report.html').read_text()), capsys.readouterr().err
    assert len(page.all('script')) == 1 and page.all('i') == [] and '<script>alert(1)</script>&"' in page.text
    assert [row[0] for row in rows(folder)] == ['intra-FID', 'inception score', 'FID']
    assert all(len(cell) <= 120 and '\n' not in cell for row in rows(folder) for cell in row)
    for line in (f'No scores of no_text.json: {folder}/no_text.json: samples: expected text, found int',
                 f'{folder}/\\udcff.json: protocol: expected text, found NoneType',
                 f"Not beside the paper's numbers: {folder}/<i>.json: paper_row: no row 'no such row' among"):
        assert line in page.text.partition('What is missing here')[2] and line in said
    card = (folder / 'card.md').read_text()
    assert '<script' not in card
    for line in (line for line in card.splitlines() if '.json' in line):
        assert re.fullmatch(r'(\| [^|]+ ){4}\|', line), line


def draw(path, size=(20, 10), value=100, seconds=None):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((*size[::-1], 3), value, np.uint8)).save(path)
    if seconds is not None:
        os.utime(path, (seconds, seconds))


def pictures(folder, missing=None):
    material = Material()
    page = Page(pictures_section(read_run(folder), material, ''))
    assert material.missing == (missing or [])
    return page


def test_pictures_with_their_file_and_iteration(folder):
    assert pictures(folder).html == ''
    draw(folder / 'nearest_neighbors' / 'ResNetGenerator_ema_15.png', (500, 20), seconds=86400 * 365)
    for name in ('10.png', '2.png', 'samples_4.png'):
        draw(folder / 'gen_images' / name)
    page = pictures(folder)
    assert [image['alt'] for image in page.all('img')] == [
        'gen_images/2.png', 'gen_images/10.png', 'gen_images/samples_4.png',
        'nearest_neighbors/ResNetGenerator_ema_15.png']
    assert 'nearest_neighbors/ResNetGenerator_ema_15.pngiteration 15, averaged weights, 1971-01-01' in page.text
    assert page.text.count('iteration ') == 2 and 'does not say which snapshot it is of' in page.text
    assert [figure.get('class') for figure in page.all('figure')] == [None] * 3 + ['spread']
    shutil.rmtree(folder / 'gen_images')
    assert 'does not say which' not in pictures(folder).text


def test_pictures_say_which_snapshot_they_are_of(folder):
    """As gen_images.py and gen_interpolated_images.py write them; what somebody's say is text."""
    (folder / 'gen_images').mkdir()
    picture = np.zeros((10, 20, 3), np.uint8)
    save_picture(folder / 'gen_images' / '3.png', picture, 'any/ResNetGenerator_ema_1200.npz')
    save_picture(folder / 'gen_images' / '4.png', picture, '<i>.npz')
    save_picture(folder / 'gen_images' / '5.png', picture, 'a\udcff\n.npz')
    save_animation(folder / 'gen_images' / 'c.gif', [picture, picture + 9], snapshot='a\udcff\n.npz')
    save_animation(folder / 'gen_images' / 'a.gif', [picture, picture + 9], snapshot='ResNetGenerator_7.npz')
    Image.new('RGB', (9, 9)).save(folder / 'gen_images' / 'b.gif', comment='made by hand')
    page = pictures(folder)
    assert 'gen_images/3.pngiteration 1,200, averaged weights, ' in page.text
    assert 'gen_images/4.png<i>.npz, ' in page.text and page.all('i') == []
    for name in ('5.png', 'c.gif'):
        assert f'gen_images/{name}a\\udcff\\n.npz, ' in page.text
    assert 'gen_images/a.gifiteration 7, ' in page.text and 'made by hand' not in page.text
    assert 'does not say which snapshot it is of' in page.text


def test_pictures_of_each_run_are_on_the_page(folder, tmp_path):
    draw(folder / 'gen_images' / '0.png')
    other = shutil.copytree(folder, tmp_path / 'two')
    assert run_command(report.main, folder, other, '--quick') == 0
    page = Page((folder / 'report.html').read_text())
    assert [image['alt'] for image in page.all('img') if 'data-iteration' not in image] == ['gen_images/0.png'] * 2
    assert 'Pictures made later of run' in page.text and 'Pictures made later of two' in page.text


def test_animations_stand_still_until_asked(folder):
    frames = [Image.fromarray(np.full((10, 20, 3), value, np.uint8)) for value in (0, 100, 200)]
    (folder / 'gen_images').mkdir()
    frames[0].save(folder / 'gen_images' / 'morph.gif', save_all=True, append_images=frames[1:])
    page = pictures(folder)
    still, moving = page.all('img')
    assert still['src'].startswith('data:image/webp;') and page.html.index(still['src']) < page.html.index('<details>')
    assert base64.b64decode(moving['src'].removeprefix('data:image/gif;base64,')) == (
        folder / 'gen_images' / 'morph.gif').read_bytes()
    assert (moving['width'], moving['height']) == ('20', '10') and page.html.index('<details>') < page.html.index(
        moving['src'])


def test_pictures_left_out_are_named(folder, monkeypatch):
    """Those beyond the newest, large files, many pixels, what is no picture; the damaged ones in what is missing."""
    monkeypatch.setattr(later, 'MOST', 6)
    monkeypatch.setattr(later, 'BYTES', {'.png': 5000, '.gif': 10})
    monkeypatch.setattr(later, 'MAX_PIXELS', 300)
    made = folder / 'gen_images'
    for k, name in enumerate(('old.png', 'older.png', 'new.png', 'wide.png', 'a<b>.png')):
        draw(made / name, (40 if name == 'wide.png' else 20, 10), seconds=1e9 + k * (-1 if name == 'older.png' else 1))
    (made / 'large.png').write_bytes(b'x' * 5001)
    (made / 'large.GIF').write_bytes(b'x' * 11)
    (made / 'cut.png').write_bytes((made / 'new.png').read_bytes()[:50])
    (made / 'morph.mp4').touch()
    (made / 'folder.png').mkdir()
    os.mkfifo(made / 'pipe.png')
    (made / '.hidden').touch()
    page = pictures(folder, [f'No picture of gen_images: {made}/cut.png: expected an image, found a file Pillow cannot '
                             'read (image file is truncated)'])
    assert {image['alt'] for image in page.all('img')} == {'gen_images/a<b>.png', 'gen_images/new.png'}
    said = page.text.partition('Not shown: ')[2]
    for line in ('gen_images/old.png, gen_images/older.png (older than the 6 newest)',
                 'gen_images/wide.png (more than 300 pixels)', 'gen_images/large.png (larger than 0.005 MB)',
                 'gen_images/large.GIF (larger than 1e-05 MB)',
                 'gen_images/folder.png, gen_images/morph.mp4, gen_images/pipe.png (no PNG or GIF)'):
        assert line in said, said
    assert '.hidden' not in said and page.all('b') == []


def test_folders_that_are_none(folder):
    (folder / 'gen_images').touch()
    (folder / 'nearest_neighbors').mkdir()
    assert pictures(folder).html == ''


def test_only_numbers_are_scores():
    assert recorded_scores({'fid': 1, 'is_mean': '2', 'recall': None, 'coverage': 0., 'loss': 3.}) == [
        ('fid', 1), ('coverage', 0.)]
