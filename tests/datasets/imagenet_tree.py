"""A small ImageNet made of scikit-learn's photographs: its folders, names, shapes and the encodings among them."""
import json

from source.datasets.prepare_imagenet import main
from tests.datasets.writers import saved
from tests.narrow import run

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

WNIDS = ('n01440764', 'n02085620', 'n02099601', 'n02130308')
SHAPES = ((500, 375), (375, 500), (333, 500), (500, 333), (96, 64), (75, 56), (640, 427), (200, 200))


def photo(k, shape=None):
    """A piece of a photograph, RGB, another for each k; of SHAPES[k] if not told otherwise."""
    width, height = shape or SHAPES[k % len(SHAPES)]
    whole = Image.fromarray(load_sample_images().images[k % 2])
    return whole.resize((width, height), box=(7 * k % 90, 5 * k % 60, 540 + 7 * k % 90, 360 + 5 * k % 60))


def encoded(image, kind='JPEG', **options):
    return saved(image.save, kind, **options)


def turned(image, orientation):
    """A JPEG whose pixels lie so that its EXIF orientation makes `image` of them again."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Pillow's Transpose numbers
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image.transpose(back), quality=95, subsampling=0, exif=exif)


def sixteen_bit_grey(image):
    """A PNG of 16-bit grey whose high bytes are the image's grey, whose low bytes are others."""
    grey = np.asarray(image.convert('L')).astype(np.uint16)
    return encoded(Image.fromarray(grey * 256 + 255 - grey), 'PNG')


def palette_with_transparency(image):
    return encoded(image.quantize(64), 'PNG', transparency=bytes(range(64)))


# {what: content} of those that can be read and those that cannot.
GOOD = {'CMYK': encoded(photo(1).convert('CMYK')), 'grey': encoded(photo(2).convert('L')),
        '16-bit-grey': sixteen_bit_grey(photo(3)), 'palette': palette_with_transparency(photo(4)),
        'upright': turned(photo(5), 6), 'small': encoded(photo(0, (40, 30)))}
BAD = {'truncated': encoded(photo(6))[:9000], 'empty': b'', 'text': b'<html>not found</html>',
       'float': encoded(Image.fromarray(np.ones((50, 60), np.float32)), 'TIFF')}


def write_tree(root, n=6, wnids=WNIDS, good=GOOD, bad=BAD):
    """Writes n ordinary JPEGs a class under `root`, the first class with those of `good` and `bad` too.

    Returns the names, sorted, of the images that can be read and of those that cannot.
    """
    ordinary = {f'{wnid}/{wnid}_{10 * k + c}.JPEG': encoded(photo(k + c * n), quality=70 + k)
                for c, wnid in enumerate(wnids) for k in range(n)}
    good, bad = ({f'{wnids[0]}/{wnids[0]}_{what}.JPEG': group[what] for what in group} for group in (good, bad))
    for name, content in {**ordinary, **good, **bad}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return sorted({**ordinary, **good}), sorted(bad)


def arguments_of(tree, out, workers=1):
    return ['--train', tree[0], '--out', out, '--size', 48, '--workers', workers, '--formats', 'packed', 'folder']


def report_of(out, name='train_48'):
    return json.loads((out / f'{name}_report.json').read_text())


def refused(capsys, *arguments):
    capsys.readouterr()
    assert run(main, *arguments) == 2
    captured = capsys.readouterr()
    error = captured.err.splitlines()[-1]
    assert error.startswith('command: error: ') and captured.out == ''
    return error
