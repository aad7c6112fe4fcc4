"""Cells are trained for real, narrow and short: what they leave, and that an interrupted one ends the same."""
import json
import os
from pathlib import Path
from types import SimpleNamespace

from source.experiments.budget import load_budget
from source.experiments.catalogue import Variant
from source.experiments.cell import Cell
from source.experiments.records import Results, read_record
from source.experiments.run_cell import make_record, record_crash, run_cell, seconds_per_100_updates, write_job
from source.extensions.save_snapshots import SaveSnapshots
from source.feature_networks import load_feature_network
from source.functions import losses

import numpy as np
import pytest
from PIL import Image

TINY = {'iteration': 4, 'ch': 2, 'batchsize': 4, 'n_images': 100, 'splits': 2}
TIMES = 'seconds', 'seconds_per_100_updates', 'ended'


def tiny(variant, seed=0, **changes):
    return Cell(variant, seed, load_budget('digits', **{**TINY, **changes})[0])


def train(root, variant, stop_at=(), **changes):
    """The record of a cell that is stopped after each of so many iterations, and gone on with; it runs on the CPU."""
    folder = write_job(Results(root), tiny(variant, **changes))
    for stop in stop_at:
        asked = []

        def should_stop(stop=stop, asked=asked):
            asked.append(True)
            return len(asked) > stop
        assert run_cell(folder, -1, should_stop) is None
        assert len(list(folder.glob('snapshot_iter_*'))) == 1
    asked = []
    record = run_cell(folder, -1, lambda: asked.append(True))
    if record['status'] == 'finished':
        assert len(asked) == record['iterations_done'] - sum(stop_at)  # none of them twice
    return record


def without_times(record):
    return {name: value for name, value in record.items() if name not in TIMES}


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('SNGAN_CACHE', str(tmp_path_factory.mktemp('cache')))
        root = tmp_path_factory.mktemp('finished')
        return Results(root), train(root, Variant('cnn', 'spectral', 'C'))


def test_curve_of_a_cell_that_an_earlier_version_began():
    """It logged a std of the single split."""
    log = [{'iteration': 1, 'digits_fid': 9., 'digits_is_mean': 2., 'digits_is_std': 0.},
           {'iteration': 2, 'digits_fid': 8., 'digits_is_mean': 3.}]
    trainer = SimpleNamespace(elapsed_time=1., updater=SimpleNamespace(iteration=2, dis=SimpleNamespace(xp=np)))
    record = make_record(tiny(Variant('cnn', 'spectral', 'C')), 'diverged: a', trainer, log, SimpleNamespace(
        name='digits', digest='none'), {'evaluation': {'n_images': 100, 'splits': 1}}, 1)
    assert record['curve'] == {'iteration': [1, 2], 'fid': [9., 8.], 'is_mean': [2., 3.]}


def test_record(finished):
    results, record = finished
    assert record['status'] == 'finished' and record['iterations_done'] == 4
    assert record['network_sha256'] == load_feature_network('digits').digest and record['device'] == 'CPU'
    assert record['budget'] == {'dataset': 'digits', 'feature_network': 'digits', **TINY}
    assert (record['network'], record['method'], record['setting'], record['seed']) == ('cnn', 'spectral', 'C', 0)
    assert set(record['scores']) == {'is_mean', 'is_std', 'fid'}
    assert record['curve']['iteration'] == record['log']['iteration'] == [1, 2, 3, 4]
    np.testing.assert_allclose(record['curve']['fid'][-1], record['scores']['fid'], rtol=1e-4)
    assert set(record['log']) == {'iteration', 'loss_gen', 'loss_dis', 'critic_loss_train', 'critic_loss_held_out'}
    assert all(np.isfinite(record['log']['critic_loss_held_out']))
    assert set(record['spectral_norms']) == {*(f'c{k}' for k in range(1, 8)), 'l8'}
    for values in record['spectral_norms'].values():
        assert len(values) == 4 and all(.99 < value < 1.3 for value in values)
    assert [len(v) for v in record['squared_singular_values'].values()] == [2, 2, 4, 4, 8, 8, 16, 1]
    stored = read_record(results.root / 'records' / 'cnn-spectral-C-seed0.json')
    assert stored['scores'] == record['scores'] and set(stored) == set(record)
    np.testing.assert_allclose(stored['spectral_norms']['c7'], record['spectral_norms']['c7'], rtol=1e-4)


def test_last_spectral_norm_is_the_largest_singular_value(finished):
    _, record = finished
    for layer, values in record['squared_singular_values'].items():
        np.testing.assert_allclose(values[0] ** .5, record['spectral_norms'][layer][-1], rtol=1e-5)


def test_folder(finished):
    results, _ = finished
    folder = results.root / 'cells' / 'cnn-spectral-C-seed0'
    assert {path.name for path in folder.iterdir()} == {
        'cell.yml', 'cell.json', 'log', 'log.json', 'log.jsonl', 'CNNGenerator_4.npz', 'SNCNNDiscriminator_4.npz'}
    with Image.open(results.samples('cnn-spectral-C-seed0')) as sheet:
        assert sheet.size == (160, 160)
    size = results.record(tiny(Variant('cnn', 'spectral', 'C'))).stat().st_size
    assert size < 4096


@pytest.mark.parametrize('variant', [
    Variant('cnn', 'wgan_gp', 'C'), Variant('cnn', 'batch', 'B'), Variant('cnn', 'orthonormal', 'C')],
    ids=lambda variant: variant.name)
def test_interrupted_is_as_if_never_stopped(tmp_path, variant):
    whole = train(tmp_path / 'whole', variant, iteration=5)
    pieces = train(tmp_path / 'pieces', variant, iteration=5, stop_at=(2, 1))
    assert without_times(pieces) == without_times(whole)
    samples = [(tmp_path / name / 'samples' / f'{variant.name}-seed0.png').read_bytes() for name in ('whole', 'pieces')]
    assert samples[0] == samples[1]


def test_stopped_before_the_first_iteration(tmp_path):
    """There is nothing to keep yet, and nothing that would keep it from starting."""
    folder = write_job(Results(tmp_path), tiny(Variant('cnn', 'none', 'B')))
    assert run_cell(folder, -1, lambda: True) is None
    assert not list(folder.glob('snapshot_iter_*'))
    assert run_cell(folder, -1)['status'] == 'finished'


def test_in_the_middle_of_a_logged_interval(tmp_path):
    """Losses are means over the interval, of which a part was before the stop."""
    whole = train(tmp_path / 'whole', Variant('cnn', 'none', 'B'), iteration=40)
    pieces = train(tmp_path / 'pieces', Variant('cnn', 'none', 'B'), iteration=40, stop_at=(5,))
    assert whole['log']['iteration'][:4] == [1, 2, 4, 6]
    assert without_times(pieces) == without_times(whole)


def test_seeds_differ(finished, tmp_path):
    _, record = finished
    other = train(tmp_path, Variant('cnn', 'spectral', 'C'), seed=1)
    assert other['name'] == 'cnn-spectral-C-seed1'
    assert other['scores'] != record['scores'] and other['log'] != record['log']


def test_diverged(tmp_path):
    record = train(tmp_path, Variant('cnn', 'none', 'C', (('alpha', 1e30),)), iteration=8)
    assert record['status'].startswith('diverged: ') and ' is not finite at iteration ' in record['status']
    assert record['iterations_done'] < 8 and record['scores'] == {} and record['squared_singular_values'] == {}
    stored = json.loads((tmp_path / 'records' / f'{record["name"]}.json').read_text())
    assert stored['status'] == record['status']


def test_diverged_from_the_first_iteration(tmp_path, monkeypatch):
    def broken(dis_fake, dis_real):
        return losses.loss_dcgan_dis(dis_fake, dis_real) * np.float32(np.nan)
    monkeypatch.setitem(losses.LOSSES, 'dcgan', (broken, losses.loss_dcgan_gen))
    record = train(tmp_path, Variant('cnn', 'spectral', 'C'))
    assert record['status'] == 'diverged: loss_dis is not finite at iteration 1'
    assert record['iterations_done'] == 1 and record['log'] == {} and record['curve'] == {}


def test_crash(tmp_path, monkeypatch):
    folder = write_job(Results(tmp_path), tiny(Variant('cnn', 'spectral', 'C')), threads=1)
    (folder / 'snapshot_iter_3').touch()
    record = record_crash(folder, 'MemoryError: no more')
    assert record['status'] == 'crashed: MemoryError: no more' and record['iterations_done'] == 3


def test_only_the_newest_snapshot_stays(tmp_path, monkeypatch):
    seen = []
    save = SaveSnapshots.__call__

    def spy(self, trainer):
        save(self, trainer)
        seen.append(sorted(path.name for path in Path(trainer.out).glob('snapshot_iter_*')))
    monkeypatch.setattr(SaveSnapshots, '__call__', spy)
    train(tmp_path, Variant('cnn', 'none', 'B'))
    assert seen == [[f'snapshot_iter_{k}'] for k in (1, 2, 3, 4)]


def test_seconds_per_100_updates():
    """The median, and only of intervals without scores."""
    times = [(10, 1., False), (20, 3., False), (30, 9., True), (40, 11., False), (50, 14., False)]
    log = [{'iteration': i, 'elapsed_time': t, **({'digits_fid': 1.} if scored else {})} for i, t, scored in times]
    assert seconds_per_100_updates(log, 'digits_') == 20.
    assert seconds_per_100_updates(log[:1], 'digits_') is None


@pytest.mark.slow
def test_cell_config_trains_by_itself(tmp_path):
    """`python train.py --config cell.yml` is the same run."""
    import train as command
    from tests.narrow import run
    folder = write_job(Results(tmp_path), tiny(Variant('cnn', 'weight', 'C'), iteration=2))
    assert run(command.main, '--config', os.path.join(folder, 'cell.yml'), '--results_dir', tmp_path / 'out',
               '--gpu', -1) == 0
    mine = run_cell(folder, -1)
    log = json.loads((tmp_path / 'out' / 'log.json').read_text())
    assert [entry['loss_dis'] for entry in log] == mine['log']['loss_dis']
    assert log[-1]['digits_fid'] == mine['scores']['fid']
