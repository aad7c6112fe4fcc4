"""FID in one call is that of the command, bit for bit."""
from evaluations import calc_fid
from source.datasets.mnist import MNISTDataset
from source.metrics import SingularCovarianceWarning
from source.scoring import fid
from tests.evaluations.scored_snapshot import record_of, write_images

import numpy as np
import pytest

A, B = (MNISTDataset(split).ims[:300] for split in ('test', 'train'))


def test_it_is_the_number_of_the_command(tmp_path, monkeypatch):
    """Of folders, files and arrays in any order of axes; of each other, but for rounding."""
    write_images(tmp_path / 'a', A)
    write_images(tmp_path / 'b', B)
    np.save(tmp_path / 'a.npy', A)
    np.savez(tmp_path / 'b.npz', ims=B[:, 0])
    found = {}
    for a, b in (('a', 'b'), ('a.npy', 'b.npz')):
        monkeypatch.setenv('SNGAN_CACHE', str(tmp_path / f'cache of {a}'))
        record = record_of(calc_fid.main, tmp_path / 'fid.json', '--images', tmp_path / a, '--against', tmp_path / b,
                           '--network', 'mnist')
        monkeypatch.setenv('SNGAN_CACHE', str(tmp_path / f'own cache of {a}'))
        found[a] = fid(tmp_path / a, str(tmp_path / b), network='mnist')
        assert found[a] == record['fid'] > 1
    for a, b in ((A, B), (A[:, 0], B[:, :1]), (A.transpose(0, 2, 3, 1), B)):
        assert fid(a, b, 'mnist') == found['a.npy']
    assert fid(B, A, 'mnist') == pytest.approx(found['a'], rel=1e-6)


X = A / 127.5 - 1


@pytest.mark.parametrize('images, expected', [
    (X, r"expected uint8 .*found float64 .*\(\(x \+ 1\) \* 127.5\).round\(\).astype\('uint8'\) makes it that"),
    (np.full(A.shape, np.nan), 'expected uint8 .*found float64'), (A.astype(int), 'expected uint8 .*found int64'),
    (A[:1], r'expected at least 2 (real )?images, found 1'), (A[:0], 'expected uint8'), (A[0, 0], 'expected uint8'),
    (A.reshape(300, -1), 'expected uint8'), (A[:, :2], 'expected uint8'), (A // 255, 'found none above 1'),
    ('none', 'none: no such folder or .npz or .npy file'), ('none.npz', 'no such file of images'),
    ([A], 'expected a NumPy array or a path, got list'), (None, 'got NoneType')])
def test_refused_in_one_line(images, expected):
    for said, sides in (('images_a', (images, A)), ('images_b', (A, images))):
        with pytest.raises(ValueError, match=expected) as raised:
            fid(*sides, network='mnist')
        assert '\n' not in str(raised.value) and (said in str(raised.value) or images == 'none.npz')


def test_judges_and_devices_refused():
    with pytest.raises(ValueError, match="expected one of .*, got 'inceptoin'"):
        fid(A, B, network='inceptoin')
    with pytest.raises(ValueError, match='device 99: expected -1'):
        fid(A, B, 'mnist', device=99)


def test_few_images_warn():
    with pytest.warns(SingularCovarianceWarning, match='too few images for so many features'):
        assert fid(A[:5], B, 'mnist') > 0
