import collections
import io
import os
import pickle

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
    shared = []
    first, second = loads(pickle.dumps([shared, shared], protocol), ())
    assert first is second
    # A large index of the memo takes no memory.
    assert loads(b'\x80\x02K\x01r' + (2 ** 32 - 1).to_bytes(4, 'little') + b'.', ()) == 1


def test_refuses_all_but_plain_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (os.system, eval, np.arange(3), {1, 2}, bytearray(b'a'), 1 + 2j):
        for protocol in (2, 4):
            message = refused(pickle.dumps({'weight': value}, protocol), ['collections.OrderedDict'])
            assert 'no file of plain tensors needs' in message
    for opcodes in (b'cos\nsystem\nX\x0e\x00\x00\x00touch poisoned\x85R.', b'(S"touch poisoned"\nios\nsystem\n.',
                    b'(cos\nsystem\nS"touch poisoned"\no.', b'\x82\x01.',
                    b'\x80\x04X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93.'):
        refused(opcodes)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize('content, expected', [
    (pickle.dumps({(1, 2): 3}, 4), 'a key of type tuple'), (b'\x80\x02K\x01)R.', 'not a function'),
    (b'\x80\x02K\x010.', 'uses POP, which no file of plain tensors needs'),  # though the reader has a method _pop
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
