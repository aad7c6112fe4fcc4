"""Pieces of HTML that the sections share."""
import base64
import html
import io

from PIL import Image


def text(value):
    """A value as text in HTML."""
    return html.escape(str(value))


def image_tag(im, alt, **attributes):
    """An <img> with its picture inside; `im` uint8 (height, width, 3)."""
    file = io.BytesIO()
    grey = (im[..., :1] == im).all()
    Image.fromarray(im[..., 0] if grey else im).save(file, 'WEBP', quality=88, method=4)
    data = base64.b64encode(file.getvalue()).decode()
    others = ''.join(f' {name}="{html.escape(str(value))}"' if value is not True else f' {name}'
                     for name, value in attributes.items())
    return (f'<img src="data:image/webp;base64,{data}" alt="{html.escape(alt)}" width="{im.shape[1]}" '
            f'height="{im.shape[0]}"{others}>')


def duration(seconds):
    """1 h 4 min, 6 min 47 s, 12 s."""
    seconds = round(seconds)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return (f'{hours:,} h {minutes} min' if hours else f'{minutes} min {seconds} s' if minutes else f'{seconds} s')
