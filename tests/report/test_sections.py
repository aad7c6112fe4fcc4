"""Sections of the page, and their charts, against what they are made from."""
import base64
import io
import math
import re
from types import SimpleNamespace
from xml.etree import ElementTree

from source.config.build import build_models
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.report.curves import spectra_section
from source.report.elements import image_tag
from source.report.material import Material, make_material
from source.report.page import FOLDER
from source.report.pictures import neighbors_section
from source.report.run import read_run
from source.report.svg import SIZE, SMALL, Series, labels, line_chart, number, thinned, ticks
from source.results_folder.snapshots import load_model, save_snapshot
from source.scoring.neighbors import Neighbors, features_of
from tests.report.page import Page

import chainer
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFont


def test_material_of_the_last_weights_of_the_iteration(folder):
    """Sheets and neighbours by the generator and discriminator of the last snapshot, not averaged ones."""
    run = read_run(folder)
    for name in ('ResNetGenerator_4', 'ResNetGenerator_2', 'ResNetGenerator_ema_4'):
        gen, _ = build_models(run.config, 'config')
        for _ in range(3):
            gen(20)
        save_snapshot(folder / f'{name}.npz', gen)
    for iteration in (2, 4, 16):  # the last without a generator, as where a run was killed between the two
        _, dis = build_models(run.config, 'config')
        save_snapshot(folder / f'SNResNetProjectionDiscriminator_{iteration}.npz', dis)
    material = make_material(run, chainer.get_device('@numpy'))
    load_model(folder / 'ResNetGenerator_4.npz', gen)
    load_model(folder / 'SNResNetProjectionDiscriminator_4.npz', dis)
    assert (material.iteration, list(material.sheets), list(material.spectra)) == (4, list(range(10)), [2, 4, 16])
    for c in (0, 9):
        expected, _ = generate_ims(gen, 16, NoiseSampler(3, 10, seed=1234), np.full(16, c))
        np.testing.assert_array_equal(material.sheets[c], expected)
    found = material.neighbors
    index, distance = (a[3, 0] for a in found.by['features'])
    phi = features_of(dis, np.stack([found.ims[3], material.dataset.ims[index]]), np.array([3, 3]))
    assert distance == pytest.approx(np.abs(phi[0] - phi[1]).sum(), rel=1e-4)


def test_a_picture_with_quotes_and_brackets_in_its_text():
    image, = Page(image_tag(np.zeros((2, 3, 3), np.uint8), 'a "b" <c> & d', hidden=True)).all('img')
    assert (image['alt'], image['width'], image['height'], image['hidden']) == ('a "b" <c> & d', '3', '2', None)


def test_neighbours_are_under_their_headings():
    """Of grey images, whose level is their number: sample 200; in φ 40 and 60, in pixels 80 and 100."""
    levels = np.arange(256, dtype=np.uint8)[:, None, None, None]
    dataset = type('Levels', (), {'__len__': lambda self: 256, 'load_ims': lambda self, i: np.broadcast_to(
        levels[i], (len(i), 3, 64, 64))})()
    found = Neighbors(np.full((1, 3, 64, 64), 200, np.uint8), None, {
        'features': (np.array([[40, 60]]), None), 'pixels': (np.array([[80, 100]]), None)})
    html = neighbors_section(Material(neighbors=found, dataset=dataset), '')
    pictures = [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert('L'), int)
                for data in re.findall('base64,([^"]+)"', html)]
    for picture, numbers in zip(pictures, [[200], [40, 60], [80, 100]], strict=True):
        assert picture[32, 32::65].tolist() == pytest.approx(numbers, abs=4)
    assert html.index('nearest in φ') < html.index('nearest in pixels')


def drawn(chart):
    """A chart's element, the points of its line, and the heights of the ticks' lines."""
    svg = ElementTree.fromstring(chart)
    points = [tuple(map(float, p.split(','))) for line in svg.iter('polyline') for p in line.get('points').split()]
    return svg, points, [float(line.get('y1')) for line in svg.iter('line')]


def test_spectra_are_squared_and_scaled_to_one():
    """σ of 4, 2, 1 is drawn at heights 1, 1/4, 1/16 above the zero line, whatever their scale."""
    spectrum = {'normalization': None, 'bound': 4., 'raw_bound': None, 'layers': {'c1': {'values': [4., 2., 1.]}}}
    html = spectra_section([SimpleNamespace(name='run')], [Material(spectra={1: spectrum})])
    _, points, lines = drawn(re.search('<svg class="chart".*?</svg>', html).group())
    zero, one = max(lines), min(lines)
    np.testing.assert_allclose([(zero - y) / (zero - one) for _, y in points], [1, 1 / 4, 1 / 16], atol=2e-3)
    assert '>4</td>' in html and 'not finite' in html


def test_ticks_and_numbers():
    for low, high, expected in (
            (0, 1, [0, .5, 1]), (7.1, 9.4, [7, 8, 9, 10]), (0, 5e-4, [0, 2e-4, 4e-4, 6e-4]),
            (300, 1200, [0, 500, 1000, 1500]), (-3, 3, [-4, -2, 0, 2, 4]), (5, 5, [4.5, 5, 5.5]),
            (0, 0, [-.1, -.05, 0, .05, .1]), (-2, -2, [-2.2, -2.1, -2, -1.9, -1.8])):
        assert ticks(low, high) == expected
    for x, expected in ((0, '0'), (.25, '0.25'), (1234, '1,234'), (450000, '450k'), (1.5e6, '1.5M'), (2e-4, '2e−4'),
                        (1e-12, '1e−12'), (-.004, '−0.004'), (-25e-5, '−2.5e−4'), (999.7, '1,000'),
                        (99999.9, '100,000'), (1e12, '1e12'), (5e-324, '4.94e−324')):
        assert number(x) == expected
    assert labels([99.5, 100., 100.5]) == ['99.5', '100', '100.5'] and labels([12345.5]) == ['12,345.5']
    assert ticks(5e-324, 5e-324) == ticks(5e-324, 1e-323) == ticks(0, 0)


def test_points_are_where_they_belong():
    """Of the polyline in its frame: the lowest point on the lowest tick's line, the highest on the highest's."""
    svg, points, lines = drawn(line_chart('loss <1>', [Series('gen', [(10, 0.), (20, 4.), (30, 2.)])]))
    assert points[0][1] == pytest.approx(max(lines)) and points[1][1] == pytest.approx(min(lines))
    assert points[2][1] == pytest.approx((points[0][1] + points[1][1]) / 2, abs=.1)
    assert points[1][0] - points[0][0] == pytest.approx(points[2][0] - points[1][0], abs=.11)
    width, height = map(float, svg.get('viewBox').split()[2:])
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert svg.get('aria-label') == 'loss <1>: gen from 0 at 10 to 2 at 30'


@pytest.mark.parametrize('size, x_label', [(SIZE, 'iteration'), (SMALL, '')])
@pytest.mark.parametrize('low, high', [
    (0., 5e-4), (0., 2.5e-4), (0., 1e-5), (1e-5, 2e-5), (9_000., 12_000.), (-.004, -.001), (-12345.5, -12344.),
    (123456.1, 123456.4), (0., 3e6), (1., 1.00001), (-3e-9, 4e-9), (1e9, 1.0000001e9), (0., 1e30), (.01, 1.)])
def test_text_is_within_the_frame(size, x_label, low, high):
    """As measured in DejaVu Sans, as wide as usual fonts are; and no number at an axis touches the next."""
    font = ImageFont.truetype(f'{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf', 120)
    for points in ([(0, high), (450000, low)], [(high, 1.), (low, 2.)][::-1]):
        svg, row = ElementTree.fromstring(line_chart('α', [Series('a', points)], x_label, size=size)), []
        for text in svg.iter('text'):
            width = font.getlength(text.text) / 10  # style.css says 12 px
            left = float(text.get('x')) - width * {'end': 1, 'middle': .5}[text.get('text-anchor')]
            assert left >= 0 and left + width <= size[0] + .1, text.text
            row += [(left, left + width)] if text.get('text-anchor') == 'middle' else []
        assert row and all(before[1] < after[0] for before, after in zip(row, row[1:]))
    assert '.chart text { font: 12px ' in (FOLDER / 'style.css').read_text()


@pytest.mark.parametrize('points', [[(1, 2.)], [(1, 2.), (2, 2.)]])
def test_of_one_point_or_level(points):
    assert line_chart('x', [Series('a', [])]) == ''
    chart = line_chart('x', [Series('a', points)])
    assert not re.search('nan|inf', chart)
    circles = ElementTree.fromstring(chart).findall('circle')
    assert len(circles) == len(points) and math.isfinite(float(circles[0].get('cy')))


def test_thinned_curves_look_the_same():
    """Rows of pixels that each column covers, of 100,000 noisy points with one spike, all of them and thinned."""
    rng = np.random.RandomState(0)
    points = list(zip(range(100, 10_000_100, 100), rng.normal(size=100_000).tolist()))
    points[43_210] = (points[43_210][0], 9.)
    found = thinned(points, 300)
    assert len(found) <= 1200 and set(found) <= set(points) and found == sorted(found)
    assert found[0] == points[0] and found[-1] == points[-1]

    def covered(points):
        columns = [[] for _ in range(300)]
        for x, y in points:
            columns[min(299, int((x - 100) / (points[-1][0] - 100) * 300))].append(y)
        return [(min(column), max(column), column[0], column[-1]) for column in columns]
    assert covered(found) == covered(points)
    spike, second, *others = sorted(y for _, y in drawn(line_chart('x', [Series('a', points)]))[1])
    assert len(others) < 3000 and second - spike > 20
    points = [(k, float(k % 3)) for k in range(400)]
    assert thinned(points, 100) == points
