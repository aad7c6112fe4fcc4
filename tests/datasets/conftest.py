"""A small ImageNet, raw and prepared."""
from source.datasets.prepare_imagenet import main
from tests.datasets.imagenet_tree import WNIDS, arguments_of, write_tree
from tests.narrow import run

import pytest


@pytest.fixture(scope='session')
def tree(tmp_path_factory):
    """(folder of the raw images, the names that can be read, those that cannot)."""
    root = tmp_path_factory.mktemp('ILSVRC2012') / 'train'
    names, unreadable = write_tree(root)
    (root / WNIDS[1] / 'Thumbs.db').write_bytes(b'\0')
    (root / 'readme.txt').write_text('x')
    return root, names, unreadable


@pytest.fixture(scope='session')
def prepared(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp('out')
    assert run(main, *arguments_of(tree, out, 2)) == 0
    return out
