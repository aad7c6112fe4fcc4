import pickle
import time
import zipfile

from source.weight_files import WeightFileError
from source.weight_files.torch_file import read_torch_file
from tests.weight_files import torch_writer

import numpy as np
import pytest

RNG = np.random.RandomState(0)
ARRAYS = {'conv.weight': RNG.standard_normal((2, 3, 4, 5)).astype('f4').transpose(1, 0, 3, 2),
          'bias': RNG.standard_normal(7), 'half': RNG.standard_normal((2, 2)).astype('f2'),
          'tracked': np.array(5), 'empty': np.zeros((0, 3), 'f4'), 'flags': np.array([True, False])}
EIGHT = {'w': np.arange(8, dtype='f4')}
WRITERS = {'zip': torch_writer.zip_file, 'legacy': torch_writer.legacy_file}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Writes a file of {name: array}, or of a description instead; returns its path."""
    def write(*args):
        (tmp_path / 'weights.pth').write_bytes(WRITERS[request.param](*args))
        return tmp_path / 'weights.pth'
    write.legacy = request.param == 'legacy'
    return write


def assert_refused(path, words=''):
    """In one short line, and at once: sixteen million numbers in a hundred bytes are neither hashed nor printed."""
    start = time.process_time()
    with pytest.raises(WeightFileError) as error:
        read_torch_file(path)
    assert time.process_time() - start < .4
    message = str(error.value)
    assert message.startswith(f'{path}: ') and '\n' not in message and len(message) < len(str(path)) + 300
    assert words in message


def one(write, shape, strides, offset=0, n=8, kind='FloatStorage', key='0'):
    """A file of one storage of eight floats and a tensor described by the arguments."""
    opcodes = torch_writer.tensor(kind, key, n, shape, strides, offset, legacy=write.legacy)
    path = write(EIGHT, torch_writer.state_dict({'w': opcodes}))
    if write.legacy and n > 2 ** 60:  # the storage's own length
        path.write_bytes(path.read_bytes().replace((8).to_bytes(8, 'little'), (n % 2 ** 64).to_bytes(8, 'little')))
    return path


def test_reads_tensors(write):
    read = read_torch_file(write(ARRAYS))
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype, name
        np.testing.assert_array_equal(read[name], array, err_msg=name)
    np.testing.assert_array_equal(read_torch_file(one(write, (2, 2), (3, 1), 2))['w'], [[2, 3], [5, 6]])


@pytest.mark.parametrize('expected, tensors', [
    ('w: ', [((8,), (1,), 1), ((3, 3), (3, 1)), ((2,), (8,)), ((2 ** 40,), (0,)), ((2 ** 31, 2 ** 31), (0, 0)),
             ((-1,), (1,)), ((2,), (-1,), 4), ((2,), (1,), -1), ((2,), (1, 1)), ((9,), (0,))]),
    # Fewer elements than the storage has, and none beyond it; but some are one.
    ('twice', [((2, 2), (1, 1)), ((2, 3), (2, 1)), ((3, 2), (0, 1)), ((2, 2, 2), (2, 1, 1)), ((8,), (0,))]),
    ('', [((1,), (10 ** 30,)), ((0, 10 ** 30), (1, 1)), ((1,), (1,), 0, 2 ** 61), ((1,), (1,), 0, 2 ** 64),
          ((0,), (1,), 2 ** 70), ((1,) * 70, (1,) * 70), ((10 ** 5000,), (1,)), ((8,), (1,), 0, 9),
          ((8,), (1,), 0, 2 ** 60), *(((8,), (1,), 0, 8, *storage) for storage in (
              ('DoubleStorage',), ('BFloat16Storage',), ('FloatStorage', '1'), ('FloatStorage', '../../0')))])])
def test_refuses_tensors(write, expected, tensors):
    for arguments in tensors:
        assert_refused(one(write, *arguments), expected)


DEEP = b'(' + torch_writer.nested(24) + b't'
W = torch_writer.tensor('FloatStorage', '0', 8, (8,), (1,))
CODE = torch_writer.state_dict({'w': torch_writer.name('os', 'system') + torch_writer.text('touch x') + b'\x85R'})


@pytest.mark.parametrize('description', [
    *(torch_writer.state_dict({'w': torch_writer.tensor('FloatStorage', '0', 8, *numbers)}) for numbers in (
        (DEEP, (1,)), ((8,), DEEP), (torch_writer.text('a' * 10 ** 6), (1,)))),
    b'\x80\x02}(' + DEEP + W + b'u.', b'\x80\x02}' + DEEP + W + b's.', b'\x80\x02(' + DEEP + W + b'd.',
    b'\x80\x04' + DEEP + torch_writer.text('x') + b'\x93.', torch_writer.state_dict({'w' * 10 ** 6 + '\n': b'K\x01'}),
    b'\x80\x04' + torch_writer.text('x\n' * 10 ** 6) + torch_writer.text('x') + b'\x93.', b'\x80\x02K\x01.',
    b'\x80\x02}.', b'\x80\x02}(K\x01K\x02u.', b'', b'\x80\x02', torch_writer.state_dict({'w': b'K\x01'})],
    ids=range(15))
def test_a_message_is_short_whatever_the_file_claims(description, write):
    assert_refused(write(EIGHT, description))


def beyond_the_file():
    """A central directory that claims more for an entry than there is."""
    content = bytearray(torch_writer.zip_file(EIGHT))
    entry = content.rindex(b'weights/data/0') - 46
    content[entry + 20:entry + 24] = content[entry + 24:entry + 28] = b'\x00\x00\x00\x80'
    return content


@pytest.mark.parametrize('content, expected', [
    (torch_writer.zip_file(ARRAYS, byteorder=b'big'), 'big-endian'),
    (torch_writer.legacy_file(ARRAYS, little_endian=False), 'big-endian'),
    # PyTorch stores; what unpacks to far more than it is would come compressed.
    (torch_writer.zip_file({'w': np.zeros(1 << 20, 'f4')}, compression=zipfile.ZIP_DEFLATED), 'compressed'),
    (beyond_the_file(), 'more bytes than the file has'),
    (torch_writer.legacy_file(EIGHT).replace(pickle.dumps(['0'], 2), b'\x80\x02](' + DEEP + b'e.'),
     'a storage belongs to no tensor'),
    (torch_writer.zip_file(EIGHT, CODE), 'it asks for os.system'), (torch_writer.legacy_file(EIGHT, CODE), 'os.system'),
    (b'GIF89a' * 9, 'neither a zip archive')], ids=range(8))
def test_refuses_other_files(tmp_path, content, expected):
    (tmp_path / 'a.pth').write_bytes(content)
    assert_refused(tmp_path / 'a.pth', expected)


def test_cut_or_changed_anywhere(write):
    """One byte changed: other numbers, or one line; in a zip archive the checksums leave no other numbers."""
    path = write(ARRAYS)
    whole, n_refused = path.read_bytes(), 0
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        assert_refused(path)
        path.write_bytes(whole[:n] + bytes([whole[n] ^ 0x55]) + whole[n + 1:])
        try:
            read_torch_file(path)
        except WeightFileError:
            n_refused += 1
    assert n_refused > len(whole) // (4 if write.legacy else 2)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_torch_file(path)


@pytest.mark.parametrize('is_zip', [True, False])
def test_what_torch_saves(tmp_path, is_zip):
    torch, path = pytest.importorskip('torch'), tmp_path / 'a.pth'
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, (1, 7)), torch.nn.BatchNorm2d(4)).to(
        memory_format=torch.channels_last)
    shared = torch.arange(12.).reshape(3, 4)
    tensors = net.state_dict()
    tensors.update(transposed=shared.T, part=shared[1:, 2:], parameter=net[0].bias)
    for dtype in ('float64', 'float16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'):
        tensors[dtype] = torch.ones(2, 3).to(getattr(torch, dtype))
    torch.save(tensors, path, _use_new_zipfile_serialization=is_zip)
    read = read_torch_file(path)
    assert set(read) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(read[name], tensor.detach().numpy(), err_msg=name, strict=True)
    torch.save(net, path, _use_new_zipfile_serialization=is_zip)
    assert_refused(path)
