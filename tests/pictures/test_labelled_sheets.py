from source.pictures.labelled_sheets import band, heading_of, name_of, with_columns_named, with_rows_named

import numpy as np
import pytest
from PIL import ImageFont

SHEET = np.random.RandomState(0).randint(256, size=(90, 300, 3), dtype=np.uint8)
LONG = 'German short-haired pointer'


def ink(page, axis):
    """The runs [(first, last)] of columns (axis 0) or rows (1) that hold ink, those less than 12 px apart as one."""
    places = np.flatnonzero((page < 128).any(2).any(axis))
    return [(run[0], run[-1]) for run in np.split(places, np.flatnonzero(np.diff(places) >= 12) + 1)]


def middles(page, axis):
    return [(first + last) / 2 for first, last in ink(page, axis)]


@pytest.mark.parametrize('name, expected', [
    ('three', 'three'), ('an02123045 b', 'an02123045 b'),
    ('n02123045 tabby, tabby cat', 'tabby'), ('n02123045', 'n02123045'), ('Müller', 'Muller'),
    ('日本', '4'), ('Straße', '4'), (' ', '4'), ('', '4'), ('a\nb', r'a\nb'), ('\udcff', r'\udcff')])
def test_names_in_the_letters_that_there_are(name, expected):
    assert name_of(4, [*'abcd', name]) == expected
    assert heading_of(4, [*'abcd', name]) == ('class 4' if expected == '4' else f'4: {expected}')


@pytest.mark.parametrize('names', [None, [], ['zero']])
def test_classes_without_names_have_numbers(names):
    assert (name_of(4, names), heading_of(4, names)) == ('4', 'class 4')


def test_columns_are_named_over_and_under_them():
    page = with_columns_named(SHEET, ['cat', None, 'dog'], ['bird', 'bat', None])
    height = (len(page) - 90) // 2
    np.testing.assert_array_equal(page[height:-height], SHEET)
    np.testing.assert_allclose(middles(page[:height], 0), [50, 250], atol=2)
    np.testing.assert_allclose(middles(page[-height:], 0), [50, 150], atol=2)
    np.testing.assert_allclose(middles(with_columns_named(SHEET, ['3: three'])[:height], 0), [150], atol=2)
    np.testing.assert_array_equal(with_columns_named(SHEET), SHEET)
    assert (band(['cat'], 99) != band(['dog'], 99)).any()
    assert len(band(['cat'], 999)) < len(with_columns_named(np.zeros((9, 2000, 3), np.uint8), ['cat'])) - 9


def test_rows_are_named_beside_them():
    page = with_rows_named(SHEET, ['cow', 'cow', LONG * 9])
    np.testing.assert_array_equal(page[:, -300:], SHEET)
    np.testing.assert_allclose(middles(page[:, :-300], 1), [15, 45, 75], atol=3)
    assert page.shape[1] < 440 and ink(page[:, :-300], 0)[-1][1] < page.shape[1] - 300 - 4


@pytest.mark.parametrize('texts, n', [([LONG] * 3, 3), ([LONG, None, LONG], 2), ([LONG, *[None] * 6, LONG], 2),
                                      ([LONG], 1)])
@pytest.mark.parametrize('width', [150, 240, 390])
def test_long_names_are_apart_and_fill_their_room(texts, n, width):
    """Also that of neighbours without a name; nothing is cut off at the sides of the picture."""
    for part in np.split(band(texts, width), n, axis=1):
        (first, last), = ink(part, 0)
        assert 0 < first < last < width // n - 1 and last - first > min(.6 * width / n, 160)


def test_a_name_that_does_not_fit_is_smaller_or_else_shortened():
    lengths = {size: ImageFont.load_default(size).getlength(LONG) for size in (11, 13)}
    smaller, as_small = (band([LONG], int(lengths[13]) + 5, size) for size in (14, 13))
    np.testing.assert_array_equal(smaller.min(0), as_small.min(0))
    narrow = band([LONG], 100, 11)
    fitting = [text for n in range(3, len(LONG)) for text in [f'{LONG[:n].rstrip()}...']
               if ImageFont.load_default(11).getlength(text) <= 97]
    np.testing.assert_array_equal(narrow, band(fitting[-1:], 100, 11))
    assert lengths[11] > 100 and (band([LONG], 4) == 255).all()
