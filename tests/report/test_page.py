"""The page as a parser sees it: nothing comes from elsewhere, every picture has a text, colours stand out."""
import json
import os
import re
import shutil

from evaluations import nearest_neighbors, report
from source.report import material
from source.report.page import FOLDER
from tests.narrow import UNCONDITIONAL, files_in, run
from tests.report.made_run import make_run
from tests.report.page import Page

import numpy as np
import pytest
from PIL import Image


def page_of(*folders_and_options):
    assert run(report.main, *folders_and_options, '--gpu', -1) == 0
    return Page((folders_and_options[0] / 'report.html').read_text())


def shown_in(page):
    """[(whether it is hidden, iteration)] of the sheets under the sliders."""
    return [('hidden' in image, image['data-iteration']) for image in page.all('img') if 'data-iteration' in image]


def charts_in(page):
    """What the charts are called for who does not see them: 'title: series'."""
    return [svg['aria-label'] for svg in page.all('svg') if svg.get('aria-hidden') != 'true']


def test_nothing_comes_from_elsewhere(one):
    for _, attributes in one.tags:
        for name in ('src', 'href', 'srcset', 'data', 'action', 'poster', 'xlink:href'):
            assert attributes.get(name, 'data:').startswith('data:'), attributes
    assert not re.search(r'https?://|url\(|@import|//[a-z]', re.sub('base64,[A-Za-z0-9+/=]+', '', one.html))
    policy, = [a['content'] for a in one.all('meta') if a.get('http-equiv') == 'Content-Security-Policy']
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_texts_also_of_pictures(one):
    texts = [image['alt'] for image in one.all('img')]
    assert len(texts) == len(set(texts)) == 2 + 10 + 3 * 10 and all(len(text) > 5 for text in texts)
    assert {'16 samples: 7 · seven', 'the 5 real images nearest to this sample of 3 · three in pixels'} <= set(texts)
    assert {svg['role'] for svg in one.all('svg') if svg.get('aria-hidden') != 'true'} == {'img'}
    assert {label.partition(':')[0] for label in charts_in(one)} >= {
        'loss', 'inception score', 'FID', "learning rate (Adam's α)", 'largest spectral norm', 'real images a second',
        'block4/c2, squared singular values'}
    for text in ('This run looks well.', 'finished all 4 iterations', 'DigitsDataset (size 8)', '6 ± 0.1',
                 'its config names no row of the published tables', 'chainer 7.8.1', 'n_gen_samples: 4'):
        assert text in one.text, text


def test_form_of_the_page(one):
    assert one.all('html') == [{'lang': 'en'}] and len(one.all('h1')) == len(one.all('main')) == 1
    levels = [int(tag[1]) for tag, _ in one.tags if re.fullmatch('h[1-6]', tag)]
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    ids = [a['id'] for _, a in one.tags if 'id' in a]
    assert len(set(ids)) == len(ids)
    slider, = one.all('input')
    assert (slider['type'], slider['max']) == ('range', '1') and slider['id'] in [a['for'] for a in one.all('label')]
    assert shown_in(one) == [(True, '2'), (False, '4')]


def test_several_runs(folder, tmp_path):
    page = page_of(folder, make_run(tmp_path / 'two <b>', {'seed': 6, 'adam': {'alpha': 1e-4}}))
    assert '2 runs: run, two <b>' in page.text and 'adam.alpha' in page.text
    assert 'batchsize' not in page.text.partition('Config and versions')[0]
    assert len(page.all('input')) == 2
    for heading in ('Samples over time', 'Samples by class', 'Nearest real images', 'config.yml', 'All versions'):
        assert f'{heading} of run' in page.text and f'{heading} of two <b>' in page.text
    loss, = [label for label in charts_in(page) if label.startswith('loss')]
    assert 'run, gen from' in loss and 'two <b>, gen from' in loss


def test_scores_of_several_judges_are_kept_apart(folder, tmp_path):
    """Neither in a row nor in a chart of one name; each with its own numbers of samples."""
    other = make_run(tmp_path / 'b', {'evaluation': {'network': 'inception', 'n_images': 50, 'splits': 5}},
                     log_changes={3: {'inception_fid': 12.}})
    page = page_of(folder, other, '--quick')
    assert re.search('FID by digits25–', page.text) and re.search('FID by inception–12', page.text)
    assert [label.partition(':')[0] for label in charts_in(page) if label.startswith('FID')] == [
        'FID by digits', 'FID by inception']
    for words in ('Scores of run by the network “digits” on 24 samples in 3 splits, FID against all training images '
                  '(of fewer than 10,000 it is biased upwards, by about 1/N',
                  'Scores of b by the network “inception” on 50 samples in 5 splits', 'not to be compared'):
        assert words in page.text, words
    same = page_of(folder, shutil.copytree(folder, tmp_path / 'c'), '--quick').text
    assert 'FID2525' in same and 'not to be compared' not in same and 'Scores by the network' in same


def contrast(*colours):
    """WCAG 2.1's, of two colours '#rrggbb'."""
    levels = [np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255 for colour in colours]
    linear = [np.where(v <= .04045, v / 12.92, ((v + .055) / 1.055) ** 2.4) for v in levels]
    low, high = sorted(v @ [.2126, .7152, .0722] + .05 for v in linear)
    return high / low


def test_colours_stand_out():
    """WCAG 2.1 AA, light and dark: 4.5 for text, on page and panel; 3 for lines. Lines also differ from each other."""
    assert contrast('#767676', '#ffffff') == pytest.approx(4.54, abs=.01)
    light, dark = (dict(re.findall(r'--(\w+): (#[0-9a-f]{6});', block)) for block in re.findall(
        r':root \{(.*?)\}', (FOLDER / 'style.css').read_text(), re.S))
    assert light.keys() == dark.keys()
    for palette in (light, dark):
        for name in ('text', 'muted', 'link', 'good', 'bad'):
            for ground in ('page', 'panel'):
                assert contrast(palette[name], palette[ground]) >= 4.5, (palette, name, ground)
        lines = [palette[f's{i}'] for i in range(6)]
        assert all(contrast(line, palette['page']) >= 3 for line in lines) and len(set(lines)) == 6


def test_unconditional_and_unfinished(tmp_path):
    page = page_of(make_run(tmp_path / 'run', UNCONDITIONAL, iterations=2))
    assert 'made 2 of 4 iterations' in page.text and '1 thing to look at.' in page.text
    assert '16 samples: samples' in [image['alt'] for image in page.all('img')]
    for path in (tmp_path / 'run').glob('*.npz'):
        path.unlink()
    assert 'there is no snapshot of the generator yet' in page_of(tmp_path / 'run').text


def test_what_cannot_be_made_is_said(folder, capsys):
    (folder / 'SNResNetProjectionDiscriminator_4.npz').write_bytes(b'PK broken')
    text = page_of(folder).text
    assert 'What is missing here' in text and 'not a complete .npz snapshot' in text and 'Samples by class' in text
    assert 'left out: No singular values' in capsys.readouterr().err


def test_damaged_pictures_are_named(folder, capsys):
    """Where they would be, in what is missing, and in a line each; the others are shown."""
    whole = (folder / 'preview' / '00000002.png').read_bytes()
    for iteration, content in ((3, b''), (4, whole[:90]), (5, b'no picture'), (6, whole)):
        (folder / 'preview' / f'{iteration:08d}.png').write_bytes(content)
    page = page_of(folder, '--quick')
    said = capsys.readouterr().err
    assert shown_in(page) == [(True, '2'), (False, '6')] and page.all('input')[0]['max'] == '1'
    assert 'Not shown: the samples after 3, 4, 5 iterations.' in page.text
    for iteration in (3, 4, 5):
        named = f'No samples of iteration {iteration}: {folder}/preview/{iteration:08d}.png: expected an image'
        assert named in page.text.partition('What is missing here')[2] and f'left out: {named}' in said
    for path in (folder / 'preview').iterdir():
        path.write_bytes(b'')
    page = page_of(folder, '--quick')
    assert page.all('img') == page.all('input') == [] and 'the samples after 2, 3, 4, 5, 6 iterations' in page.text


def test_sliders_share_the_page(folder, tmp_path):
    """24 sheets of samples on it, at least six of each run; wide ones are made smaller."""
    for k in range(1, 41):
        Image.fromarray(np.full((10, 1300 if k == 40 else 20, 3), k, np.uint8)).save(
            folder / 'preview' / f'{k:08d}.png')
    runs = [folder, *(shutil.copytree(folder, tmp_path / name) for name in 'bcde')]
    for n, expected in ((1, 24), (2, 24), (5, 30)):
        shown = [image for image in page_of(*runs[:n], '--quick').all('img') if 'data-iteration' in image]
        assert len(shown) == expected
        assert [i['data-iteration'] for i in shown if i['data-iteration'] in ('1', '40')] == ['1', '40'] * n
        assert {(i['width'], i['height'], i.get('class')) for i in shown} == {
            ('20', '10', None), ('960', '7', 'smooth')}


def test_features_of_many_real_images_are_not_computed_unasked(folder, monkeypatch):
    monkeypatch.setattr(material, 'MAX_REAL', 1000)
    text = page_of(folder).text
    assert 'the features of 1,437 real images would take long' in text and not (folder / 'nearest_neighbors').exists()
    assert run(nearest_neighbors.main, '--snapshot', folder / 'ResNetGenerator_4.npz', '--gpu', -1) == 0
    assert 'The 5 of 1,437 training images nearest' in page_of(folder).text


def test_quick_and_what_is_replaced(folder, capsys):
    for replaced in ([], ['report.html'], ['report.html', 'card.md']):
        page = page_of(folder, '--quick')
        said = capsys.readouterr().err
        assert [name for name in ('report.html', 'card.md') if f'{name}: replaced' in said] == replaced
        if replaced:
            (folder / 'card.md').write_bytes(b'mine \xff')
    assert 'Samples over time' in page.text and 'Nearest real images' not in page.text
    assert not (folder / 'nearest_neighbors').exists()


def test_quick_keeps_the_check_of_the_last_snapshot(folder, capsys):
    """In verdict and card, as the full report has it; not once there is a later snapshot, and then that is said."""
    check = 'spectral norms of the normalized weights are held at 1: the largest is'
    assert check not in page_of(folder, '--quick').text
    assert check in page_of(folder).text
    card = (folder / 'card.md').read_text()
    assert card.count(check) == 1
    capsys.readouterr()
    text = page_of(folder, '--quick').text
    assert check in text and 'What is missing here' not in text and (folder / 'card.md').read_text() == card
    assert 'left out' not in capsys.readouterr().err
    shutil.copy(folder / 'SNResNetProjectionDiscriminator_4.npz', folder / 'SNResNetProjectionDiscriminator_6.npz')
    text = page_of(folder, '--quick').text
    assert check not in text and 'No check of spectral norms: ' in text.partition('What is missing here')[2]
    assert check not in (folder / 'card.md').read_text()
    assert f'left out: No check of spectral norms: that in {folder}/card.md' in capsys.readouterr().err
    assert 'What is missing here' not in page_of(folder, '--quick').text
    assert f'{check} {checked(page_of(folder).text)} at iteration 6' in (folder / 'card.md').read_text()


def checked(text):
    return re.search('the largest is ([0-9.]+) at iteration 6', text).group(1)


def test_the_papers_numbers_beside(tmp_path):
    folder = make_run(tmp_path / 'run', {'paper_row': 'cifar10_cnn_weight_clipping'})
    (folder / 'scores_paper.json').write_text(json.dumps({
        'samples': 'x.npz', 'protocol': 'paper', 'feature_network': 'inception', 'n_real': 10000,
        'paper_row': 'cifar10_cnn_weight_clipping', 'is_mean': 6.5, 'is_std': .1, 'fid': 41.}))
    text = page_of(folder, '--quick').text
    assert re.search(r'6\.41 ± 0\.11.*6\.5 ± 0\.1', text) and re.search(r'42\.6.*41', text)
    assert '| 6.5 | `scores_paper.json` |' in (folder / 'card.md').read_text()
    assert text.count('batches unknown') == 2  # of records that say nothing of them


def test_batches_that_are_not_the_papers(tmp_path):
    paper = {'processes': 4, 'batchsize': 16, 'n_gen_samples': 32}
    folder = make_run(tmp_path / 'run', {'paper_row': 'imagenet_projection', 'paper': paper, 'processes': 1,
                                         'accumulate': 1})
    (folder / 'intra_fid.json').write_text(json.dumps({
        'samples': 'x.npz', 'protocol': 'paper', 'feature_network': 'inception', 'n_real': 10000,
        'paper_row': 'imagenet_projection', 'intra_fid': 120., 'other_batch': 'each update of 16 real'}))
    text = page_of(folder, '--quick').text
    assert re.search(r'103\.1paper120paper, other batches', text)
    expected = r"each update of \d+ real and \d+ generated images, the paper's of 4 parts, each of 16 real and 32 "
    assert re.search(f"Batches other than the paper's, or not known:run: {expected}", text)
    assert re.search(f"Batches other than the paper's, or not known:.. {expected}", (folder / 'card.md').read_text())


@pytest.mark.parametrize('arguments, expected', [
    (['{folder}/none'], 'none: no such results folder'), (['{folder}', '{folder}'], 'given more than once'),
    ([__file__], 'test_page.py: expected the results folder of a run, found a file'),
    (['{folder}/preview'], 'no config.yml in it: expected the results folder of a run'),
    (['{folder}', '--out', '{folder}/preview'], 'preview: expected the name of a file, found a folder'),
    (['{folder}', '--out', '{folder}/none/a.html'], 'none/a.html: no such folder')])
def test_refused(made, capsys, arguments, expected):
    assert run(report.main, *(text.format(folder=made) for text in arguments)) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count('\n') == 1


def test_nothing_half_written(folder, capsys, monkeypatch):
    """That the folder cannot be written to is said before anything is computed."""
    (folder / 'report.html').write_text('mine')
    before = files_in(folder)
    monkeypatch.setattr(report, 'make_card', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(report.main, folder, '--gpu', -1, '--quick')
    monkeypatch.setattr(report, 'make_material', lambda *_: 1 / 0)
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    capsys.readouterr()
    assert run(report.main, folder, '--gpu', -1) == 2
    assert capsys.readouterr().err == f'command: error: {folder}: expected a folder to write to: Permission denied\n'
    assert files_in(folder) == before
