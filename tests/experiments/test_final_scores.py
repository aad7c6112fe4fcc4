"""A finished cell and real images scored by a protocol, and how often a cell is scored and logged."""
from dataclasses import replace

from source.experiments import real_data, run_cell
from source.experiments.catalogue import Variant
from source.experiments.cell import Cell
from source.experiments.records import Results, read_record
from source.scoring.protocols import PROTOCOLS, Protocol
from tests.experiments.test_run_cell import tiny, train

import pytest

SMALL = Protocol('small', n_images=240, splits=3, n_compared=200, real='test', n_real=300)


def with_protocol(cell, **changes):
    return Cell(cell.variant, cell.seed, replace(cell.budget, protocol='small', **changes))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setitem(PROTOCOLS, 'small', SMALL)


def test_cell(tmp_path, monkeypatch):
    """By the protocol at the end; the curve, and all else, are as without."""
    plain = train(tmp_path / 'plain', Variant('cnn', 'none', 'B'))
    results = Results(tmp_path / 'small')
    record = run_cell.run_cell(run_cell.write_job(results, with_protocol(tiny(Variant('cnn', 'none', 'B')))), -1)
    assert record['protocol'] == '240 images in 3 splits, FID of the first 200 against 300 of 360 test images'
    assert record['budget'] == {**plain['budget'], 'protocol': 'small'}
    assert record['curve'] == plain['curve'] and record['scores'] != plain['scores']
    assert read_record(results.record(tiny(Variant('cnn', 'none', 'B'))))['scores'].keys() == plain['scores'].keys()


def test_real_data(tmp_path):
    """Those that samples are not compared with: training images, as the protocol's real ones are of the test set."""
    results = Results(tmp_path)
    cell = with_protocol(tiny(Variant('cnn', 'none', 'B')))
    real_data.prepare(results, cell.variant, cell.budget)
    record = read_record(results.record_of('real_data'))
    assert record['protocol'] == ('240 training images in 2 splits, FID of the first 200 against 300 of 360 test '
                                  'images')
    assert 1 < record['scores']['is_mean'] < 10 and record['scores']['fid'] > 0
    real_data.prepare(results, cell.variant, replace(cell.budget, protocol=None))
    record = read_record(results.record_of('real_data'))
    assert record['protocol'] == '100 held-out images in 1 splits, FID of all against 1437 training images'


def test_logged_iterations():
    logged = run_cell._Logged(300, 1000)
    assert [i for i in range(1, 1001) if logged(_At(i))] == [1, 2, 5, 10, 20, 50, 100, 200, 300, 600, 900, 1000]


class _At:
    def __init__(self, iteration):
        self.updater = self
        self.iteration = iteration


def test_scored_as_often_as_the_budget_says(tmp_path):
    from source.experiments.cell import write_cell_config
    from source.yaml_utils import load_config
    cell = tiny(Variant('cnn', 'none', 'B'), iteration=100)
    config = load_config(write_cell_config(tmp_path, Cell(cell.variant, 0, replace(cell.budget, n_scored=20))))
    assert (config['evaluation_interval'], config['snapshot_interval']) == (5, 5)
