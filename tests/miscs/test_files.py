import hashlib
import os

from source.miscs.files import atomic_write, file_sha256

import pytest


def test_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / 'a'
    with atomic_write(path) as file:
        file.write(b'one')
        assert os.listdir(tmp_path) != ['a']
    assert path.read_bytes() == b'one'
    with pytest.raises(KeyboardInterrupt):
        _write_half(path)
    assert path.read_bytes() == b'one'
    assert os.listdir(tmp_path) == ['a']
    assert path.stat().st_mode & 0o777 == 0o644


def test_sha256(tmp_path):
    content = os.urandom(2 ** 20 + 77)
    (tmp_path / 'a').write_bytes(content)
    assert file_sha256(tmp_path / 'a') == hashlib.sha256(content).hexdigest()


def _write_half(path):
    with atomic_write(path) as file:
        file.write(b'two')
        raise KeyboardInterrupt
