from evaluations import calc_ref_stats
from source.datasets.digits import DigitsDataset
from source.scoring.statistics_files import load_statistics
from tests.evaluations.scored_snapshot import EVALUATION, feats, refused
from tests.narrow import run, write_config

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures('fake_judge')


def command(config, out, *arguments):
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--out', out, *arguments) == 0


@pytest.mark.parametrize('split, kind', [('train', 'training'), ('test', 'test')])
def test_whole_set(snapshot, tmp_path, capsys, split, kind):
    expected, out = feats(DigitsDataset(split, size=8).ims), tmp_path / 'new' / 'a.npz'
    for is_replaced in (False, True):
        command(snapshot.parent / 'config.yml', out, '--real', split)
        assert (f'{out}: replaced; --out names another file' in capsys.readouterr().err) == is_replaced
    found = load_statistics(out)
    np.testing.assert_allclose(found.mean, expected.mean(axis=0, dtype=np.float64), rtol=1e-10)
    np.testing.assert_allclose(found.cov, np.cov(expected, rowvar=False), rtol=1e-6, atol=1e-6)
    assert (found.n, found.network, found.network_sha256) == (len(expected), 'digits', 'none')
    assert found.images == f'{found.n} {kind} images of DigitsDataset'


def test_per_class(tmp_path, capsys):
    """A class of one image is left out; the folder is written whole."""
    (tmp_path / 'mine.py').write_text(
        'from source.datasets.digits import DigitsDataset\n\n\nclass Mine(DigitsDataset):\n'
        '    def __init__(self):\n        super().__init__("train", 8)\n'
        '        self.labels[self.labels == 3] = 4\n        self.labels[5] = 3\n')
    config = write_config(tmp_path, {**EVALUATION, 'dataset': {'dataset_fn': 'mine.py', 'dataset_name': 'Mine'}})
    out = tmp_path / 'a'
    for said in ('', f'{out} holds earlier files; it is now {out}.old-1\n'):
        command(config, out, '--per_class')
        assert capsys.readouterr().out.startswith(f'{said}class 3: fewer than 2 images, left out\n'
                                                  '9 classes, 1437 training images under digits')
        assert {path.name for path in out.iterdir()} == {f'class_{c}.npz' for c in range(10) if c != 3}
        (out / 'class_3.npz').touch()  # as of other images
    found, n = load_statistics(out / 'class_7.npz'), (DigitsDataset(size=8).labels == 7).sum()
    assert (found.n, found.images) == (n, f'{n} train images of class 7 of Mine')
    message = refused(calc_ref_stats.main, tmp_path, capsys, '--config', config, '--real', 'test', '--out',
                      tmp_path / 'b.npz')
    assert message == f'--real test: {config}: Mine has no test set'
