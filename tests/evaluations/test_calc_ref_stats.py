from evaluations import calc_ref_stats
from source.datasets.digits import DigitsDataset
from source.scoring.statistics_files import load_statistics
from tests.evaluations.scored_snapshot import EVALUATION, refused
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import run, write_config

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures('fake_judge')


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path, EVALUATION)


def assert_of(path, ims, text):
    found, feats = load_statistics(path), FakeFeatureNetwork()(ims)[0]
    np.testing.assert_allclose(found.mean, feats.mean(axis=0, dtype=np.float64), rtol=1e-10)
    np.testing.assert_allclose(found.cov, np.cov(feats, rowvar=False), rtol=1e-6, atol=1e-6)
    assert (found.n, found.network, found.network_sha256, found.images) == (len(ims), 'digits', 'none', text)


@pytest.mark.parametrize('split, kind', [('train', 'training'), ('test', 'test')])
def test_whole_set(config, tmp_path, capsys, split, kind):
    digits, out = DigitsDataset(split, size=8), tmp_path / 'new' / 'a.npz'
    for is_replaced in (False, True):
        assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--real', split, '--out', out) == 0
        assert_of(out, digits.ims, f'{len(digits)} {kind} images of DigitsDataset')
        assert (f'{out}: replaced; --out names another file' in capsys.readouterr().err) == is_replaced


def test_per_class(config, tmp_path, capsys):
    digits, out = DigitsDataset(size=8), tmp_path / 'a'
    for is_replaced in (False, True):
        assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--per_class', '--out', out) == 0
        captured = capsys.readouterr()
        assert '10 classes, 1437 training images under digits' in captured.out
        said = f'{out}/class_0.npz and 9 more: replaced; --out names another folder'
        assert (said in captured.err) == is_replaced
    assert {path.name for path in out.iterdir()} == {f'class_{c}.npz' for c in range(10)}
    for c in range(10):
        ims = digits.ims[digits.labels == c]
        assert_of(out / f'class_{c}.npz', ims, f'{len(ims)} train images of class {c} of DigitsDataset')


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


def test_refused(config, tmp_path, capsys):
    (tmp_path / 'folder.npz').mkdir()
    for path, out, expected in (
            (config, 'a', f'--out: expected a name ending in .npz, got {tmp_path}/a'),
            (config, 'folder.npz', f'--out {tmp_path}/folder.npz: expected the name of a file, found a folder'),
            (tmp_path / 'no.yml', 'a.npz', f'{tmp_path}/no.yml: cannot be read as a config file')):
        message = refused(calc_ref_stats.main, tmp_path, capsys, '--config', path, '--out', tmp_path / out)
        assert message.startswith(expected)
