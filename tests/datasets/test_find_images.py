import os

from source.datasets.find_images import describe_passed_over, find_images
from source.datasets.open_image import FORMATS, SUFFIXES

from PIL import Image


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_links_are_followed_and_dots_passed_over(tmp_path):
    root = tmp_path / 'root'
    touch(root, 'a/1.png', 'a/._1.png', 'a/.ipynb_checkpoints/1.png', '.cache/2.png', 'a/Thumbs.db', 'b/2.JPEG',
          'a/deep/3.tif', 'a/4', 'a/ü 5.GIF')
    touch(tmp_path, 'elsewhere/6.webp')
    (root / 'linked').symlink_to(tmp_path / 'elsewhere')
    (root / 'twice').symlink_to('linked')
    (root / 'b' / '7.png').symlink_to('../a/1.png')
    (root / 'b' / 'broken.png').symlink_to('nowhere')
    (root / 'a' / 'deep' / 'loop').symlink_to('../..')
    os.mkfifo(root / 'b' / 'pipe.png')
    names, passed_over = find_images(root)
    assert names == ['a/1.png', 'a/deep/3.tif', 'a/ü 5.GIF', 'b/2.JPEG', 'b/7.png', 'linked/6.webp', 'twice/6.webp']
    reasons = dict(passed_over)
    assert sorted(reasons) == ['.cache', 'a/._1.png', 'a/.ipynb_checkpoints', 'a/4', 'a/Thumbs.db', 'a/deep/loop',
                               'b/broken.png', 'b/pipe.png']
    assert reasons['a/deep/loop'] == 'a link to a folder that it lies in'
    assert describe_passed_over(passed_over) == (
        '8 entries passed over: its name begins with a dot (3), neither a file nor a link to one (2), its name ends in '
        'nothing, not in .JPEG or another of an image (1), its name ends in .db, not in .JPEG or another of an image '
        '(1), a link to a folder that it lies in (1)')
    assert describe_passed_over([]) is None


def test_every_ending_that_is_read_counts_in_any_case(tmp_path):
    """Pillow's own table is the oracle; .pfm holds floats, which are refused."""
    Image.init()
    assert set(SUFFIXES) == {suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS} - {
        '.pfm'}
    touch(tmp_path, *(f'a{suffix}' for suffix in SUFFIXES), *(f'b{suffix.upper()}' for suffix in SUFFIXES))
    assert len(find_images(tmp_path)[0]) == 2 * len(SUFFIXES)
