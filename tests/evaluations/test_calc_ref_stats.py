from evaluations import calc_ref_stats
from source.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.scoring.statistics_files import load_statistics
from tests.evaluations.scored_snapshot import EVALUATION, refused
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import run, write_config

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _fake_network(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: FakeFeatureNetwork())


def assert_of(path, ims, text):
    found, feats = load_statistics(path), FakeFeatureNetwork()(ims)[0]
    np.testing.assert_allclose(found.mean, feats.mean(axis=0, dtype=np.float64), rtol=1e-10)
    np.testing.assert_allclose(found.cov, np.cov(feats, rowvar=False), rtol=1e-6, atol=1e-6)
    assert (found.n, found.network, found.network_sha256, found.images) == (len(ims), 'digits', 'none', text)


@pytest.mark.parametrize('split, kind', [('train', 'training'), ('test', 'test')])
def test_whole_set(tmp_path, split, kind):
    config, digits = write_config(tmp_path, EVALUATION), DigitsDataset(split, size=8)
    out = tmp_path / 'new' / 'a.npz'
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--real', split, '--out', out) == 0
    assert_of(out, digits.ims, f'{len(digits)} {kind} images of DigitsDataset')


def test_per_class(tmp_path, capsys):
    config, digits = write_config(tmp_path, EVALUATION), DigitsDataset(size=8)
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--per_class', '--out', tmp_path / 'a') == 0
    assert {path.name for path in (tmp_path / 'a').iterdir()} == {f'class_{c}.npz' for c in range(10)}
    for c in range(10):
        ims = digits.ims[digits.labels == c]
        assert_of(tmp_path / 'a' / f'class_{c}.npz', ims, f'{len(ims)} train images of class {c} of DigitsDataset')
    assert '10 classes, 1437 training images under digits' in capsys.readouterr().out


def test_class_of_one_image_is_left_out(tmp_path, capsys):
    (tmp_path / 'mine.py').write_text(
        'from source.datasets.digits import DigitsDataset\n\n\nclass Mine(DigitsDataset):\n'
        '    def __init__(self):\n        super().__init__("train", 8)\n'
        '        self.labels[self.labels == 3] = 4\n        self.labels[5] = 3\n')
    config = write_config(tmp_path, {**EVALUATION, 'dataset': {'dataset_fn': 'mine.py', 'dataset_name': 'Mine'}})
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--per_class', '--out', tmp_path / 'a') == 0
    assert not (tmp_path / 'a' / 'class_3.npz').exists()
    assert 'class 3: fewer than 2 images, left out' in capsys.readouterr().out
    message = refused(calc_ref_stats.main, tmp_path, capsys, '--config', config, '--real', 'test', '--out',
                      tmp_path / 'b.npz')
    assert message == f'--real test: {config}: Mine has no test set'


def test_refused(tmp_path, capsys):
    config = write_config(tmp_path, EVALUATION)
    assert refused(calc_ref_stats.main, tmp_path, capsys, '--config', config, '--out', tmp_path / 'a') == (
        f'--out: expected a name ending in .npz, got {tmp_path}/a')
    config = tmp_path / 'no.yml'
    message = refused(calc_ref_stats.main, tmp_path, capsys, '--config', config, '--out', tmp_path / 'a.npz')
    assert message.startswith(f'{config}: cannot be read as a config file')


def test_what_is_replaced_is_said(tmp_path, capsys):
    config = write_config(tmp_path, EVALUATION)
    for arguments, name in ((['--out', tmp_path / 'stats.npz'], 'stats.npz'),
                            (['--out', tmp_path / 'classes', '--per_class'], 'classes/class_0.npz and 9 more')):
        for k in range(2):
            assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, *arguments) == 0
            assert (f'{tmp_path}/{name}: replaced; --out names another' in capsys.readouterr().err) == bool(k)
    (tmp_path / 'folder.npz').mkdir()
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--out', tmp_path / 'folder.npz') == 2
    assert 'folder.npz: expected the name of a file, found a folder' in capsys.readouterr().err
