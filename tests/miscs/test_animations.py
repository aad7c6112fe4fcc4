from source.miscs import animations

import numpy as np
import pytest
from PIL import Image


def moving_square(n=6, size=20):
    frames = np.zeros((n, size, size + 2, 3), np.uint8)
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


@pytest.mark.parametrize('rate', [1, 7, 15, 24, 50])
def test_a_gif_keeps_its_speed(rate):
    """In steps of 10 ms, none below the 20 ms that browsers show."""
    durations = animations.gif_durations(3 * rate, rate)
    assert sum(durations) == 3000 and {d % 10 for d in durations} == {0}
    assert max(durations) - min(durations) <= 10 and min(durations) >= 20


@pytest.mark.parametrize('rate', [0, 51, 1000])
def test_a_gif_has_no_such_speed(tmp_path, rate):
    with pytest.raises(ValueError, match=f'at most 50 frames a second, got {rate}'):
        animations.save_animation(tmp_path / 'a.gif', moving_square(), rate)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('height, width', [(20, 22), (21, 22), (20, 23), (21, 23)])
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
@pytest.mark.parametrize('height, width', [(20, 22), (21, 23)])
def test_mp4(tmp_path, height, width, capfd):
    imageio = pytest.importorskip('imageio.v2', reason='an MP4 needs the extra `video`')
    pytest.importorskip('imageio_ffmpeg', reason='an MP4 needs the extra `video`')
    frames = [np.pad(frame, ((0, height - 20), (0, width - 22), (0, 0))) for frame in moving_square()]
    animations.save_animation(tmp_path / 'a.mp4', frames, 20)
    found = imageio.mimread(tmp_path / 'a.mp4')
    assert len(found) == 6 and found[0].shape == (20 if height == 20 else 22, 22 if width == 22 else 24, 3)
    assert np.abs(np.array(found, float)[:, :height, :width] - frames).mean() < 10
    assert 'WARNING' not in ''.join(capfd.readouterr())
    assert [p.name for p in tmp_path.iterdir()] == ['a.mp4']


def test_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match='expected a name that ends in .gif or .mp4'):
        animations.save_animation(tmp_path / 'a.png', moving_square())
    monkeypatch.setitem(__import__('sys').modules, 'imageio', None)
    with pytest.raises(ValueError, match='an MP4 needs imageio and imageio-ffmpeg'):
        animations.save_animation(tmp_path / 'a.mp4', moving_square())
    assert list(tmp_path.iterdir()) == []
