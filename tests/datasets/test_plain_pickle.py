"""What is plain is read in test_published_data_sets.py, Python 2's too."""
import collections
import io
import os
import pickle

from source.datasets.plain_pickle import load_plain_pickle

import numpy as np
import pytest


class _Command:
    def __reduce__(self):
        return os.mkdir, ('made-by-a-pickle',)


@pytest.mark.parametrize('value', [_Command(), collections.OrderedDict(a=1), np.float64, os.system])
def test_refuses_code(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match='only numpy arrays and plain data'):
        load_plain_pickle(io.BytesIO(pickle.dumps({'data': value}, 2)))
    assert not os.listdir(tmp_path)
