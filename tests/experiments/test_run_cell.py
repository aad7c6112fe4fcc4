"""Cells are trained for real, narrow and short: what they leave, and that an interrupted one ends the same."""
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import train as train_command
from source.experiments import cell as cell_module
from source.experiments.budget import load_budget
from source.experiments.catalogue import Variant
from source.experiments.cell import Cell
from source.experiments.records import Results, read_record
from source.experiments.run_cell import (
    _Logged,
    make_record,
    record_crash,
    run_cell,
    seconds_per_100_updates,
    write_job,
)
from source.extensions.save_snapshots import SaveSnapshots
from source.feature_networks import load_feature_network
from source.functions import losses
from tests.narrow import run

import numpy as np
import pytest
from PIL import Image

TINY = {'iteration': 4, 'ch': 2, 'batchsize': 4, 'n_images': 100, 'splits': 2}
TIMES = 'seconds', 'seconds_per_100_updates', 'ended'
SN = Variant('cnn', 'spectral', 'C')


def tiny(variant, seed=0, **changes):
    return Cell(variant, seed, load_budget('digits', **{**TINY, **changes})[0])


def train(root, variant, stop_at=(), **changes):
    """The record of a cell that is stopped after each of so many iterations, and gone on with; it runs on the CPU."""
    folder, asked = write_job(Results(root), tiny(variant, **changes)), []
    for done in np.cumsum(stop_at):
        assert run_cell(folder, -1, lambda done=done: len(asked) == done or asked.append(True)) is None
        assert len(list(folder.glob('snapshot_iter_*'))) == (done > 0)
    record = run_cell(folder, -1, lambda: asked.append(True))
    assert record['status'] != 'finished' or len(asked) == record['iterations_done']  # none of them twice
    return record


def without_times(record):
    return {name: value for name, value in record.items() if name not in TIMES}


@pytest.fixture(scope='module')
def finished(tmp_path_factory, statistics_cache):
    """(results, record, the snapshots that were there after each was written) of a cell."""
    seen, save = [], SaveSnapshots.__call__

    def spy(self, trainer):
        save(self, trainer)
        seen.append([path.name for path in Path(trainer.out).glob('snapshot_iter_*')])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(statistics_cache))
        patch.setattr(SaveSnapshots, '__call__', spy)
        root = tmp_path_factory.mktemp('finished')
        return Results(root), train(root, SN), seen


def test_record_and_folder(finished):
    results, record, snapshots = finished
    assert record['status'] == 'finished' and record['iterations_done'] == 4
    assert record['network_sha256'] == load_feature_network('digits').digest and record['device'] == 'CPU'
    assert record['budget'] == {'dataset': 'digits', 'feature_network': 'digits', **TINY}
    assert (record['network'], record['method'], record['setting'], record['seed']) == ('cnn', 'spectral', 'C', 0)
    assert set(record['scores']) == {'is_mean', 'is_std', 'fid'}
    assert record['protocol'] == '100 images in 2 splits, FID against all training images'
    assert record['curve']['iteration'] == record['log']['iteration'] == [1, 2, 3, 4]
    np.testing.assert_allclose(record['curve']['fid'][-1], record['scores']['fid'], rtol=1e-4)
    assert set(record['log']) == {'iteration', 'loss_gen', 'loss_dis', 'critic_loss_train', 'critic_loss_held_out'}
    assert all(np.isfinite(record['log']['critic_loss_held_out']))
    assert set(record['spectral_norms']) == {*(f'c{k}' for k in range(1, 8)), 'l8'}
    for values in record['spectral_norms'].values():
        assert len(values) == 4 and all(.99 < value < 1.3 for value in values)
    assert [len(v) for v in record['squared_singular_values'].values()] == [2, 2, 4, 4, 8, 8, 16, 1]
    for layer, values in record['squared_singular_values'].items():
        np.testing.assert_allclose(values[0] ** .5, record['spectral_norms'][layer][-1], rtol=1e-5)
    stored = read_record(results.root / 'records' / 'cnn-spectral-C-seed0.json')
    assert stored['scores'] == record['scores'] and set(stored) == set(record)
    np.testing.assert_allclose(stored['spectral_norms']['c7'], record['spectral_norms']['c7'], rtol=1e-4)
    assert results.record(tiny(SN)).stat().st_size < 4096
    assert {path.name for path in results.folder(tiny(SN)).iterdir()} == {
        'cell.yml', 'cell.json', 'log', 'log.json', 'log.jsonl', 'CNNGenerator_4.npz', 'SNCNNDiscriminator_4.npz'}
    assert snapshots == [[f'snapshot_iter_{k}'] for k in (1, 2, 3, 4)]  # only the newest stayed
    with Image.open(results.samples('cnn-spectral-C-seed0')) as sheet:
        assert sheet.size == (160, 160)


def test_scored_by_a_protocol_at_the_end(finished, small_protocol, tmp_path):
    """The curve, and all else, are as without."""
    _, plain, _ = finished
    cell = tiny(SN)
    cell = replace(cell, budget=replace(cell.budget, protocol='small'))
    record = run_cell(write_job(Results(tmp_path), cell), -1)
    assert record['protocol'] == '240 images in 3 splits, FID of the first 200 against 300 of 360 test images'
    assert record['budget'] == {**plain['budget'], 'protocol': 'small'}
    assert record['curve'] == plain['curve'] and record['scores'] != plain['scores']
    assert read_record(Results(tmp_path).record(cell))['scores'].keys() == plain['scores'].keys()


def test_seeds_differ(finished, tmp_path):
    _, record, _ = finished
    other = train(tmp_path, SN, seed=1, iteration=1)
    assert other['name'] == 'cnn-spectral-C-seed1'
    assert other['scores'] != record['scores'] and other['log']['loss_dis'][0] != record['log']['loss_dis'][0]


@pytest.mark.parametrize('variant', [
    Variant('cnn', 'wgan_gp', 'C'), *(pytest.param(Variant('cnn', *rest), marks=pytest.mark.long)
                                      for rest in (('batch', 'B'), ('orthonormal', 'C'), ('none', 'B')))],
    ids=lambda variant: variant.name)
def test_interrupted_is_as_if_never_stopped(tmp_path, monkeypatch, variant):
    """Before the first iteration; and where losses are logged, and amid three whose mean is logged."""
    monkeypatch.setattr(cell_module, 'N_LOGGED', 2)
    whole = train(tmp_path / 'whole', variant, iteration=6)
    assert whole['log']['iteration'] == [1, 2, 3, 6]
    pieces = train(tmp_path / 'pieces', variant, iteration=6, stop_at=(0, 3, 1))
    assert without_times(pieces) == without_times(whole)
    samples = [(tmp_path / name / 'samples' / f'{variant.name}-seed0.png').read_bytes() for name in ('whole', 'pieces')]
    assert samples[0] == samples[1]


def test_diverged(tmp_path):
    record = train(tmp_path, Variant('cnn', 'none', 'C', (('alpha', 1e30),)), iteration=8)
    assert record['status'].startswith('diverged: ') and ' is not finite at iteration ' in record['status']
    assert record['iterations_done'] < 8 and record['scores'] == {} and record['squared_singular_values'] == {}
    assert read_record(Results(tmp_path).record_of(record['name']))['status'] == record['status']


def test_diverged_from_the_first_iteration(tmp_path, monkeypatch):
    def broken(dis_fake, dis_real):
        return losses.loss_dcgan_dis(dis_fake, dis_real) * np.float32(np.nan)
    monkeypatch.setitem(losses.LOSSES, 'dcgan', (broken, losses.loss_dcgan_gen))
    record = train(tmp_path, SN)
    assert record['status'] == 'diverged: loss_dis is not finite at iteration 1'
    assert record['iterations_done'] == 1 and record['log'] == {} and record['curve'] == {}


def test_crash(tmp_path):
    folder = write_job(Results(tmp_path), tiny(SN), threads=1)
    assert record_crash(folder, 'OSError: no')['iterations_done'] == 0
    (folder / 'snapshot_iter_3').touch()
    record = record_crash(folder, 'MemoryError: no more')
    assert record['status'] == 'crashed: MemoryError: no more' and record['iterations_done'] == 3
    assert record['threads'] == 1


def test_curve_of_a_cell_that_an_earlier_version_began():
    """It logged a std of the single split."""
    log = [{'iteration': 1, 'digits_fid': 9., 'digits_is_mean': 2., 'digits_is_std': 0.},
           {'iteration': 2, 'digits_fid': 8., 'digits_is_mean': 3.}]
    trainer = SimpleNamespace(elapsed_time=1., updater=SimpleNamespace(iteration=2, dis=SimpleNamespace(xp=np)))
    record = make_record(tiny(SN), 'diverged: a', trainer, log, SimpleNamespace(name='digits', digest='none'),
                         {'evaluation': {'n_images': 100, 'splits': 1}}, 1)
    assert record['curve'] == {'iteration': [1, 2], 'fid': [9., 8.], 'is_mean': [2., 3.]}


def test_seconds_per_100_updates():
    """The median, and only of intervals without scores."""
    log = [{'iteration': 10, 'elapsed_time': 1.}, {'iteration': 20, 'elapsed_time': 3.},
           {'iteration': 30, 'elapsed_time': 9., 'digits_fid': 1.}, {'iteration': 40, 'elapsed_time': 11.},
           {'iteration': 50, 'elapsed_time': 14.}]
    assert seconds_per_100_updates(log, 'digits_') == 20. and seconds_per_100_updates(log[:1], 'digits_') is None


def test_logged_iterations():
    logged = _Logged(300, 1000)
    assert [i for i in range(1, 1001) if logged(SimpleNamespace(updater=SimpleNamespace(iteration=i)))] == [
        1, 2, 5, 10, 20, 50, 100, 200, 300, 600, 900, 1000]


@pytest.mark.long
def test_cell_config_trains_by_itself(tmp_path):
    """`python train.py --config cell.yml` is the same run."""
    folder = write_job(Results(tmp_path), tiny(Variant('cnn', 'weight', 'C'), iteration=2))
    assert run(train_command.main, '--config', folder / 'cell.yml', '--results_dir', tmp_path / 'out', '--gpu', -1) == 0
    mine = run_cell(folder, -1)
    log = json.loads((tmp_path / 'out' / 'log.json').read_text())
    assert [entry['loss_dis'] for entry in log] == mine['log']['loss_dis']
    assert log[-1]['digits_fid'] == mine['scores']['fid']
