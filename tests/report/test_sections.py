"""Sections of the page against what they are made from."""
import base64
import io
import re
from types import SimpleNamespace
from xml.etree import ElementTree

from source.report.curves import spectra_section
from source.report.material import Material
from source.report.pictures import neighbors_section
from source.scoring.neighbors import Neighbors

import numpy as np
import pytest
from PIL import Image


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
    expected = [[200], [40, 60], [80, 100]]
    assert [list(map(len, expected))] == [[(p.shape[1] + 1) // 64 for p in pictures]]
    for picture, numbers in zip(pictures, expected, strict=True):
        for k, number in enumerate(numbers):
            assert picture[32, 65 * k + 32] == pytest.approx(number, abs=4)
    assert html.index('nearest in φ') < html.index('nearest in pixels')


def test_spectra_are_squared_and_scaled_to_one():
    """σ of 4, 2, 1 is drawn at heights 1, 1/4, 1/16 above the zero line, whatever their scale."""
    spectrum = {'normalization': None, 'bound': 4., 'raw_bound': None, 'layers': {'c1': {'values': [4., 2., 1.]}}}
    html = spectra_section([SimpleNamespace(name='run')], [Material(spectra={1: spectrum})])
    svg = ElementTree.fromstring(re.search('<svg class="chart".*?</svg>', html).group())
    heights = [float(p.split(',')[1]) for p in svg.find('polyline').get('points').split()]
    lines = [float(line.get('y1')) for line in svg.iter('line')]
    zero, one = max(lines), min(lines)
    np.testing.assert_allclose((zero - np.array(heights)) / (zero - one), [1, 1 / 4, 1 / 16], atol=2e-3)
    assert '>4</td>' in html and 'not finite' in html
