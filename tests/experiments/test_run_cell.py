"""Cells are trained for real, narrow and short: what they leave, and that an interrupted one ends the same."""
import json
from types import SimpleNamespace

import train as train_command
from source.experiments import cell
from source.experiments.budget import load_budget
from source.experiments.catalogue import Variant
from source.experiments.records import Results, read_record
from source.experiments.run_cell import _Logged, make_record, run_cell, write_job
from source.feature_networks import load_feature_network
from source.functions import losses
from tests.narrow import files_in, run

import numpy as np
import pytest
from PIL import Image

TINY = {'iteration': 4, 'ch': 2, 'batchsize': 4, 'n_images': 100, 'splits': 2}
SN = Variant('cnn', 'spectral', 'C')


def tiny(variant, seed=0, **changes):
    return cell.Cell(variant, seed, load_budget('digits', **{**TINY, **changes})[0])


def train(root, variant, stop_at=(), **changes):
    """The record of a cell that is stopped after each of so many iterations, and gone on with; it runs on the CPU."""
    folder, seen = write_job(Results(root), tiny(variant, **changes)), []

    def look():
        seen.append([path.name for path in folder.glob('snapshot_iter_*')])
    for done in np.cumsum(stop_at):
        assert run_cell(folder, -1, lambda done=done: len(seen) == done or look()) is None
    record = run_cell(folder, -1, look)
    # No iteration twice, and of the snapshots, one after each, the newest alone is there.
    assert seen == [[], *([f'snapshot_iter_{k}'] for k in range(1, record['iterations_done']))]
    return record


def test_record_and_folder(tmp_path, small_protocol):
    record, results = train(tmp_path, SN), Results(tmp_path)
    stored = read_record(results.record_of('cnn-spectral-C-seed0'))
    assert stored['scores'] == record['scores'] and set(stored) == set(record)
    expected = {'status': 'finished', 'iterations_done': 4, 'device': 'CPU', 'network': 'cnn', 'method': 'spectral',
                'setting': 'C', 'seed': 0, 'budget': {'dataset': 'digits', 'feature_network': 'digits', **TINY},
                'protocol': '100 images in 2 splits, FID against all training images',
                'network_sha256': load_feature_network('digits').digest}
    assert {name: stored[name] for name in expected} == expected
    assert set(record['scores']) == {'is_mean', 'is_std', 'fid'}
    assert record['curve']['iteration'] == record['log']['iteration'] == [1, 2, 3, 4]
    np.testing.assert_allclose(record['curve']['fid'][-1], record['scores']['fid'], rtol=1e-4)
    assert set(record['log']) == {'iteration', 'loss_gen', 'loss_dis', 'critic_loss_train', 'critic_loss_held_out'}
    assert all(np.isfinite(record['log']['critic_loss_held_out']))
    norms, squares = record['spectral_norms'], record['squared_singular_values']
    assert {name: len(squares[name]) for name in norms} == {
        'c1': 2, 'c2': 2, 'c3': 4, 'c4': 4, 'c5': 8, 'c6': 8, 'c7': 16, 'l8': 1}
    for layer, values in norms.items():
        assert len(values) == 4 and all(.99 < value < 1.3 for value in values)
        np.testing.assert_allclose(squares[layer][0] ** .5, values[-1], rtol=1e-5)
        np.testing.assert_allclose(stored['spectral_norms'][layer], values, rtol=1e-4)
    assert results.record(tiny(SN)).stat().st_size < 4096
    assert {path.name for path in results.folder(tiny(SN)).iterdir()} == {
        'cell.yml', 'cell.json', 'log', 'log.json', 'log.jsonl', 'CNNGenerator_4.npz', 'SNCNNDiscriminator_4.npz'}
    with Image.open(results.samples('cnn-spectral-C-seed0')) as sheet:
        assert sheet.size == (160, 160)
    by_protocol = train(tmp_path / 'by a protocol', SN, protocol='small')  # at the end; all else is as without
    assert by_protocol['protocol'] == '240 images in 3 splits, FID of the first 200 against 300 of 360 test images'
    assert by_protocol['budget'] == {**record['budget'], 'protocol': 'small'}
    assert by_protocol['curve'] == record['curve'] and by_protocol['scores'] != record['scores']
    assert by_protocol['scores'].keys() == record['scores'].keys()


@pytest.mark.parametrize('method', [
    'wgan_gp', *(pytest.param(name, marks=pytest.mark.long) for name in ('batch', 'orthonormal', 'none'))])
def test_interrupted_is_as_if_never_stopped(tmp_path, monkeypatch, method):
    """Before the first iteration; and where losses are logged, and amid three whose mean is logged."""
    monkeypatch.setattr(cell, 'N_LOGGED', 2)
    variant = Variant('cnn', method, 'C')
    whole = train(tmp_path / 'whole', variant, iteration=6)
    assert whole['log']['iteration'] == [1, 2, 3, 6]
    pieces = train(tmp_path / 'pieces', variant, iteration=6, stop_at=(0, 3, 1))
    times = {name: whole[name] for name in ('seconds', 'seconds_per_100_updates', 'ended')}
    assert {**pieces, **times} == whole
    assert files_in(tmp_path / 'pieces' / 'samples') == files_in(tmp_path / 'whole' / 'samples') != {}


def test_diverged_from_the_first_iteration(tmp_path, monkeypatch):
    def broken(dis_fake, dis_real):
        return losses.loss_dcgan_dis(dis_fake, dis_real) * np.float32(np.nan)
    monkeypatch.setitem(losses.LOSSES, 'dcgan', (broken, losses.loss_dcgan_gen))
    train(tmp_path, SN)
    record = read_record(Results(tmp_path).record(tiny(SN)))
    assert record['status'] == 'diverged: loss_dis is not finite at iteration 1' and record['iterations_done'] == 1
    assert all(record[name] == {} for name in ('scores', 'curve', 'log', 'squared_singular_values'))
    assert record['seconds_per_100_updates'] is None


def test_curve_and_seconds_of_a_log():
    """An earlier version logged a std of the single split; the median, and only of intervals without scores."""
    log = [{'iteration': 10 * k, 'elapsed_time': time} for k, time in enumerate((1., 3., 9., 11., 14., 99.), 1)]
    log[2].update(digits_fid=9., digits_is_mean=2., digits_is_std=0.)
    log[5].update(digits_fid=8., digits_is_mean=3.)
    trainer = SimpleNamespace(elapsed_time=1., updater=SimpleNamespace(iteration=2, dis=SimpleNamespace(xp=np)))
    record = make_record(tiny(SN), 'diverged: a', trainer, log, SimpleNamespace(name='digits', digest='none'),
                         {'evaluation': {'n_images': 100, 'splits': 1}}, 1)
    assert record['curve'] == {'iteration': [30, 60], 'fid': [9., 8.], 'is_mean': [2., 3.]} and record['scores'] == {}
    assert record['seconds_per_100_updates'] == 20.


def test_logged_iterations():
    logged = _Logged(300, 1000)
    assert [i for i in range(1, 1001) if logged(SimpleNamespace(updater=SimpleNamespace(iteration=i)))] == [
        1, 2, 5, 10, 20, 50, 100, 200, 300, 600, 900, 1000]


@pytest.mark.long
def test_cell_config_trains_by_itself(tmp_path):
    """`python train.py --config cell.yml` is the same run."""
    mine, out = train(tmp_path, Variant('cnn', 'weight', 'C'), iteration=2), tmp_path / 'out'
    config = tmp_path / 'cells' / mine['name'] / 'cell.yml'
    assert run(train_command.main, '--config', config, '--results_dir', out, '--gpu', -1) == 0
    log = json.loads((out / 'log.json').read_text())
    assert [entry['loss_dis'] for entry in log] == mine['log']['loss_dis']
    assert log[-1]['digits_fid'] == mine['scores']['fid']
