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
        assert image.mode == 'RGB' and open_rgb(tmp_path / 'a.JPEG') == image
        return np.asarray(image).astype(int), changes
    return of


def grey(image):
    return image.convert('L').convert('RGB')


def with_alpha(mode):
    image = photo(5).convert(mode)
    image.putalpha(Image.linear_gradient('L').resize(image.size))
    return encoded(image, 'PNG')


def full(value, dtype, kind):
    return encoded(Image.fromarray(np.full((5, 6), value, dtype)), kind)


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
    assert found == changes
    np.testing.assert_array_equal(im, np.asarray(expected))


@pytest.mark.parametrize('mode, progressive', [('RGB', False), ('RGB', True), ('CMYK', False)])
def test_jpeg(opened, mode, progressive):
    """Printed as RGB, CMYK is the photograph again; were Adobe's inversion missed, it would be its negative."""
    im, found = opened(encoded(photo(2).convert(mode), quality=95, subsampling=0, progressive=progressive))
    assert np.abs(im - np.asarray(photo(2))).mean() < 2 and found == [mode] * (mode != 'RGB')


@pytest.mark.parametrize('orientation', range(2, 9))
def test_exif_turns_upright(opened, orientation):
    im, changes = opened(turned(photo(6, (60, 40)), orientation))
    assert np.abs(im - np.asarray(photo(6, (60, 40)))).mean() < 3
    assert im.shape == (40, 60, 3) and changes == [f'turned upright (EXIF {orientation})']


@pytest.mark.filterwarnings('ignore:Corrupt EXIF data:UserWarning')  # Pillow tells of it, once
def test_a_damaged_exif_block_counts_as_none(opened):
    for exif in (b'Exif\0\0II*\0\x08\0\0\0\xff\xff', b'Exif\0\0nonsense', b'Exif\0\0'):
        im, changes = opened(encoded(photo(0), exif=exif))
        assert im.shape == (375, 500, 3) and changes == []


@pytest.mark.parametrize('content, why', [
    (b'', r'\(it is empty\)'), (b'<html>', r'\(none of JPEG, PNG, '), (encoded(photo(0))[:9000], 'truncated'),
    (encoded(photo(0), 'PNG')[:9000], 'truncated'), (encoded(photo(0))[:100], r'\(.+\)'),
    (full(1, np.float32, 'TIFF'), r'\(32-bit floating-point pixels\)'),
    (full(2 ** 16, np.int32, 'TIFF'), r'\(32-bit pixels\)'), (full(-1, np.int32, 'TIFF'), r'\(32-bit pixels\)'),
    # Its high bytes are all 0: an image that is black, and is not.
    (full(255, np.uint16, 'PNG'), '16-bit pixels, none of them above 255'),
    (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n', r'\(none of JPEG'),  # would run Ghostscript
], ids=range(10))
def test_what_cannot_be_used_is_named(tmp_path, content, why):
    (tmp_path / 'a.JPEG').write_bytes(content)
    with pytest.raises(DamagedImage, match=r'^\S*a.JPEG: expected an image, found a file Pillow cannot read '
                                           rf'(?!.*{tmp_path}).*{why}[^\n]*$'):
        decode(tmp_path / 'a.JPEG')


def test_the_edges_of_16_bits_and_of_transparency(opened):
    for highest, expected in ((0, 0), (256, 1)):
        assert opened(full(highest, np.uint16, 'PNG'))[0].max() == expected
    for alpha, changes in ((255, []), (254, ['transparency left out'])):
        assert opened(encoded(Image.new('RGBA', (5, 6), (1, 2, 3, alpha)), 'PNG'))[1] == changes
