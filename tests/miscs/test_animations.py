import sys

from source.miscs import animations

import numpy as np
import pytest
from PIL import Image


def moving_square(height=20, width=22):
    frames = np.zeros((6, height, width, 3), np.uint8)
    for k, frame in enumerate(frames):
        frame[4:10, 2 * k:2 * k + 5] = 255, 40 * k, 0
    return list(frames)


def test_gif(tmp_path):
    frames = moving_square()
    animations.save_animation(tmp_path / 'a.gif', frames, 20)
    with Image.open(tmp_path / 'a.gif') as gif:
        assert (gif.n_frames, gif.info['loop'], gif.info['duration']) == (6, 0, 50)
        for k, frame in enumerate(frames):
            gif.seek(k)
            np.testing.assert_allclose(np.asarray(gif.convert('RGB'), int), frame, atol=4)


def test_a_gif_keeps_its_speed():
    """In steps of 10 ms, none below the 20 ms that browsers show."""
    for rate in (1, 7, 24, 50):
        durations = animations.gif_durations(3 * rate, rate)
        assert sum(durations) == 3000 and {d % 10 for d in durations} == {0}
        assert max(durations) - min(durations) <= 10 and min(durations) >= 20


@pytest.mark.parametrize('height, width', [(20, 23), (21, 22)])
def test_a_video_gets_even_sizes_without_stretching(tmp_path, monkeypatch, height, width):
    """With a white row and column, as H.264 takes no odd ones and imageio would resample all frames."""
    given = []

    def write(path, frames, **_):
        given.extend(frames)
        path.write_bytes(b'video')
    monkeypatch.setattr(animations, 'video_writer', lambda: write)
    frames = list(np.random.RandomState(0).randint(0, 256, (3, height, width, 3)).astype(np.uint8))
    animations.save_animation(tmp_path / 'a.mp4', frames)
    for found, frame in zip(given, frames, strict=True):
        assert found.shape == (height + height % 2, width + width % 2, 3)
        np.testing.assert_array_equal(found[:height, :width], frame)
        assert (found[height:] == 255).all() and (found[:, width:] == 255).all()
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
    assert [p.name for p in tmp_path.iterdir()] == ['a.mp4']


@pytest.mark.parametrize('name, rate, expected', [
    ('a.gif', 0, 'at most 50 frames a second, got 0'), ('a.gif', 51, 'at most 50 frames a second, got 51'),
    ('a.png', 15, 'expected a name that ends in .gif or .mp4'), ('a.mp4', 15, 'needs imageio and imageio-ffmpeg')])
def test_refused(tmp_path, monkeypatch, name, rate, expected):
    monkeypatch.setitem(sys.modules, 'imageio', None)
    with pytest.raises(ValueError, match=expected):
        animations.save_animation(tmp_path / name, moving_square(), rate)
    assert list(tmp_path.iterdir()) == []
