import collections
import io
import os
import pickle

from source.datasets.plain_pickle import load_plain_pickle

import numpy as np
import pytest


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4])
def test_reads_plain_data(protocol):
    data = np.arange(250, 256, dtype=np.uint8).reshape(2, 3)
    loaded = load_plain_pickle(io.BytesIO(pickle.dumps(
        {'data': data, 'labels': [1, 2], 'name': 'ä', 'raw': b'\x80\xff'}, protocol)))
    np.testing.assert_array_equal(loaded['data'], data)
    assert loaded['data'].dtype == np.uint8
    assert (loaded['labels'], loaded['name'], loaded['raw']) == ([1, 2], 'ä', b'\x80\xff')


def test_reads_what_python_2_wrote(dump_python2_batch):
    data = np.random.default_rng(0).integers(0, 256, (7, 3072), dtype=np.uint8)
    pickled = dump_python2_batch(b'training batch 1 of 5', [6, 9, 0], data, [b'a_s_000001.png'])
    loaded = load_plain_pickle(io.BytesIO(pickled))
    np.testing.assert_array_equal(loaded['data'], data)
    assert loaded['labels'] == [6, 9, 0] and loaded['filenames'] == ['a_s_000001.png']


class _Command:
    def __reduce__(self):
        return os.mkdir, ('made-by-a-pickle',)


@pytest.mark.parametrize('value', [_Command(), collections.OrderedDict(a=1), np.float64, os.system])
def test_refuses_code(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match='only numpy arrays and plain data'):
        load_plain_pickle(io.BytesIO(pickle.dumps({'data': value}, 2)))
    assert not os.listdir(tmp_path)
