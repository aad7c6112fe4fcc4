import collections
import io
import os
import pickle
import pickletools
import subprocess

from source.weight_files.data_pickle import Call, Name, loads, read_data_pickle

import numpy as np
import pytest

PLAIN = {'text': 'ä', 'numbers': [1, -1, 255, 70000, 2 ** 40, -2 ** 70, .5], 'tuples': ((), (1,), (1, 2), (1, 2, 3, 4)),
         'none': None, 'flags': [True, False], 'bytes': b'\x80', 'nested': {'a': {'b': []}}, 'many': list(range(2000))}


@pytest.mark.parametrize('protocol', range(2, 6))
def test_reads_plain_data(protocol):
    file = io.BytesIO(pickle.dumps(PLAIN, protocol) + b'behind')
    allowed = ('_codecs.encode',) if protocol == 2 else ()  # which writes bytes there
    read = read_data_pickle(file, allowed)
    assert file.read() == b'behind'
    if protocol == 2:
        assert read.pop('bytes') == Call(Name('_codecs', 'encode'), ('\x80', 'latin1'))
    else:
        assert read['bytes'] == b'\x80'
    assert read == {key: PLAIN[key] for key in read}
    assert len(read) >= len(PLAIN) - 1


def test_shared_objects_are_shared():
    inner = []
    read = loads(pickle.dumps([inner, inner]), ())
    assert read[0] is read[1]


@pytest.mark.parametrize('protocol', range(2, 6))
def test_an_allowed_name_is_a_symbol(protocol):
    read = loads(pickle.dumps(collections.OrderedDict(a=1), protocol), ['collections.OrderedDict'])
    assert read == Call(Name('collections', 'OrderedDict'), (), {'a': 1})


class _Runs:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


POISONED = [_Runs(os.system, 'touch poisoned'), _Runs(subprocess.check_output, ['touch', 'poisoned']),
            _Runs(eval, "open('poisoned', 'w')"), _Runs(os.mkdir, 'poisoned'), _Runs(getattr, 'a', 'b'),
            os.system, np.arange(3), np.float64(3), {1, 2}, bytearray(b'a'), 1 + 2j, Name('a', 'b')]


@pytest.mark.parametrize('value', POISONED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize('protocol', range(2, 6))
def test_refuses_everything_else(value, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match='no file of plain tensors needs'):
        loads(pickle.dumps({'weight': value}, protocol), ['collections.OrderedDict'])
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize('opcodes', [
    b'cos\nsystem\nX\x0e\x00\x00\x00touch poisoned\x85R.', b'(S"touch poisoned"\nios\nsystem\n.',
    b'(cos\nsystem\nS"touch poisoned"\no.', b'\x82\x01.', b'\x80\x04X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.'],
    ids=['REDUCE', 'INST', 'OBJ', 'EXT1', 'STACK_GLOBAL'])
def test_refuses_every_way_to_a_name(opcodes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        loads(opcodes, ())
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize('opcode', ['POP', 'POP_MARK', 'DUP', 'OBJ', 'INST', 'NEWOBJ', 'PERSID', 'EMPTY_SET'])
def test_refuses_opcodes_by_name(opcode):
    """Whatever the reader's own methods are called."""
    code = next(each.code for each in pickletools.opcodes if each.name == opcode).encode('latin1')
    with pytest.raises(pickle.UnpicklingError, match=f'uses {opcode}, which no file of plain tensors needs'):
        loads(b'\x80\x02K\x01' + code + b'a\nb\n.', ())


@pytest.mark.parametrize('value', [{(1, 2): 3}, {None: 3}, {.5: 3}, {b'a': 3}])
def test_keys_are_text_or_integers(value):
    with pytest.raises(pickle.UnpicklingError, match=f'a key of type {type(next(iter(value))).__name__}'):
        loads(pickle.dumps(value, 4), ())


def test_calls_only_names():
    with pytest.raises(pickle.UnpicklingError, match='not a function'):
        loads(b'\x80\x02K\x01)R.', ())


def test_cut_anywhere():
    whole = pickle.dumps(PLAIN, 4)
    for n in range(len(whole)):
        with pytest.raises(pickle.UnpicklingError):
            loads(whole[:n], ())


def test_changed_anywhere():
    """One byte changed: read as something else or refused, never another exception."""
    whole = pickle.dumps({key: PLAIN[key] for key in ('text', 'numbers', 'tuples', 'nested')}, 4)
    rng = np.random.RandomState(0)
    refused = 0
    for position in range(len(whole)):
        for byte in rng.randint(256, size=4).tolist():
            try:
                loads(whole[:position] + bytes([byte]) + whole[position + 1:], ())
            except pickle.UnpicklingError:
                refused += 1
    assert refused > len(whole)


@pytest.mark.parametrize('opcodes', [
    b'\x8d' + (2 ** 62).to_bytes(8, 'little') + b'a.',  # a string of 4 EiB
    b'\x8b' + (2 ** 31 - 1).to_bytes(4, 'little') + b'a.',  # an integer of 2 GiB
    b'X' + (2 ** 32 - 1).to_bytes(4, 'little') + b'a.', b'u.', b'.', b't.', b'(((.', b'h\x07.', b'}K\x01s.',
    b'K\x01\x94a.',
    b'(' * 10 ** 6 + b't' * 10 ** 6 + b'.'])
def test_nonsense(opcodes):
    with pytest.raises(pickle.UnpicklingError):
        loads(opcodes, ())


def test_a_large_memo_index_takes_no_memory():
    assert loads(b'\x80\x02K\x01r' + (2 ** 32 - 1).to_bytes(4, 'little') + b'.', ()) == 1
