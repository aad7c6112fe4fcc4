import json
from pathlib import Path

from evaluations import calc_inception, gen_images
from source.build import NETWORKS, build_models
from source.datasets.digits import DigitsDataset
from source.datasets.image_files import ImageFolder
from source.feature_networks import digits
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import load_model, save_snapshot
from source.yaml_utils import load_config
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import UNCONDITIONAL, files_in, run, write_config

import numpy as np
import pytest
from PIL import Image

DIGITS_CONFIG = Path(__file__).parent.parent.parent / 'configs' / 'sn_projection_digits.yml'
EVALUATION = {'evaluation': {'network': 'digits', 'n_images': 24, 'splits': 3}}


@pytest.fixture(autouse=True)
def _fake_network(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())


def write_snapshot(folder, changes=None):
    path = write_config(folder, {**EVALUATION, **(changes or {})}, 'config.yml')
    np.random.seed(0)
    gen, _ = build_models(load_config(path), str(path))
    for _ in range(30):  # so that the averaged batch statistics leave their initial zeros
        gen(20)
    save_snapshot(folder / 'ResNetGenerator_2.npz', gen)
    return folder / 'ResNetGenerator_2.npz'


@pytest.fixture(scope='module')
def snapshot(tmp_path_factory):
    return write_snapshot(tmp_path_factory.mktemp('results'))


def write_images(folder, ims):
    folder.mkdir()
    for k, im in enumerate(ims):
        Image.fromarray(im.transpose(1, 2, 0)).save(folder / f'{k:03d}.png')
    return folder


def expected_scores(ims, splits):
    network = FakeFeatureNetwork()
    real, fake = (FeatureStatistics().update(network(x)[0]) for x in (DigitsDataset(size=8).ims, ims))
    mean, std = inception_score(network(ims)[1], splits)
    return {'is_mean': mean, 'is_std': std, 'fid': frechet_distance(fake.mean, fake.cov, real.mean, real.cov)}


def scores_in(folder):
    return json.loads((folder / 'scores.json').read_text())


def assert_scores(record, expected):
    assert {name: record[name] for name in expected} == {k: pytest.approx(v, rel=1e-5) for k, v in expected.items()}


def samples(snapshot, n, seed):
    config = load_config(snapshot.parent / 'config.yml')
    gen, _ = build_models(config, 'config')
    load_model(snapshot, gen)
    return generate_ims(gen, n, NoiseSampler(gen.dim_z, gen.n_classes, seed=seed))


def test_of_a_snapshot(snapshot, capsys):
    assert run(calc_inception.main, '--snapshot', snapshot, '--gpu', -1, '--seed', 5) == 0
    record = scores_in(snapshot.parent)
    ims, y = samples(snapshot, 24, 5)
    share = (FakeFeatureNetwork()(ims)[1].argmax(axis=1) == y).mean()
    assert_scores(record, {**expected_scores(ims, 3), 'recognized': share})
    assert record['samples'] == str(snapshot)
    assert (record['n_images'], record['splits'], record['seed']) == (24, 3, 5)
    assert record['feature_network'] == 'digits'
    assert '1437' in record['reference']
    out = capsys.readouterr().out
    assert f'digits fid: {record["fid"]:.4f}' in out
    assert '24 images' in out
    assert '3 splits' in out
    assert 'nception' not in out  # scores under another network are never called that


def test_arguments_win(snapshot, tmp_path):
    assert run(calc_inception.main, '--snapshot', snapshot, '--gpu', -1, '--n_images', 10, '--splits', 2,
               '--results_dir', tmp_path / 'a' / 'b') == 0
    record = scores_in(tmp_path / 'a' / 'b')
    assert (record['n_images'], record['splits']) == (10, 2)
    assert_scores(record, expected_scores(samples(snapshot, 10, 1234)[0], 2))


def test_unconditional(tmp_path):
    snapshot = write_snapshot(tmp_path, UNCONDITIONAL)
    assert run(calc_inception.main, '--snapshot', snapshot, '--gpu', -1) == 0
    assert 'recognized' not in scores_in(tmp_path)


def test_of_a_folder(tmp_path, monkeypatch):
    ims = np.random.RandomState(0).randint(256, size=(13, 3, 8, 8), dtype=np.uint8)
    folder = write_images(tmp_path / 'ims', ims)
    (folder / 'notes.txt').write_text('no image')
    config = write_config(tmp_path, EVALUATION)
    monkeypatch.chdir(tmp_path)
    assert run(calc_inception.main, '--images', folder, '--config', config, '--gpu', -1) == 0
    record = scores_in(tmp_path)
    order = np.random.RandomState(1234).permutation(13)
    assert_scores(record, expected_scores(ims[order], 3))
    assert (record['n_images'], record['seed'], record['order']) == (13, 1234, 'drawn')
    assert run(calc_inception.main, '--images', folder, '--config', config, '--gpu', -1, '--keep_order') == 0
    record = scores_in(tmp_path)
    assert_scores(record, expected_scores(ims, 3))
    assert (record['seed'], record['order']) == (None, 'as stored')
    assert 'recognized' not in record


@pytest.mark.parametrize('npz', [[], ['--npz']], ids=['folder', 'npz'])
def test_generated_images_score_as_the_snapshot(snapshot, tmp_path, npz):
    """Folders sort them by class; the record of their order makes the scores, and the share recognized, the same."""
    arguments = ['--gpu', -1, '--config', snapshot.parent / 'config.yml']
    assert run(gen_images.main, '--snapshot', snapshot, '--n', 24, '--seed', 5, '--results_dir', tmp_path, *npz) == 0
    stored = tmp_path / ('samples.npz' if npz else 'images')
    for name, what in (('a', ['--images', stored]), ('b', ['--snapshot', snapshot, '--seed', 5])):
        assert run(calc_inception.main, *what, *arguments, '--results_dir', tmp_path / name) == 0
    of_images, of_snapshot = scores_in(tmp_path / 'a'), scores_in(tmp_path / 'b')
    assert 'recognized' in of_snapshot
    for name in ('is_mean', 'is_std', 'fid', 'recognized'):
        assert of_images[name] == of_snapshot[name]
    assert (of_images['order'], of_images['seed']) == ('as generated', None)


def test_a_record_of_other_images_is_not_followed(snapshot, tmp_path, capsys):
    """A name that it does not hold: said, and an order drawn. Images that are gone do not matter."""
    assert run(gen_images.main, '--snapshot', snapshot, '--n', 24, '--gpu', -1, '--results_dir', tmp_path) == 0
    images, order = tmp_path / 'images', tmp_path / 'images' / 'draw_order.json'
    names = json.loads(order.read_text())['names']
    arguments = ['--images', images, '--gpu', -1, '--config', snapshot.parent / 'config.yml', '--results_dir', tmp_path]
    (images / names[3]).unlink()
    assert run(calc_inception.main, *arguments) == 0
    assert scores_in(tmp_path)['order'] == 'as generated'
    (images / names[4]).rename(images / 'other.png')
    capsys.readouterr()
    assert run(calc_inception.main, *arguments) == 0
    assert f'{order}: not followed, as other.png was not generated with the others' in capsys.readouterr().err
    assert scores_in(tmp_path)['order'] == 'drawn'
    (images / 'other.png').rename(images / names[4])
    (images / names[5]).write_bytes((images / names[6]).read_bytes() + b' ')
    assert run(calc_inception.main, *arguments) == 0
    assert f'not followed, as {names[5]} was not generated' in capsys.readouterr().err
    order.write_text('{"names": 3}')
    assert run(calc_inception.main, *arguments) == 2
    assert f'{order}: expected the names of images in the order' in capsys.readouterr().err


def test_held_out_digits_under_the_shipped_network(tmp_path, monkeypatch):
    """Ten classes, all but told apart: an inception score near its bound, and a small distance."""
    monkeypatch.setitem(NETWORKS, 'digits', digits.load)
    images = write_images(tmp_path / 'ims', DigitsDataset('test', size=32).ims)
    assert run(calc_inception.main, '--images', images, '--config', DIGITS_CONFIG, '--gpu', -1, '--splits', 1,
               '--results_dir', tmp_path) == 0
    record = scores_in(tmp_path)
    assert 9.5 < record['is_mean'] <= 10
    assert 0 < record['fid'] < 200
    assert record['n_images'] == 360
    assert len(record['network_sha256']) == 64


def test_images_sorted_by_class_score_as_shuffled_ones(tmp_path, monkeypatch):
    """Ten splits of 36 digits: by class each has one or two; only --keep_order takes them so."""
    monkeypatch.setitem(NETWORKS, 'digits', digits.load)
    held_out = DigitsDataset('test', size=32)
    by_class = np.argsort(held_out.labels, kind='stable')
    np.savez(tmp_path / 'sorted.npz', ims=held_out.ims[by_class], labels=held_out.labels[by_class])
    found = {}
    for name, more in (('drawn', []), ('kept', ['--keep_order'])):
        assert run(calc_inception.main, '--images', tmp_path / 'sorted.npz', '--config', DIGITS_CONFIG, '--gpu', -1,
                   '--results_dir', tmp_path / name, *more) == 0
        found[name] = scores_in(tmp_path / name)
    assert 8 < found['drawn']['is_mean'] < 10 and found['kept']['is_mean'] < 2
    assert found['drawn']['fid'] == pytest.approx(found['kept']['fid'], rel=1e-5)
    assert found['drawn']['recognized'] == found['kept']['recognized'] > .95


def test_read_images_of_any_mode_in_order_of_names(tmp_path):
    colour = np.random.RandomState(0).randint(256, size=(8, 8, 3), dtype=np.uint8)
    (tmp_path / 'deeper').mkdir()
    Image.fromarray(colour).save(tmp_path / 'c.PNG')
    Image.fromarray(colour[:, :, 0]).save(tmp_path / 'a.bmp')
    Image.fromarray(colour).convert('P').save(tmp_path / 'b.png')
    Image.fromarray(np.dstack([colour, colour[:, :, :1]])).save(tmp_path / 'deeper' / 'd.png')
    ims = ImageFolder(tmp_path, 8).load_ims(range(4))
    assert (ims.shape, ims.dtype) == ((4, 3, 8, 8), np.uint8)
    np.testing.assert_array_equal(ims[0], np.broadcast_to(colour[:, :, 0], (3, 8, 8)))
    for k in (2, 3):
        np.testing.assert_array_equal(ims[k], colour.transpose(2, 0, 1))


def refused(folder, capsys, *arguments):
    before = files_in(folder)
    assert run(calc_inception.main, '--gpu', -1, '--results_dir', folder / 'out', *arguments) == 2
    assert files_in(folder) == before
    captured = capsys.readouterr()
    assert captured.out == ''
    line = captured.err.splitlines()[-1].rpartition('\r')[2]
    assert 'error: ' in line
    return line.partition('error: ')[2]


@pytest.mark.parametrize('arguments, expected', [
    ([], 'expected either --snapshot or --images'),
    (['--snapshot', 'a.npz', '--images', 'ims'], 'expected either --snapshot or --images'),
    (['--images', 'ims'], '--images needs --config, which names the feature network and the real data'),
    (['--images', 'ims', '--config', 'a.yml', '--n_images', '5'], '--n_images goes with --snapshot'),
    (['--snapshot', 'none.npz'], 'none.npz: no such snapshot')])
def test_arguments_refused(tmp_path, capsys, arguments, expected):
    assert refused(tmp_path, capsys, *arguments).startswith(expected)


@pytest.mark.parametrize('arguments', [
    ['--n_images', 0], ['--n_images', 1, '--splits', 1], ['--splits', 0], ['--splits', 25], ['--n_images', -3]])
def test_counts_refused(snapshot, tmp_path, capsys, arguments):
    message = refused(tmp_path, capsys, '--snapshot', snapshot, *arguments)
    assert message.startswith('expected --n_images of at least 2 and --splits from 1 to as many, found ')


@pytest.mark.parametrize('changes, expected', [
    ({'evaluation': None}, 'evaluation.network: missing; expected the name of a feature network'),
    ({'evaluation': {'network': 'nothing'}},
     f"evaluation.network: expected one of {', '.join(NETWORKS)}, found 'nothing'"),
    ({'dataset.args.sise': 3}, "dataset.args.sise: unknown key; did you mean 'size'?")])
def test_config_refused(snapshot, tmp_path, capsys, changes, expected):
    config = write_config(tmp_path, {**EVALUATION, **changes})
    assert refused(tmp_path, capsys, '--snapshot', snapshot, '--config', config).startswith(f'{config}: {expected}')


def test_other_architecture_refused(snapshot, tmp_path, capsys):
    config = write_config(tmp_path, {**EVALUATION, 'models.generator.args.ch': 6})
    message = refused(tmp_path, capsys, '--snapshot', snapshot, '--config', config)
    assert message.startswith(f'{snapshot}: b5/avg_mean has shape (4,), but ResNetGenerator has (6,) there')


def test_gpu_refused(snapshot, tmp_path, capsys):
    images = write_images(tmp_path / 'ims', np.zeros((3, 3, 8, 8), np.uint8))
    for what in (['--snapshot', snapshot], ['--images', images]):
        message = refused(tmp_path, capsys, *what, '--config', snapshot.parent / 'config.yml', '--gpu', 99)
        assert message.startswith('--gpu 99: expected')


def test_images_refused(tmp_path, capsys):
    config = write_config(tmp_path, EVALUATION)
    images = write_images(tmp_path / 'ims', np.random.RandomState(0).randint(256, size=(5, 3, 8, 8), dtype=np.uint8))

    def message():
        return refused(tmp_path, capsys, '--images', images, '--config', config)
    whole = (images / '002.png').read_bytes()
    (images / '002.png').write_bytes(whole[:len(whole) // 2])
    assert message().startswith(f'{images}/002.png: expected an image, found a file Pillow cannot read')
    (images / '002.png').write_text('no image')
    assert message().startswith(f'{images}/002.png: expected an image, found a file Pillow cannot read')
    Image.new('RGB', (9, 8)).save(images / '002.png')
    assert message() == f'{images}/002.png: expected 8x8 pixels, found 9x8'
    for path in images.iterdir():
        path.unlink()
    assert message().startswith(f'--images {images}: no images')
    images.rmdir()
    assert message() == f'--images {images}: no such folder or .npz file'


def test_fewer_images_than_splits(tmp_path, capsys):
    config = write_config(tmp_path, EVALUATION)
    images = write_images(tmp_path / 'ims', np.zeros((2, 3, 8, 8), np.uint8))
    message = refused(tmp_path, capsys, '--images', images, '--config', config, '--splits', 3)
    assert 'expected at least 2 images and --splits from 1 to as many, found 2 and 3' in message
    assert run(calc_inception.main, '--images', images, '--config', config, '--gpu', -1, '--results_dir', tmp_path) == 0
    record, why = scores_in(tmp_path), 'expected at least as many images as splits (3), found 2'
    assert 'fid' in record and 'is_mean' not in record and record['left_out'] == {'is': why}
    assert f'left out: inception score: {why}' in capsys.readouterr().err
