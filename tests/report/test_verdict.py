from source.report.card import make_card
from source.report.material import Material
from source.report.page import make_page
from source.report.run import read_run
from source.report.verdict import checks_of
from tests.report.made_run import make_run, with_log

import pytest


@pytest.fixture
def run(made):
    return read_run(made)


def bad(run, spectra=None):
    return [check.text for check in checks_of(run, spectra) if not check.good]


def test_a_good_run(run):
    assert bad(run) == []
    texts = [check.text for check in checks_of(run)]
    assert texts[:2] == ['finished all 4 iterations', 'losses stayed finite']
    assert 'inception score 6 at the end, its best' in texts and 'FID 25 at the end, its best' in texts


@pytest.mark.parametrize('n_entries, log_changes, expected', [
    (2, None, 'made 2 of 4 iterations; go on with train.py --resume auto'),
    (4, {2: {'loss_dis': float('nan')}}, 'loss_dis is not finite from iteration 3 on: it diverged'),
    (4, {3: {'digits_fid': 60.}}, 'FID 60 at the end is worse than 50 at iteration 2: that snapshot may be the better'),
    (4, {3: {'digits_recognized': .1}}, 'the judge reads 10.0% of the samples as their class at the end: classes are'),
    (4, {3: {'digits_is_mean': 3.}}, 'inception score 3 at the end is worse than 4 at iteration 2')])
def test_what_to_look_at(run, n_entries, log_changes, expected):
    found = bad(with_log(run, n_entries, log_changes))
    assert len(found) == 1 and found[0].startswith(expected)


@pytest.mark.parametrize('n_entries, changes', [(3, {}), (2, {}), (4, {3: dict.fromkeys(
    ('digits_fid', 'digits_is_mean', 'digits_recognized'), float('nan'))})])
def test_a_last_score_that_is_not_of_the_end(run, n_entries, changes):
    """Interrupted after another iteration or before the run's last; at the end, but no number."""
    run = with_log(run, n_entries, {0: {'digits_fid': 50., 'digits_is_mean': 9.}, **changes})
    texts = [check.text for check in checks_of(run)]
    assert not any('at the end' in text for text in texts)
    assert {
        'inception score 4 at iteration 2 is worse than 9 at iteration 1: that snapshot may be the better one',
        'FID 50 at iteration 2, its best',
        'the judge reads 50.0% of the samples as their class at iteration 2'} <= set(texts)


def spectra(sigma, normalization='spectral'):
    return {'normalization': normalization, 'layers': {'c1': {'values': [sigma, .2]}, 'c2': {'values': [1., .1]}}}


def test_spectral_norms(run):
    assert bad(run, spectra(1.05)) == bad(run, spectra(7., 'none')) == []
    assert bad(run, spectra(1.2))[0].endswith('weights are not held at 1: the largest is 1.200')
    assert bad(run, spectra(None)) == ['a spectral norm is not finite']


def test_a_judge_of_other_data(tmp_path):
    """Digits' judge says nothing of photographs' classes, whatever an earlier log holds; card and verdict say so."""
    run = read_run(make_run(tmp_path / 'run', {'dataset': {
        'dataset_fn': 'datasets/photo_tiles.py', 'dataset_name': 'PhotoTilesDataset', 'args': {}}},
        log_changes={3: {'digits_recognized': 0.}}))
    assert 'recognized' not in run.score_names() and bad(run) == []
    assert not any('reads' in check.text for check in checks_of(run))
    card = make_card(run)
    assert 'Note: the judge digits knows zero to nine, which are not the classes of PhotoTilesDataset' in card
    assert [line for line in card.splitlines() if line.startswith('| FID')][0].endswith(
        'network digits (a foreign judge) |')
    page = make_page([run], [Material()], [], 'today')
    assert 'the judge digits knows zero to nine, which are not the classes of PhotoTilesDataset' in page
