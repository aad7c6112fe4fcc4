"""Real encodings, made by Pillow: each has one fate."""
from source.datasets.open_image import DamagedImage, MissingImage, decode, open_rgb
from tests.datasets.imagenet_tree import (
    encoded,
    palette_with_transparency,
    photo,
    sixteen_bit_grey,
    turned,
)

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


@pytest.mark.parametrize('kind', ['PNG', 'BMP', 'TIFF', 'PPM'])
def test_rgb_stays_as_it_is(opened, kind):
    im, changes = opened(encoded(photo(0), kind))
    np.testing.assert_array_equal(im, np.asarray(photo(0)))
    assert changes == []


@pytest.mark.parametrize('options', [{}, {'progressive': True}, {'subsampling': 0}])
def test_jpeg(opened, options):
    im, changes = opened(encoded(photo(1), quality=95, **options))
    assert np.abs(im - np.asarray(photo(1))).mean() < 2 and changes == []


def test_cmyk(opened):
    """Printed as RGB it is the photograph again; were Adobe's inversion missed, it would be its negative."""
    im, changes = opened(encoded(photo(2).convert('CMYK'), quality=95, subsampling=0))
    assert np.abs(im - np.asarray(photo(2))).mean() < 2
    assert changes == ['CMYK']


def test_grey(opened):
    im, changes = opened(encoded(photo(3).convert('L'), 'PNG'))
    np.testing.assert_array_equal(im, grey(photo(3)))
    assert changes == ['grey']
    im, changes = opened(encoded(photo(3).convert('1'), 'PNG'))
    assert set(np.unique(im)) == {0, 255} and changes == ['grey']


def test_16_bits_keep_the_high_byte(opened):
    im, changes = opened(sixteen_bit_grey(photo(3)))
    np.testing.assert_array_equal(im, grey(photo(3)))
    assert changes == ['16-bit grey']


def test_palette(opened):
    few = photo(4).quantize(64)
    im, changes = opened(encoded(few, 'PNG'))
    np.testing.assert_array_equal(im, np.asarray(few.convert('RGB')))
    assert changes == ['palette']
    im, changes = opened(palette_with_transparency(photo(4)))
    np.testing.assert_array_equal(im, np.asarray(few.convert('RGB')))
    assert changes == ['palette', 'transparency left out']


@pytest.mark.parametrize('mode, names', [
    ('RGBA', ['transparency left out']), ('LA', ['grey', 'transparency left out'])])
def test_transparency_is_left_out(opened, mode, names):
    image = photo(5).convert(mode)
    image.putalpha(Image.linear_gradient('L').resize(image.size))
    im, changes = opened(encoded(image, 'PNG'))
    np.testing.assert_array_equal(im, np.asarray(photo(5)) if mode == 'RGBA' else grey(photo(5)))
    assert changes == names


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


def test_first_of_several_frames(opened):
    frames = [photo(k, (20, 10)).quantize(32) for k in range(2)]
    im, _ = opened(encoded(frames[0], 'GIF', save_all=True, append_images=frames[1:]))
    np.testing.assert_array_equal(im, np.asarray(frames[0].convert('RGB')))


@pytest.mark.parametrize('content, why', [
    (b'', r'\(it is empty\)'), (b'<html>', r'\(none of JPEG, PNG, '), (encoded(photo(0))[:9000], r'truncated'),
    (encoded(photo(0), 'PNG')[:9000], r'truncated'), (encoded(photo(0))[:100], r'\(.+\)'),
    (encoded(Image.fromarray(np.ones((5, 6), np.float32)), 'TIFF'), r'\(32-bit floating-point pixels\)'),
    (encoded(Image.fromarray(np.full((5, 6), 70000, np.int32)), 'TIFF'), r'\(32-bit pixels\)'),
    (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n', r'\(none of JPEG'),  # would run Ghostscript
], ids=['empty', 'html', 'cut JPEG', 'cut PNG', 'cut header', 'float', 'int', 'eps'])
def test_what_cannot_be_used_is_named(tmp_path, content, why):
    path = tmp_path / 'n01440764_9.JPEG'
    path.write_bytes(content)
    expected = f'n01440764_9.JPEG: expected an image, found a file Pillow cannot read .*{why}'
    with pytest.raises(DamagedImage, match=expected) as caught:
        decode(path)
    assert '\n' not in str(caught.value) and str(caught.value).count(str(tmp_path)) == 1


def test_missing(tmp_path):
    with pytest.raises(MissingImage, match='b.JPEG: expected an image, found no file'):
        open_rgb(tmp_path / 'b.JPEG')
    with pytest.raises(DamagedImage):
        open_rgb(tmp_path)


def test_sixteen_bits_that_hold_eight(tmp_path):
    """Their high bytes are all 0: an image that is black, and is not."""
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 4
    Image.fromarray(values).save(tmp_path / 'a.png')
    with pytest.raises(DamagedImage, match='16-bit pixels, none of them above 255'):
        open_rgb(tmp_path / 'a.png')
    Image.fromarray(values * 0).save(tmp_path / 'a.png')
    assert np.asarray(open_rgb(tmp_path / 'a.png')).max() == 0


def test_transparency_that_is_none(opened):
    """An alpha channel of 255 everywhere leaves nothing out."""
    image = photo(0).convert('RGBA')
    assert opened(encoded(image, 'PNG'))[1] == []
    image.putpixel((0, 0), (1, 2, 3, 254))
    assert opened(encoded(image, 'PNG'))[1] == ['transparency left out']
