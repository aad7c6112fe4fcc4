import math
import re
from xml.etree import ElementTree

from source.report.svg import SIZE, SMALL, Series, line_chart, number, thinned, ticks

import numpy as np
import pytest


@pytest.mark.parametrize('low, high, expected', [
    (0, 1, [0, .2, .4, .6, .8, 1]), (7.1, 9.4, [7, 8, 9, 10]), (0, 5e-4, [0, 1e-4, 2e-4, 3e-4, 4e-4, 5e-4]),
    (-3, 3, [-4, -2, 0, 2, 4]), (300, 1200, [200, 400, 600, 800, 1000, 1200])])
def test_ticks(low, high, expected):
    found = ticks(low, high)
    assert found[0] <= low and found[-1] >= high and 3 <= len(found) <= 8
    steps = {round((b - a) / (found[1] - found[0]), 9) for a, b in zip(found, found[1:])}
    assert steps == {1.}
    assert float(f'{found[1] - found[0]:e}'[0]) in (1, 2, 5)


@pytest.mark.parametrize('x, expected', [
    (0, '0'), (.25, '0.25'), (1234, '1,234'), (450000, '450k'), (1.5e6, '1.5M'), (2e-4, '2e−4'), (1e-12, '1e−12')])
def test_number(x, expected):
    assert number(x) == expected


def test_ticks_of_one_value():
    for value in (5, 0, -2):
        found = ticks(value, value)
        assert found[0] < value < found[-1] and len(found) < 12


def test_points_are_where_they_belong():
    """Of the polyline in its frame: the lowest point on the lowest tick's line, the highest on the highest's."""
    svg = ElementTree.fromstring(line_chart('loss <1>', [Series('gen', [(10, 0.), (20, 4.), (30, 2.)])]))
    points = [tuple(map(float, p.split(','))) for p in svg.find('polyline').get('points').split()]
    lines = [float(line.get('y1')) for line in svg.iter('line')]
    assert points[0][1] == pytest.approx(max(lines)) and points[1][1] == pytest.approx(min(lines))
    assert points[2][1] == pytest.approx((points[0][1] + points[1][1]) / 2, abs=.1)
    assert points[1][0] - points[0][0] == pytest.approx(points[2][0] - points[1][0], abs=.11)
    width, height = map(float, svg.get('viewBox').split()[2:])
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert svg.get('aria-label') == 'loss <1>: gen from 0 at 10 to 2 at 30'


def test_text_is_within_the_frame():
    """By a width of 7 px a letter."""
    for size, label, points in ((SIZE, 'iteration', [(0, 5e-4), (450000, 1e-5)]), (SMALL, '', [(1, 1.), (64, .01)])):
        svg = ElementTree.fromstring(line_chart('α', [Series('a', points)], label, size=size))
        for text in svg.iter('text'):
            if text.get('text-anchor') == 'end':
                assert float(text.get('x')) - 7 * len(text.text) >= 0, text.text


@pytest.mark.parametrize('points', [[(1, 2.)], [(1, 2.), (2, 2.)]])
def test_of_one_point_or_level(points):
    svg = line_chart('x', [Series('a', points)])
    assert not re.search('nan|inf', svg)
    assert len(ElementTree.fromstring(svg).findall('circle')) == len(points)
    assert math.isfinite(float(ElementTree.fromstring(svg).find('circle').get('cy')))


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
    chart = line_chart('x', [Series('a', points)])
    heights = [float(p.split(',')[1]) for p in ElementTree.fromstring(chart).find('polyline').get('points').split()]
    assert len(chart) < 60_000 and sorted(heights)[1] - min(heights) > 20


def test_few_points_are_all_drawn():
    points = [(k, float(k % 3)) for k in range(400)]
    assert thinned(points, 100) == points
    assert line_chart('x', [Series('a', [])]) == ''
