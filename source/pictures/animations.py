"""Animations: GIF by Pillow, MP4 by imageio with its own ffmpeg."""
from pathlib import Path

from source.command_line.commands_to_copy import install_command
from source.command_line.short_texts import printable
from source.files.atomic import atomic_write
from source.pictures.image_sheets import KEY

import numpy as np
from PIL import Image

MOST_OF_A_GIF = 50  # frames a second: browsers slow down frames of less than 20 ms


def save_animation(path, frames, frames_per_second=15, snapshot=None):
    """Writes frames, uint8 arrays (height, width, 3) of one size, as what the name ends in: .gif (endless) or .mp4.

    A GIF says in itself which `snapshot`, a file's name, it is of. Raises ValueError for another ending and, for .mp4,
    where imageio and imageio-ffmpeg are not installed.
    """
    path = Path(path)
    if path.suffix == '.gif':
        images = [Image.fromarray(frame) for frame in frames]
        # One palette for all frames: one of each frame's own would flicker.
        palette = _palette(images)
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
        with atomic_write(path) as file:
            comment = {'comment': f'{KEY}: {printable(Path(snapshot).name)}'} if snapshot else {}
            images[0].save(file, 'GIF', save_all=True, append_images=images[1:], loop=0, **comment,
                           duration=gif_durations(len(images), frames_per_second))
    elif path.suffix == '.mp4':
        writer = video_writer()
        temporary = path.with_name(f'.{path.name}.part.mp4')
        try:
            writer(temporary, [_even(frame) for frame in frames], fps=frames_per_second, codec='libx264', quality=8,
                   macro_block_size=2)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    else:
        raise ValueError(f'{path}: expected a name that ends in .gif or .mp4')


def gif_durations(n, frames_per_second):
    """[milliseconds] of n frames of a GIF, which counts in tens of them, so that their sum keeps to the speed.

    Raises ValueError above MOST_OF_A_GIF frames a second.
    """
    if not 0 < frames_per_second <= MOST_OF_A_GIF:
        raise ValueError(f'a GIF shows at most {MOST_OF_A_GIF} frames a second, got {frames_per_second}')
    ends = [round(100 * k / frames_per_second) for k in range(n + 1)]
    return [10 * (after - before) for before, after in zip(ends, ends[1:])]


def _even(frame):
    """With a white row and column more where H.264 needs it, rather than stretched."""
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), constant_values=255)


def video_writer():
    """imageio's function that writes a video; raises ValueError, saying what to install, where it is missing."""
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401  (what imageio writes MP4 with)
    except ImportError:
        raise ValueError(f'an MP4 needs imageio and imageio-ffmpeg: {install_command("video")}; '
                         'a GIF needs neither') from None
    return imageio.mimwrite


def _palette(images):
    """A paletted image whose colours serve all: those of up to 32 of them, side by side."""
    some = images[::max(1, len(images) // 32)]
    width, height = some[0].size
    joined = Image.new('RGB', (width, height * len(some)))
    for i, image in enumerate(some):
        joined.paste(image, (0, i * height))
    return joined.quantize(256)
