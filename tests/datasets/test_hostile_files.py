"""Property tests: whatever a data file holds, reading it ends soon, writes nothing and, failing, says which file.

`SNGAN_EXAMPLES` is how many files each loader is given of each kind (default: 40): random bytes, and valid files that
were damaged.
"""
import os
import signal
import warnings
from contextlib import contextmanager

from tests.datasets.hostile_files import SMALL, cases
from tests.narrow import files_in

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get('SNGAN_EXAMPLES', 40))
SECONDS = 20  # a file may take
NAMES = ['CIFAR-10 batch', 'CIFAR-10 archive', 'CIFAR-10 .npz', 'STL-10 images', 'STL-10 labels', 'STL-10 archive',
         'SVHN .mat', 'SVHN .mat, compressed', 'cached .npz', 'Fashion-MNIST t10k-images-idx3-ubyte',
         'Fashion-MNIST t10k-labels-idx1-ubyte', 'Fashion-MNIST t10k-images-idx3-ubyte.gz',
         'Fashion-MNIST t10k-labels-idx1-ubyte.gz', 'list', 'image JPEG', 'image PNG', 'image GIF', 'image BMP',
         'image WEBP', 'image TIFF', 'image PPM', 'image progressive JPEG', 'image folder', 'image .npz',
         'packed a.npy', 'packed a_labels.npy', 'annotation', 'synsets', 'validation .csv', 'validation list',
         'journal']
MAY_WRITE = {'journal'}  # drops its own last line where it was cut


@pytest.fixture(scope='module')
def loaders(tmp_path_factory):
    from tests.datasets.conftest import _dump_python2_batch
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in SMALL:
            patch.setattr(module, name, value)
        yield cases(_dump_python2_batch, tmp_path_factory.mktemp('packed'))


@st.composite
def damages(draw):
    """A function of a valid file's bytes to damaged ones: some cuts, flips, insertions, copies, one after another."""
    places = st.floats(0., 1., exclude_max=True)
    kinds = st.sampled_from(['flip', 'set', 'cut', 'insert', 'delete', 'copy', 'number'])
    steps = draw(st.lists(st.tuples(kinds, places, places, st.integers(0, 255), st.binary(max_size=12)), min_size=1,
                          max_size=6))

    def damage(content):
        content = bytearray(content)
        for kind, a, b, value, some in steps:
            # Half of the damage goes to the first bytes, where files say what they are.
            k = int(a * (len(content) if value % 2 else min(len(content), 200)))
            n = int(b * 40)
            if kind == 'flip' and content:
                content[k] ^= 1 << value % 8
            elif kind == 'set' and content:
                content[k] = value
            elif kind == 'cut':
                del content[k:]
            elif kind == 'insert':
                content[k:k] = some
            elif kind == 'delete':
                del content[k:k + n]
            elif kind == 'copy':
                content[k:k + n] = content[int(b * len(content)):][:n]
            elif kind == 'number':  # a length of four bytes that is too great, or negative
                content[k:k + 4] = (b'\xff\xff\xff\x7f', b'\xff' * 4, b'\x7f\xff\xff\xff', b'\0\0\0\x40')[value % 4]
        return bytes(content)
    return damage


@contextmanager
def limited():
    def stop(*_):
        raise AssertionError(f'it took more than {SECONDS} s')
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def write(folder, case, content):
    for name, its_content in {**(case.others or {}), case.name: content}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(its_content)


def check(folder, name, case, content):
    write(folder, case, content)
    before = files_in(folder)
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Pillow's and SciPy's of what they make good
            case.load(folder)
    except (ValueError, OSError) as error:
        message = str(error)
        # A list may be right and name an image that is not there.
        assert os.path.basename(case.name) in message or name == 'list' and f'{folder}/' in message, message
        assert '\n' not in message, message
    if name not in MAY_WRITE:
        assert files_in(folder) == before
    else:
        assert set(files_in(folder)) == set(before)


def given_files(strategy):
    def decorated(test):
        return settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                        suppress_health_check=list(HealthCheck))(given(strategy)(test))
    return decorated


@pytest.mark.parametrize('name', NAMES)
def test_valid_files_are_read(loaders, tmp_path, name):
    write(tmp_path, loaders[name], loaders[name].content)
    loaders[name].load(tmp_path)


def test_no_loader_is_left_out(loaders):
    assert sorted(loaders) == sorted(NAMES)


@pytest.mark.parametrize('name', NAMES)
@given_files(st.binary(max_size=400))
def test_random_bytes(loaders, tmp_path_factory, name, content):
    check(_folder(tmp_path_factory, name), name, loaders[name], content)


@pytest.mark.parametrize('name', NAMES)
@given_files(damages())
def test_damaged_files(loaders, tmp_path_factory, name, damage):
    check(_folder(tmp_path_factory, name), name, loaders[name], damage(loaders[name].content))


def _folder(tmp_path_factory, name):
    """One folder a loader: its files are written anew for every example."""
    folder = tmp_path_factory.getbasetemp() / ''.join(c if c.isalnum() else '_' for c in name)
    folder.mkdir(exist_ok=True)
    return folder
