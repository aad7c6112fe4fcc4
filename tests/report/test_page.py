"""The page as a parser sees it: nothing comes from elsewhere, every picture has a text, colours stand out."""
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

from evaluations import nearest_neighbors, report
from source.report import material
from source.report.page import FOLDER
from tests.narrow import UNCONDITIONAL, files_in, run
from tests.report.made_run import make_run

import numpy as np
import pytest
from PIL import Image

VOID = {'meta', 'img', 'input', 'link', 'br', 'col'}


class Page(HTMLParser):
    """`tags` [(name, attributes)], and `text`; fails where elements are not closed as they were opened."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text = [], [], ''
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID and not self.get_starttag_text().endswith('/>'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ('style', 'script'):
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(*folders, arguments=()):
    assert run(report.main, *folders, '--gpu', -1, *arguments) == 0
    return Page((folders[0] / 'report.html').read_text())


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp('results')
    return [make_run(folder / 'one'), make_run(folder / 'two <b>', {'seed': 6, 'adam': {'alpha': 1e-4}})]


@pytest.fixture(scope='module')
def one(folders, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        return page_of(folders[0])


def test_nothing_comes_from_elsewhere(one, folders):
    html = re.sub('base64,[A-Za-z0-9+/=]+', '', (folders[0] / 'report.html').read_text())
    for _, attributes in one.tags:
        for name in ('src', 'href', 'srcset', 'data', 'action', 'poster', 'xlink:href'):
            assert attributes.get(name, 'data:').startswith('data:'), attributes
    assert not re.search(r'https?://|url\(|@import|//[a-z]', html)
    policy, = [a['content'] for a in one.all('meta') if a.get('http-equiv') == 'Content-Security-Policy']
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_pictures_have_texts(one):
    images = one.all('img')
    texts = [image['alt'] for image in images]
    assert len(images) == 2 + 10 + 3 * 10 and all(len(text) > 5 for text in texts)
    assert len(set(texts)) == len(texts)
    assert '16 samples: 7 · seven' in texts
    assert 'the 5 real images nearest to this sample of 3 · three in pixels' in texts
    charts = [svg for svg in one.all('svg') if svg.get('aria-hidden') != 'true']
    assert all(svg['role'] == 'img' and len(svg['aria-label']) > 10 for svg in charts)
    assert {label['aria-label'].partition(':')[0] for label in charts} >= {
        'loss', 'inception score', 'FID', "learning rate (Adam's α)", 'largest spectral norm', 'real images a second',
        'block4/c2, squared singular values'}


def test_form_of_the_page(one):
    assert one.all('html') == [{'lang': 'en'}] and len(one.all('h1')) == len(one.all('main')) == 1
    levels = [int(tag[1]) for tag, _ in one.tags if re.fullmatch('h[1-6]', tag)]
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    ids = [a['id'] for _, a in one.tags if 'id' in a]
    assert len(set(ids)) == len(ids)
    slider, = one.all('input')
    assert (slider['type'], slider['max']) == ('range', '1') and slider['id'] in [a['for'] for a in one.all('label')]
    shown = [image for image in one.all('img') if 'data-iteration' in image]
    assert [('hidden' in image, image['data-iteration']) for image in shown] == [(True, '2'), (False, '4')]


def test_what_it_says(one):
    for text in ('This run looks well.', 'finished all 4 iterations', 'DigitsDataset (size 8)', '6 ± 0.1',
                 'its config names no row of the published tables', 'chainer 7.8.1', 'n_gen_samples: 4'):
        assert text in one.text, text


def test_several_runs(folders):
    page = page_of(*folders)
    assert '2 runs: one, two <b>' in page.text and 'adam.alpha' in page.text
    assert 'batchsize' not in page.text.partition('Config and versions')[0]
    assert len(page.all('input')) == 2
    loss, = [svg['aria-label'] for svg in page.all('svg') if svg.get('aria-label', '').startswith('loss')]
    assert 'one, gen from' in loss and 'two <b>, gen from' in loss


def test_scores_of_several_judges_are_kept_apart(tmp_path):
    """Neither in a row nor in a chart of one name; each with its own numbers of samples."""
    other = {3: {'inception_fid': 12.}}
    runs = [make_run(tmp_path / 'a'), make_run(tmp_path / 'b', {'evaluation': {
        'network': 'inception', 'n_images': 50, 'splits': 5}}, log_changes=other)]
    page = page_of(*runs, arguments=['--quick'])
    assert re.search('FID by digits25–', page.text) and re.search('FID by inception–12', page.text)
    charts = [svg['aria-label'] for svg in page.all('svg') if svg.get('aria-label', '').startswith('FID')]
    assert [label.partition(':')[0] for label in charts] == ['FID by digits', 'FID by inception']
    for words in ('Scores of a by the network “digits” on 24 samples in 3 splits',
                  'Scores of b by the network “inception” on 50 samples in 5 splits', 'not to be compared'):
        assert words in page.text, words
    same = page_of(runs[0], make_run(tmp_path / 'c'), arguments=['--quick']).text
    assert 'FID2525' in same and 'not to be compared' not in same and 'Scores by the network' in same


def luminance(colour):
    values = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= .04045 else ((v + .055) / 1.055) ** 2.4 for v in values]
    return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + .05) / (low + .05)


def palettes():
    style = (FOLDER / 'style.css').read_text()
    light, dark = re.findall(r':root \{(.*?)\}', style, re.S)
    read = [dict(re.findall(r'--(\w+): (#[0-9a-f]{6});', block)) for block in (light, dark)]
    assert read[0].keys() == read[1].keys() and len(read[0]) > 10
    return read


def test_contrast_of_black_on_white():
    assert contrast('#000000', '#ffffff') == pytest.approx(21)
    assert contrast('#767676', '#ffffff') == pytest.approx(4.54, abs=.01)


@pytest.mark.parametrize('k', [0, 1], ids=['light', 'dark'])
def test_colours_stand_out(k):
    """WCAG 2.1 AA: 4.5 for text, on page and panel; 3 for lines. Lines also differ from each other."""
    palette = palettes()[k]
    for name in ('text', 'muted', 'link', 'good', 'bad'):
        for ground in ('page', 'panel'):
            assert contrast(palette[name], palette[ground]) >= 4.5, (name, ground)
    lines = [palette[f's{i}'] for i in range(6)]
    assert all(contrast(line, palette['page']) >= 3 for line in lines) and len(set(lines)) == 6


def test_unconditional_and_unfinished(tmp_path):
    folder = make_run(tmp_path / 'run', UNCONDITIONAL, iterations=2)
    page = page_of(folder)
    assert 'made 2 of 4 iterations' in page.text and '1 thing to look at.' in page.text
    assert '16 samples: samples' in [image['alt'] for image in page.all('img')]


def test_of_a_run_that_has_just_begun(tmp_path):
    folder = make_run(tmp_path / 'run', iterations=0)
    page = page_of(folder)
    assert 'there is no snapshot of the generator yet' in page.text


def test_what_cannot_be_made_is_said(tmp_path, capsys):
    folder = make_run(tmp_path / 'run')
    (folder / 'SNResNetProjectionDiscriminator_4.npz').write_bytes(b'PK broken')
    page = page_of(folder)
    assert 'What is missing here' in page.text and 'not a complete .npz snapshot' in page.text
    assert 'left out: No singular values' in capsys.readouterr().err
    assert 'Samples by class' in page.text


def test_damaged_pictures_are_named(tmp_path, capsys):
    """Where they would be, in what is missing, and in a line each; the others are shown."""
    folder = make_run(tmp_path / 'run')
    whole = (folder / 'preview' / '00000002.png').read_bytes()
    for iteration, content in ((3, b''), (4, whole[:90]), (5, b'no picture'), (6, whole)):
        (folder / 'preview' / f'{iteration:08d}.png').write_bytes(content)
    page = page_of(folder, arguments=['--quick'])
    said = capsys.readouterr().err.splitlines()
    shown = [image for image in page.all('img') if 'data-iteration' in image]
    assert [('hidden' in image, image['data-iteration']) for image in shown] == [(True, '2'), (False, '6')]
    assert page.all('input')[0]['max'] == '1'
    assert 'Not shown: the samples after 3, 4, 5 iterations.' in page.text
    for iteration in (3, 4, 5):
        named = f'No samples of iteration {iteration}: {folder}/preview/{iteration:08d}.png: expected an image'
        assert named in page.text.partition('What is missing here')[2]
        assert [line for line in said if line.startswith(f'left out: {named}')]
    for path in (folder / 'preview').iterdir():
        path.write_bytes(b'')
    page = page_of(folder, arguments=['--quick'])
    assert page.all('img') == page.all('input') == [] and 'the samples after 2, 3, 4, 5, 6 iterations' in page.text


def test_sliders_share_the_page(tmp_path):
    """24 sheets of samples on it, at least six of each run; wide ones are made smaller."""
    runs = [make_run(tmp_path / name) for name in ('a', 'b', 'c', 'd', 'e')]
    for folder in runs:
        for k in range(1, 41):
            Image.fromarray(np.full((10, 1300 if k == 40 else 20, 3), k, np.uint8)).save(
                folder / 'preview' / f'{k:08d}.png')
    for n, expected in ((1, 24), (2, 24), (5, 30)):
        page = page_of(*runs[:n], arguments=['--quick'])
        shown = [image for image in page.all('img') if 'data-iteration' in image]
        assert len(shown) == expected
        assert [i['data-iteration'] for i in shown if i['data-iteration'] in ('1', '40')] == ['1', '40'] * n
        assert {(i['width'], i['height'], i.get('class')) for i in shown} == {
            ('20', '10', None), ('960', '7', 'smooth')}


def test_features_of_many_real_images_are_not_computed_unasked(tmp_path, monkeypatch):
    folder = make_run(tmp_path / 'run')
    monkeypatch.setattr(material, 'MAX_REAL', 1000)
    text = page_of(folder).text
    assert 'the features of 1,437 real images would take long' in text and not (folder / 'nearest_neighbors').exists()
    assert run(nearest_neighbors.main, '--snapshot', folder / 'ResNetGenerator_4.npz', '--gpu', -1) == 0
    assert 'The 5 of 1,437 training images nearest' in page_of(folder).text


def test_a_folder_as_page_and_nothing_half_written(tmp_path, capsys, monkeypatch):
    folder = make_run(tmp_path / 'run')
    before = files_in(folder)
    assert run(report.main, folder, '--gpu', -1, '--quick', '--out', folder / 'preview') == 2
    assert 'preview: expected the name of a file, found a folder' in capsys.readouterr().err
    monkeypatch.setattr(report, 'make_card', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(report.main, folder, '--gpu', -1, '--quick')
    assert files_in(folder) == before


def test_a_folder_that_cannot_be_written_to(tmp_path, capsys, monkeypatch):
    """Is said before anything is computed."""
    folder = make_run(tmp_path / 'run')
    (folder / 'report.html').write_text('mine')
    monkeypatch.setattr(report, 'make_material', lambda *_: 1 / 0)
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    assert run(report.main, folder, '--gpu', -1) == 2
    assert capsys.readouterr().err == f'command: error: {folder}: expected a folder to write to: Permission denied\n'


def test_quick(tmp_path):
    folder = make_run(tmp_path / 'run')
    page = page_of(folder, arguments=['--quick'])
    assert 'Samples over time' in page.text and 'Nearest real images' not in page.text
    assert not (folder / 'nearest_neighbors').exists()


def test_the_papers_numbers_beside(tmp_path):
    folder = make_run(tmp_path / 'run', {'paper_row': 'cifar10_cnn_weight_clipping'})
    (folder / 'scores_paper.json').write_text(json.dumps({
        'samples': 'x.npz', 'protocol': 'paper', 'feature_network': 'inception', 'n_real': 10000,
        'paper_row': 'cifar10_cnn_weight_clipping', 'is_mean': 6.5, 'is_std': .1, 'fid': 41.}))
    page = page_of(folder, arguments=['--quick'])
    assert re.search(r'6\.41 ± 0\.11.*6\.5 ± 0\.1', page.text) and re.search(r'42\.6.*41', page.text)
    assert '| 6.5 | `scores_paper.json` |' in (folder / 'card.md').read_text()


def test_what_is_replaced_is_said(tmp_path, capsys):
    folder = make_run(tmp_path / 'run')
    for k in range(2):
        assert run(report.main, folder, '--gpu', -1, '--quick') == 0
        assert ('report.html: replaced' in capsys.readouterr().err) == bool(k)
    (folder / 'card.md').write_text('mine')
    assert run(report.main, folder, '--gpu', -1, '--quick') == 0
    assert 'card.md: replaced' in capsys.readouterr().err


@pytest.mark.parametrize('make, expected', [
    (lambda f: f / 'none', 'none: no such results folder'),
    (lambda f: Path(__file__), 'test_page.py: expected the results folder of a run, found a file'),
    (lambda f: f, 'no config.yml in it: expected the results folder of a run')])
def test_refused(tmp_path, capsys, make, expected):
    assert run(report.main, make(tmp_path)) == 2
    captured = capsys.readouterr()
    assert expected in captured.err and captured.err.count('\n') == 1


def test_damaged_log_and_twice_the_same(tmp_path, capsys):
    folder = make_run(tmp_path / 'run')
    assert run(report.main, folder, folder) == 2
    assert 'given more than once' in capsys.readouterr().err
    (folder / 'log.json').write_text('[{]')
    before = files_in(folder)
    assert run(report.main, folder) == 2
    assert 'log.json: expected a log of training' in capsys.readouterr().err
    assert files_in(folder) == before
