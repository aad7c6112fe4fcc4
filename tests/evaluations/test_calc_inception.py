import json
from pathlib import Path

from evaluations import calc_inception, gen_images
from source.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.feature_networks import digits
from tests.evaluations.scored_snapshot import EVALUATION, record_in, record_of, refused, write_images
from tests.narrow import run, write_config

import numpy as np
import pytest
from PIL import Image

DIGITS_CONFIG = Path(__file__).parent.parent.parent / 'configs' / 'sn_projection_digits.yml'
pytestmark = pytest.mark.usefixtures('fake_judge')


def test_of_a_snapshot_beside_it_or_elsewhere(own_snapshot, unconditional, tmp_path):
    """As many samples as the config says, or the arguments; without classes none is recognized."""
    assert run(calc_inception.main, '--snapshot', own_snapshot, '--gpu', -1, '--seed', 5) == 0
    record = record_in(own_snapshot.parent / 'scores.json')
    assert (record['n_images'], record['splits'], record['seed']) == (24, 3, 5)
    record = record_of(calc_inception.main, tmp_path / 'a' / 'b' / 'scores.json', '--snapshot', own_snapshot,
                       '--n_images', 10, '--splits', 2)
    assert (record['n_images'], record['splits'], record['seed']) == (10, 2, 1234)
    record = record_of(calc_inception.main, tmp_path / 'scores.json', '--snapshot', unconditional)
    assert 'fid' in record and 'recognized' not in record


def test_a_record_of_other_images_is_not_followed(snapshot, tmp_path, capsys):
    """A name that it does not hold: said, and an order drawn. Images that are gone do not matter."""
    assert run(gen_images.main, '--snapshot', snapshot, '--n', 24, '--gpu', -1, '--results_dir', tmp_path) == 0
    images, order = tmp_path / 'images', tmp_path / 'images' / 'draw_order.json'
    names = json.loads(order.read_text())['names']
    arguments = ['--images', images, '--config', snapshot.parent / 'config.yml']
    (images / names[3]).unlink()
    assert record_of(calc_inception.main, tmp_path / 'scores.json', *arguments)['order'] == 'as generated'
    (images / names[4]).rename(images / 'other.png')
    capsys.readouterr()
    assert record_of(calc_inception.main, tmp_path / 'scores.json', *arguments)['order'] == 'drawn'
    assert f'{order}: not followed, as other.png was not generated with the others' in capsys.readouterr().err
    (images / 'other.png').rename(images / names[4])
    (images / names[5]).write_bytes((images / names[6]).read_bytes() + b' ')
    record_of(calc_inception.main, tmp_path / 'scores.json', *arguments)
    assert f'not followed, as {names[5]} was not generated' in capsys.readouterr().err
    order.write_text('{"names": 3}')
    message = refused(calc_inception.main, tmp_path, capsys, *arguments)
    assert message.startswith(f'{order}: expected the names of images in the order')


def test_held_out_digits_under_the_shipped_network(tmp_path, monkeypatch):
    """Ten classes, all but told apart: an inception score near its bound, and a small distance.

    Sorted by class, each of ten splits has one or two: only --keep_order takes them so.
    """
    monkeypatch.setitem(NETWORKS, 'digits', digits.load)
    held_out = DigitsDataset('test', size=32)
    by_class = np.argsort(held_out.labels, kind='stable')
    np.savez(tmp_path / 'sorted.npz', ims=held_out.ims[by_class], labels=held_out.labels[by_class])
    whole, drawn, kept = (
        record_of(calc_inception.main, tmp_path / 'scores.json', '--images', tmp_path / 'sorted.npz', '--config',
                  DIGITS_CONFIG, *more) for more in (['--splits', 1], [], ['--keep_order']))
    assert 9.5 < whole['is_mean'] <= 10 and 0 < whole['fid'] < 200
    assert whole['n_images'] == 360 and len(whole['network_sha256']) == 64
    assert 8 < drawn['is_mean'] < 10 and kept['is_mean'] < 2
    assert drawn['fid'] == pytest.approx(kept['fid'], rel=1e-5)
    assert drawn['recognized'] == kept['recognized'] > .95


@pytest.mark.parametrize('changes, expected', [
    ({'evaluation': None}, 'evaluation.network: missing; expected the name of a feature network'),
    ({'evaluation': {'network': 'nothing'}},
     f"evaluation.network: expected one of {', '.join(NETWORKS)}, found 'nothing'"),
    ({'dataset.args.sise': 3}, "dataset.args.sise: unknown key; did you mean 'size'?")])
def test_config_refused(snapshot, tmp_path, capsys, changes, expected):
    config = write_config(tmp_path, {**EVALUATION, **changes})
    message = refused(calc_inception.main, tmp_path, capsys, '--snapshot', snapshot, '--config', config)
    assert message.startswith(f'{config}: {expected}')


def test_images_refused(tmp_path, capsys):
    config = write_config(tmp_path, EVALUATION)
    images = write_images(tmp_path / 'ims', np.random.RandomState(0).randint(256, size=(5, 3, 8, 8), dtype=np.uint8))

    def message(*arguments):
        return refused(calc_inception.main, tmp_path, capsys, '--images', images, '--config', config, '--results_dir',
                       tmp_path / 'out', *arguments)
    assert message('--splits', 6) == (
        f'--images {images}: expected at least 2 images and --splits from 1 to as many, found 5 and 6')
    whole = (images / '002.png').read_bytes()
    for content in (whole[:len(whole) // 2], b'no image'):
        (images / '002.png').write_bytes(content)
        assert message().startswith(f'{images}/002.png: expected an image, found a file Pillow cannot read')
    Image.new('RGB', (9, 8)).save(images / '002.png')
    assert message() == f'{images}/002.png: expected 8x8 pixels, found 9x8'
    for path in images.iterdir():
        path.unlink()
    assert message().startswith(f'--images {images}: no images')
    images.rmdir()
    assert message() == f'--images {images}: no such folder or .npz file'
