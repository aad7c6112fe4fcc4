"""Real encodings, made by Pillow: each has one fate."""
from source.datasets.open_image import DamagedImage, decode, open_rgb
from tests.datasets.imagenet_tree import encoded, palette_with_transparency, photo, sixteen_bit_grey, turned

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def opened(tmp_path):
    def of(content):
        (tmp_path / 'a.JPEG').write_bytes(content)
        image, changes = decode(tmp_path / 'a.JPEG')
        assert image.mode == 'RGB'
        np.testing.assert_array_equal(np.asarray(open_rgb(tmp_path / 'a.JPEG')), np.asarray(image))
        return np.asarray(image).astype(int), changes
    return of


def grey(image):
    return np.repeat(np.asarray(image.convert('L')).astype(int)[..., None], 3, axis=2)


def with_alpha(mode):
    image = photo(5).convert(mode)
    image.putalpha(Image.linear_gradient('L').resize(image.size))
    return encoded(image, 'PNG')


FEW_COLOURS = photo(4).quantize(64)
FRAMES = [photo(k, (20, 10)).quantize(32) for k in range(2)]


@pytest.mark.parametrize('content, expected, changes', [
    *((encoded(photo(0), kind), photo(0), []) for kind in ('PNG', 'BMP', 'TIFF', 'PPM')),
    (encoded(photo(3).convert('L'), 'PNG'), grey(photo(3)), ['grey']),
    (encoded(photo(3).convert('1'), 'PNG'), photo(3).convert('1').convert('RGB'), ['grey']),
    (sixteen_bit_grey(photo(3)), grey(photo(3)), ['16-bit grey']),  # of which the high byte is kept
    (encoded(FEW_COLOURS, 'PNG'), FEW_COLOURS.convert('RGB'), ['palette']),
    (palette_with_transparency(photo(4)), FEW_COLOURS.convert('RGB'), ['palette', 'transparency left out']),
    (with_alpha('RGBA'), photo(5), ['transparency left out']),
    (with_alpha('LA'), grey(photo(5)), ['grey', 'transparency left out']),
    (encoded(FRAMES[0], 'GIF', save_all=True, append_images=FRAMES[1:]), FRAMES[0].convert('RGB'), ['palette'])],
    ids=range(12))
def test_what_keeps_every_bit(opened, content, expected, changes):
    im, found = opened(content)
    np.testing.assert_array_equal(im, np.asarray(expected))
    assert found == changes


@pytest.mark.parametrize('content, k, changes', [
    *((encoded(photo(1), quality=95, **options), 1, []) for options in ({}, {'progressive': True}, {'subsampling': 0})),
    # Printed as RGB it is the photograph again; were Adobe's inversion missed, it would be its negative.
    (encoded(photo(2).convert('CMYK'), quality=95, subsampling=0), 2, ['CMYK'])], ids=range(4))
def test_jpeg(opened, content, k, changes):
    im, found = opened(content)
    assert np.abs(im - np.asarray(photo(k))).mean() < 2 and found == changes


@pytest.mark.parametrize('orientation', range(2, 9))
def test_exif_turns_upright(opened, orientation):
    im, changes = opened(turned(photo(6, (60, 40)), orientation))
    assert im.shape == (40, 60, 3)
    assert np.abs(im - np.asarray(photo(6, (60, 40)))).mean() < 3
    assert changes == [f'turned upright (EXIF {orientation})']


@pytest.mark.filterwarnings('ignore:Corrupt EXIF data:UserWarning')  # Pillow tells of it, once
@pytest.mark.parametrize('exif', [b'Exif\0\0II*\0\x08\0\0\0\xff\xff', b'Exif\0\0nonsense', b'Exif\0\0'])
def test_a_damaged_exif_block_counts_as_none(opened, exif):
    im, changes = opened(encoded(photo(0), exif=exif))
    assert im.shape == (375, 500, 3) and changes == []


@pytest.mark.parametrize('content, why', [
    (b'', r'\(it is empty\)'), (b'<html>', r'\(none of JPEG, PNG, '), (encoded(photo(0))[:9000], r'truncated'),
    (encoded(photo(0), 'PNG')[:9000], r'truncated'), (encoded(photo(0))[:100], r'\(.+\)'),
    (encoded(Image.fromarray(np.ones((5, 6), np.float32)), 'TIFF'), r'\(32-bit floating-point pixels\)'),
    (encoded(Image.fromarray(np.full((5, 6), 2 ** 16, np.int32)), 'TIFF'), r'\(32-bit pixels\)'),
    (encoded(Image.fromarray(np.full((5, 6), -1, np.int32)), 'TIFF'), r'\(32-bit pixels\)'),
    # Its high bytes are all 0: an image that is black, and is not.
    (encoded(Image.fromarray(np.full((5, 6), 255, np.uint16)), 'PNG'), '16-bit pixels, none of them above 255'),
    (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n', r'\(none of JPEG'),  # would run Ghostscript
], ids=range(10))
def test_what_cannot_be_used_is_named(tmp_path, content, why):
    path = tmp_path / 'n01440764_9.JPEG'
    path.write_bytes(content)
    expected = f'n01440764_9.JPEG: expected an image, found a file Pillow cannot read .*{why}'
    with pytest.raises(DamagedImage, match=expected) as caught:
        decode(path)
    assert '\n' not in str(caught.value) and str(caught.value).count(str(tmp_path)) == 1


def test_the_edges_of_16_bits_and_of_transparency(opened):
    for highest, expected in ((0, 0), (256, 1)):
        assert opened(encoded(Image.fromarray(np.full((5, 6), highest, np.uint16)), 'PNG'))[0].max() == expected
    for alpha, changes in ((255, []), (254, ['transparency left out'])):
        assert opened(encoded(Image.new('RGBA', (5, 6), (1, 2, 3, alpha)), 'PNG'))[1] == changes
