import os
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
WRITERS = {'zip': torch_writer.zip_file, 'legacy': torch_writer.legacy_file}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    """Writes a file of {name: array}, or of a description instead; returns its path."""
    def write(arrays, *args, **kwargs):
        path = tmp_path / 'weights.pth'
        path.write_bytes(WRITERS[request.param](arrays, *args, **kwargs))
        return path
    write.legacy = request.param == 'legacy'
    return write


def assert_refused(path, *words):
    with pytest.raises(WeightFileError) as error:
        read_torch_file(path)
    message = str(error.value)
    assert message.startswith(f'{path}: ')
    assert '\n' not in message
    for word in words:
        assert word in message


def test_reads_tensors(write):
    read = read_torch_file(write(ARRAYS))
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype, name
        np.testing.assert_array_equal(read[name], array, err_msg=name)


def one(write, *args, **kwargs):
    """A file of one storage of eight floats and a tensor described by the arguments."""
    array = np.arange(8, dtype='f4')
    opcodes = torch_writer.tensor(*args, **kwargs, legacy=write.legacy)
    return write({'w': array}, torch_writer.state_dict({'w': opcodes}))


def test_strides_and_offset(write):
    read = read_torch_file(one(write, 'FloatStorage', '0', 8, (2, 2), (3, 1), 2))
    np.testing.assert_array_equal(read['w'], [[2, 3], [5, 6]])


@pytest.mark.parametrize('shape, strides, offset', [
    ((8,), (1,), 1), ((3, 3), (3, 1), 0), ((2,), (8,), 0), ((2 ** 40,), (0,), 0), ((2 ** 31, 2 ** 31), (0, 0), 0),
    ((-1,), (1,), 0), ((2,), (-1,), 4), ((2,), (1,), -1), ((2,), (1, 1), 0), ((9,), (0,), 0)])
def test_refuses_to_reach_beyond_the_storage(write, shape, strides, offset):
    assert_refused(one(write, 'FloatStorage', '0', 8, shape, strides, offset), 'w: ')


@pytest.mark.parametrize('shape, strides', [
    ((2, 2), (1, 1)), ((2, 3), (2, 1)), ((3, 2), (0, 1)), ((2, 2, 2), (2, 1, 1)), ((8,), (0,))])
def test_refuses_a_number_twice(write, shape, strides):
    """Fewer elements than the storage has, and none beyond it; but some are one."""
    assert_refused(one(write, 'FloatStorage', '0', 8, shape, strides), 'w: ', 'twice')


@pytest.mark.parametrize('shape, strides, offset, n', [
    ((1,), (10 ** 30,), 0, 8), ((0, 10 ** 30), (1, 1), 0, 8), ((1,), (1,), 0, 2 ** 61), ((1,), (1,), 0, 2 ** 64),
    ((0,), (1,), 2 ** 70, 8), ((1,) * 70, (1,) * 70, 0, 8), ((10 ** 5000,), (1,), 0, 8)])
def test_refuses_numbers_beyond_the_machine(write, shape, strides, offset, n):
    path = one(write, 'FloatStorage', '0', n, shape, strides, offset)
    if write.legacy:
        path.write_bytes(path.read_bytes().replace((8).to_bytes(8, 'little'), (n % 2 ** 64).to_bytes(8, 'little')))
    assert_refused(path)


def few_bytes_of_much(legacy):
    deep = b'(' + torch_writer.nested(24) + b't'
    tensor = torch_writer.tensor('FloatStorage', '0', 8, (8,), (1,), legacy=legacy)
    for shape, strides in ((deep, (1,)), ((8,), deep), (torch_writer.text('a' * 10 ** 6), (1,))):
        yield torch_writer.state_dict({'w': torch_writer.tensor('FloatStorage', '0', 8, shape, strides,
                                                                legacy=legacy)})
    yield b'\x80\x02}(' + deep + tensor + b'u.'
    yield b'\x80\x02}' + deep + tensor + b's.'
    yield b'\x80\x02(' + deep + tensor + b'd.'
    yield b'\x80\x04' + deep + torch_writer.text('x') + b'\x93.'
    yield torch_writer.state_dict({'w' * 10 ** 6 + '\n': b'K\x01'})
    yield b'\x80\x04' + torch_writer.text('x\n' * 10 ** 6) + torch_writer.text('x') + b'\x93.'


@pytest.mark.parametrize('case', range(9))
def test_a_message_is_short_whatever_the_file_claims(case, write):
    """Sixteen million numbers in a hundred bytes are neither hashed nor printed."""
    description = list(few_bytes_of_much(write.legacy))[case]
    path, start = write({'w': np.arange(8, dtype='f4')}, description), time.process_time()
    with pytest.raises(WeightFileError) as error:
        read_torch_file(path)
    assert time.process_time() - start < .4
    assert len(str(error.value)) < len(str(path)) + 300 and '\n' not in str(error.value)


def test_storage_keys_are_text(tmp_path):
    content = torch_writer.legacy_file({'w': np.arange(8, dtype='f4')})
    keys = pickle.dumps(['0'], 2)
    assert content.count(keys) == 1
    (tmp_path / 'a.pth').write_bytes(content.replace(keys, b'\x80\x02](' + torch_writer.nested(24) + b'e.'))
    start = time.process_time()
    assert_refused(tmp_path / 'a.pth', 'a storage belongs to no tensor')
    assert time.process_time() - start < .4


@pytest.mark.parametrize('kind, key, n', [
    ('DoubleStorage', '0', 8), ('FloatStorage', '0', 9), ('FloatStorage', '0', 2 ** 60), ('FloatStorage', '1', 8),
    ('BFloat16Storage', '0', 8), ('FloatStorage', '../../0', 8)])
def test_refuses_another_storage(write, kind, key, n):
    assert_refused(one(write, kind, key, n, (8,), (1,)))


def test_refuses_code(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = torch_writer.name('os', 'system') + torch_writer.text('touch poisoned') + b'\x85R'
    path = write({'w': np.zeros(8, 'f4')}, torch_writer.state_dict({'w': call}))
    assert_refused(path, 'os.system')
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize('description', [
    b'\x80\x02K\x01.', b'\x80\x02}.', b'\x80\x02}(K\x01K\x02u.', torch_writer.state_dict({'w': b'K\x01'}),
    b'', b'\x80\x02'])
def test_refuses_other_objects(write, description):
    assert_refused(write({'w': np.zeros(8, 'f4')}, description))


def test_refuses_big_endian(tmp_path):
    for content in (torch_writer.zip_file(ARRAYS, byteorder=b'big'),
                    torch_writer.legacy_file(ARRAYS, little_endian=False)):
        (tmp_path / 'weights.pth').write_bytes(content)
        assert_refused(tmp_path / 'weights.pth', 'big-endian')


def test_refuses_compression(tmp_path):
    """PyTorch stores; what unpacks to far more than it is would come compressed."""
    content = torch_writer.zip_file({'w': np.zeros(1 << 20, 'f4')}, compression=zipfile.ZIP_DEFLATED)
    (tmp_path / 'bomb.pth').write_bytes(content)
    assert_refused(tmp_path / 'bomb.pth', 'compressed')


def test_refuses_sizes_beyond_the_file(tmp_path):
    """The central directory claims more for an entry than there is."""
    content = torch_writer.zip_file({'w': np.zeros(8, 'f4')})
    entry = content.rindex(b'weights/data/0') - 46
    for claimed in (2 ** 31, 2 ** 32 - 2):
        changed = bytearray(content)
        changed[entry + 20:entry + 24] = changed[entry + 24:entry + 28] = claimed.to_bytes(4, 'little')
        (tmp_path / 'weights.pth').write_bytes(changed)
        assert_refused(tmp_path / 'weights.pth', 'more bytes than the file has')


def test_cut_anywhere(write):
    path = write(ARRAYS)
    whole = path.read_bytes()
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        assert_refused(path)


def test_changed_anywhere(write):
    """One byte changed: other numbers, or one line; in a zip archive the checksums leave no other numbers."""
    path = write(ARRAYS)
    whole, refused = path.read_bytes(), 0
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1:])
        try:
            read_torch_file(path)
        except WeightFileError:
            refused += 1
    assert refused > len(whole) // (4 if write.legacy else 2)


def test_another_file(tmp_path):
    (tmp_path / 'weights.pth').write_bytes(b'GIF89a' * 9)
    assert_refused(tmp_path / 'weights.pth', 'neither a zip archive')
    with pytest.raises(FileNotFoundError):
        read_torch_file(tmp_path / 'missing.pth')


@pytest.mark.parametrize('is_zip', [True, False])
def test_what_torch_saves(tmp_path, is_zip):
    torch = pytest.importorskip('torch')
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, (1, 7)), torch.nn.BatchNorm2d(4)).to(
        memory_format=torch.channels_last)
    shared = torch.arange(12.).reshape(3, 4)
    tensors = {**net.state_dict(), 'transposed': shared.T, 'part': shared[1:, 2:], 'parameter': net[0].bias,
               **{str(dtype): torch.ones(2, 3).to(dtype) for dtype in (
                   torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
                   torch.bool)}}
    torch.save(tensors, tmp_path / 'weights.pth', _use_new_zipfile_serialization=is_zip)
    read = read_torch_file(tmp_path / 'weights.pth')
    assert set(read) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(read[name], tensor.detach().numpy(), err_msg=name, strict=True)
    torch.save(net.state_dict(), tmp_path / 'weights.pth', _use_new_zipfile_serialization=is_zip)
    assert set(read_torch_file(tmp_path / 'weights.pth')) == set(net.state_dict())
    torch.save(net, tmp_path / 'weights.pth', _use_new_zipfile_serialization=is_zip)
    assert_refused(tmp_path / 'weights.pth')
