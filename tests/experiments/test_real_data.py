"""The row "Real data": images of the split that samples are not compared with, judged like samples."""
from source.config import build
from source.experiments import real_data
from source.experiments.budget import load_budget
from source.experiments.records import Results, read_record, write_record
from source.experiments.run_cell import run_cell, write_job
from tests.experiments.test_run_cell import SN, tiny

import chainer
import pytest


def test_held_out_images_are_judged(tmp_path, monkeypatch):
    """All 360 digits that are in no training set, once; README has their FID."""
    monkeypatch.setattr(chainer.global_config, 'precision', 'of another command')
    results, (budget, _) = Results(tmp_path / 'comparison'), load_budget('digits')
    real_data.prepare(results, SN, budget, gpu=-1)
    record = read_record(results.record_of('real_data'))
    assert record['protocol'] == '360 held-out images in 3 splits, FID of all against 1437 training images'
    assert record['scores']['fid'] == pytest.approx(71.5, abs=.1)
    assert chainer.global_config.precision == 'tf32'
    write_record(results.record_of('real_data'), {**record, 'network_sha256': 'of other weights', 'scores': {}})
    real_data.prepare(results, SN, budget, gpu=-1)
    assert read_record(results.record_of('real_data')) == record
    monkeypatch.setattr(real_data, 'judge', pytest.fail)
    real_data.prepare(results, SN, budget, gpu=-1)


def test_training_images_where_a_protocol_has_real_ones_of_the_test_set(small_protocol, tmp_path):
    for protocol, said in (
            ('small', '240 training images in 2 splits, FID of the first 200 against 300 of 360 test images'),
            (None, '100 held-out images in 1 splits, FID of all against 1437 training images')):
        real_data.prepare(Results(tmp_path), SN, load_budget('digits', n_images=100, splits=2, protocol=protocol)[0])
        record = read_record(Results(tmp_path).record_of('real_data'))
        assert record['protocol'] == said and 1 < record['scores']['is_mean'] < 10 and record['scores']['fid'] > 0


def test_data_set_without_test_set(tmp_path, monkeypatch):
    """As ImageNet; it has no row "Real data", and its cells are trained and scored all the same."""
    build_dataset = build.build_dataset
    monkeypatch.setattr(build, 'build_dataset', lambda *args, test=False: None if test else build_dataset(*args))
    cell, results = tiny(SN, iteration=1, splits=1), Results(tmp_path / 'comparison')
    real_data.prepare(results, SN, cell.budget, gpu=-1)
    assert results.samples('real_data').exists() and not (results.root / 'records').exists()
    record = run_cell(write_job(results, cell), -1)
    assert record['status'] == 'finished' and set(record['scores']) == {'is_mean', 'fid'}  # of one split: no std
    assert 'critic_loss_held_out' not in record['log']
