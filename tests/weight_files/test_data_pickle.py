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
         'none': None, 'flags': [True, False], 'bytes': b'\x80', 'nested': {'a': {'b': []}}}


def refused(content, allowed=()):
    with pytest.raises(pickle.UnpicklingError) as caught:
        loads(content, allowed)
    return str(caught.value)


@pytest.mark.parametrize('protocol', range(2, 6))
def test_reads_plain_data_and_allowed_names_as_symbols(protocol):
    value = {**PLAIN, 'many': list(range(2000))}
    file = io.BytesIO(pickle.dumps(value, protocol) + b'behind')
    if protocol == 2:  # which writes bytes as a call
        value['bytes'] = Call(Name('_codecs', 'encode'), ('\x80', 'latin1'))
    assert read_data_pickle(file, ('_codecs.encode',) if protocol == 2 else ()) == value
    assert file.read() == b'behind'
    read = loads(pickle.dumps(collections.OrderedDict(a=1), protocol), ['collections.OrderedDict'])
    assert read == Call(Name('collections', 'OrderedDict'), (), {'a': 1})


def test_shared_objects_are_shared_and_a_large_memo_index_takes_no_memory():
    inner = []
    read = loads(pickle.dumps([inner, inner]), ())
    assert read[0] is read[1]
    assert loads(b'\x80\x02K\x01r' + (2 ** 32 - 1).to_bytes(4, 'little') + b'.', ()) == 1


class Runs:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [2, 4])
def test_refuses_all_but_plain_data(protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (Runs(os.system, 'touch poisoned'), Runs(subprocess.check_output, ['touch', 'poisoned']),
                  Runs(eval, "open('poisoned', 'w')"), Runs(os.mkdir, 'poisoned'), os.system, np.arange(3),
                  np.float64(3), {1, 2}, bytearray(b'a'), 1 + 2j, Name('a', 'b')):
        message = refused(pickle.dumps({'weight': value}, protocol), ['collections.OrderedDict'])
        assert 'no file of plain tensors needs' in message
    assert not os.listdir(tmp_path)


def test_refuses_every_way_to_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for opcodes in (b'cos\nsystem\nX\x0e\x00\x00\x00touch poisoned\x85R.', b'(S"touch poisoned"\nios\nsystem\n.',
                    b'(cos\nsystem\nS"touch poisoned"\no.', b'\x82\x01.',
                    b'\x80\x04X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.'):
        refused(opcodes)
    assert not os.listdir(tmp_path)


def test_refuses_opcodes_by_name():
    """Whatever the reader's own methods are called."""
    codes = {each.name: each.code.encode('latin1') for each in pickletools.opcodes}
    for name in ('POP', 'POP_MARK', 'DUP', 'OBJ', 'INST', 'NEWOBJ', 'PERSID', 'EMPTY_SET'):
        message = refused(b'\x80\x02K\x01' + codes[name] + b'a\nb\n.')
        assert f'uses {name}, which no file of plain tensors needs' in message


@pytest.mark.parametrize('content, expected', [
    (pickle.dumps({(1, 2): 3}, 4), 'a key of type tuple'), (pickle.dumps({None: 3}, 4), 'a key of type NoneType'),
    (b'\x80\x02K\x01)R.', 'not a function'),
    (b'\x8d' + (2 ** 62).to_bytes(8, 'little') + b'a.', ''),  # a string of 4 EiB
    (b'\x8b' + (2 ** 31 - 1).to_bytes(4, 'little') + b'a.', ''),  # an integer of 2 GiB
    (b'X' + (2 ** 32 - 1).to_bytes(4, 'little') + b'a.', ''), (b'(' * 10 ** 6 + b't' * 10 ** 6 + b'.', 'opcodes'),
    *((opcodes, '') for opcodes in (b'u.', b'.', b't.', b'(((.', b'h\x07.', b'}K\x01s.', b'K\x01\x94a.'))])
def test_nonsense(content, expected):
    assert expected in refused(content)


def test_cut_or_changed_anywhere():
    """One byte changed: read as something else or refused, never another exception."""
    whole, rng, n_refused = pickle.dumps(PLAIN, 4), np.random.RandomState(0), 0
    for n in range(len(whole)):
        refused(whole[:n])
        for byte in rng.randint(256, size=4).tolist():
            try:
                loads(whole[:n] + bytes([byte]) + whole[n + 1:], ())
            except pickle.UnpicklingError:
                n_refused += 1
    assert n_refused > len(whole)
