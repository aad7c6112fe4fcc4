"""Many images in one file: animations and sheets."""
import sys

from source.pictures import animations
from source.pictures.image_sheets import fitting_scale, make_sheet, save_sheet

import numpy as np
import pytest
from PIL import Image


def moving_square(height=20, width=22):
    frames = np.zeros((6, height, width, 3), np.uint8)
    for k, frame in enumerate(frames):
        frame[4:10, 2 * k:2 * k + 5] = 255, 40 * k, 0
    return list(frames)


def test_gif(tmp_path):
    """It keeps its speed in steps of 10 ms, none below the 20 ms that browsers show."""
    frames = moving_square()
    animations.save_animation(tmp_path / 'a.gif', frames, 20)
    with Image.open(tmp_path / 'a.gif') as gif:
        assert (gif.n_frames, gif.info['loop'], gif.info['duration']) == (6, 0, 50)
        for k, frame in enumerate(frames):
            gif.seek(k)
            np.testing.assert_allclose(np.asarray(gif.convert('RGB'), int), frame, atol=4)
    for rate in (1, 7, 24, 50):
        durations = animations.gif_durations(3 * rate, rate)
        assert sum(durations) == 3000 and {d % 10 for d in durations} == {0}
        assert max(durations) - min(durations) <= 10 and min(durations) >= 20


def test_a_video_gets_even_sizes_without_stretching(tmp_path, monkeypatch):
    """With a white row and column, as H.264 takes no odd ones and imageio would resample all frames."""
    given = []

    def write(path, frames, **_):
        given.extend(frames)
        path.write_bytes(b'video')
    monkeypatch.setattr(animations, 'video_writer', lambda: write)
    frames = [np.random.RandomState(0).randint(0, 256, (*size, 3)).astype(np.uint8) for size in ((20, 23), (21, 22))]
    animations.save_animation(tmp_path / 'a.mp4', frames)
    for found, (height, width), frame in zip(given, ((20, 24), (22, 22)), frames, strict=True):
        expected = np.full((height, width, 3), 255, np.uint8)
        expected[:len(frame), :frame.shape[1]] = frame
        np.testing.assert_array_equal(found, expected, strict=True)
    assert [p.name for p in tmp_path.iterdir()] == ['a.mp4']


# imageio leaves the pipes of its ffmpeg to the garbage collector.
@pytest.mark.filterwarnings('ignore::ResourceWarning', 'ignore::pytest.PytestUnraisableExceptionWarning')
def test_mp4(tmp_path, capfd):
    imageio = pytest.importorskip('imageio.v2', reason='an MP4 needs the extra `video`')
    pytest.importorskip('imageio_ffmpeg', reason='an MP4 needs the extra `video`')
    frames = moving_square(21, 23)
    animations.save_animation(tmp_path / 'a.mp4', frames, 20)
    found = imageio.mimread(tmp_path / 'a.mp4')
    assert len(found) == 6 and found[0].shape == (22, 24, 3)
    assert np.abs(np.array(found, float)[:, :21, :23] - frames).mean() < 10
    assert 'WARNING' not in ''.join(capfd.readouterr())


@pytest.mark.parametrize('name, rate, expected', [
    ('a.gif', 0, 'at most 50 frames a second, got 0'), ('a.gif', 51, 'at most 50 frames a second, got 51'),
    ('a.png', 15, 'expected a name that ends in .gif or .mp4'), ('a.mp4', 15, 'needs imageio and imageio-ffmpeg')])
def test_refused(tmp_path, monkeypatch, name, rate, expected):
    monkeypatch.setitem(sys.modules, 'imageio', None)
    with pytest.raises(ValueError, match=expected):
        animations.save_animation(tmp_path / name, moving_square(), rate)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('channels', [3, 1])
@pytest.mark.parametrize('rows, columns, scale, gap', [(2, 3, 1, 0), (3, 2, 2, 1), (1, 4, 3, 0), (4, 1, 1, 2)])
def test_layout_of_a_sheet(rows, columns, scale, gap, channels):
    ims = np.random.RandomState(0).randint(256, size=(rows * columns, channels, 4, 5), dtype=np.uint8)
    h, w = 4 * scale, 5 * scale
    expected = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 255, np.uint8)
    for k, im in enumerate(ims):
        top, left = k // columns * (h + gap), k % columns * (w + gap)
        for i, j in np.ndindex(h, w):
            expected[top + i, left + j] = im[:, i // scale, j // scale]
    np.testing.assert_array_equal(make_sheet(ims, rows, columns, scale, gap), expected, strict=True)


@pytest.mark.parametrize('height, width, rows, columns, expected', [
    (32, 32, 5, 5, 3), (32, 32, 10, 10, 2), (8, 8, 1, 3, 21), (128, 128, 2, 4, 1), (128, 128, 10, 10, 1),
    (8, 16, 1, 1, 32), (600, 600, 1, 1, 1), (16, 8, 8, 8, 4)])
def test_a_sheet_is_shown_in_about_512_pixels_and_never_reduced(height, width, rows, columns, expected):
    assert fitting_scale(np.empty((1, 3, height, width)), rows, columns) == expected


def test_a_sheet_is_saved_as_it_is_unless_there_are_too_few(tmp_path):
    ims = np.random.RandomState(0).randint(256, size=(6, 3, 4, 4), dtype=np.uint8)
    save_sheet(tmp_path / 'sheet.png', ims, 2, 3)
    with Image.open(tmp_path / 'sheet.png') as image:
        assert image.mode == 'RGB'
        np.testing.assert_array_equal(np.asarray(image), make_sheet(ims, 2, 3))
    with pytest.raises(ValueError, match='a sheet of 2x3 takes 6 images, got 5'):
        make_sheet(ims[:5], 2, 3)
