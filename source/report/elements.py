"""Pieces of HTML that the sections share."""
import base64
import html
import io

from PIL import Image


def text(value):
    """A value as text in HTML."""
    return html.escape(str(value))


def image_tag(im, alt, max_width=None, **attributes):
    """An <img> with its picture inside; `im` uint8 (height, width, 3), made smaller if it is above `max_width`."""
    file = io.BytesIO()
    grey = (im[..., :1] == im).all()
    image = Image.fromarray(im[..., 0] if grey else im)
    if max_width and image.width > max_width:
        image = image.resize((max_width, round(image.height * max_width / image.width)), Image.Resampling.LANCZOS)
        attributes = {'class': 'smooth', **attributes}
    image.save(file, 'WEBP', quality=82, method=4)
    return content_tag(file.getvalue(), 'webp', alt, image.size, **attributes)


def content_tag(content, kind, alt, size, **attributes):
    """An <img> with the content of an image file inside, of a kind that browsers know, and (width, height) pixels."""
    data = base64.b64encode(content).decode()
    others = ''.join(f' {name}="{html.escape(str(value))}"' if value is not True else f' {name}'
                     for name, value in attributes.items())
    return (f'<img src="data:image/{kind};base64,{data}" alt="{html.escape(alt)}" width="{size[0]}" '
            f'height="{size[1]}"{others}>')
