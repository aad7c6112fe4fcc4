import shutil

from source.report.run import read_run, read_runs
from tests.report.made_run import with_log

import pytest
import yaml


@pytest.fixture
def run(made):
    return read_run(made)


def test_images_per_second_leave_scoring_out(run):
    """Two seconds an iteration of 3 × 10 images; entries 2 and 4 were scored."""
    run.config['batchsize'], run.config['updater']['args']['n_dis'] = 10, 3
    assert run.images_per_second() == [(3, 15.)]


def test_iterations_made_are_not_lines_of_the_log(run):
    run.log = [{**entry, 'iteration': 100 * entry['iteration']} for entry in run.log]
    assert run.n_done == 400


def test_series_leave_out_what_is_not_finite(run):
    run = with_log(run, changes={1: {'loss_gen': float('inf')}, 2: {'loss_gen': None}})
    assert run.series('loss_gen') == [(1, 1.), (4, .25)]
    assert run.series('none') == []


@pytest.mark.parametrize('n_entries, expected', [
    (1, [(0, 2e-4), (1, 2e-4)]), (3, [(0, 2e-4), (2, 2e-4), (3, 1e-4)]), (4, [(0, 2e-4), (2, 2e-4), (4, 0.)])])
def test_alpha(run, n_entries, expected):
    """As `test_training` finds that Adam's alpha goes: up to the decay's start the config's, then linearly to 0."""
    assert with_log(run, n_entries).alpha() == [(k, pytest.approx(a)) for k, a in expected]


def test_scores_of_averaged_weights_are_told_apart(run):
    run = with_log(run, changes={3: {'digits_ema_fid': 20., 'digits_ema_is_std': .1}})
    assert run.score_names() == {'is_mean': ['digits_is_mean'], 'fid': ['digits_fid', 'digits_ema_fid'],
                                 'recognized': ['digits_recognized']}


def test_snapshots_in_order(folder):
    for name in ('ResNetGenerator_10.npz', 'ResNetGenerator_ema_10.npz', 'ResNetGenerator_x.npz', 'Other_3.npz'):
        (folder / name).write_bytes(b'')
    run = read_run(folder)
    assert list(run.generators()) == [2, 4, 10] and list(run.generators(ema=True)) == [10]
    assert list(run.discriminators()) == [2, 4]


@pytest.mark.parametrize('log, expected', [
    ('{}', 'no list of entries'), ('[1]', 'no list of entries'), ('[{"iteration": 1', 'Expecting'),
    ('[{"iteration": "a"}]', "entry 0: iteration: expected a number, found 'a'"),
    ('[{"iteration": 1}, {"loss_gen": 1}]', 'entry 1: iteration: expected a number, found nothing'),
    ('[{"iteration": 1, "elapsed_time": null}]', 'entry 0: elapsed_time: expected a number, found nothing')])
def test_damaged_log(folder, log, expected):
    (folder / 'log.json').write_text(log)
    with pytest.raises(ValueError, match=f'log.json: expected a log of training, found something else .*{expected}'):
        read_run(folder)


def test_names_tell_runs_apart(made, folder):
    assert [run.name for run in read_runs([made, folder])] == [str(made), str(folder)]
    assert [run.name for run in read_runs([made])] == ['run']
    other = shutil.copytree(made, folder.parent / 'other')
    assert [run.name for run in read_runs([made, other])] == ['run', 'other']


@pytest.mark.parametrize('name', ['updater.args.n_dis', 'updater.args.ema', 'models.generator.args.n_classes'])
def test_counts_that_are_none_are_named(folder, name):
    config = yaml.safe_load((folder / 'config.yml').read_text())
    *parents, last = name.split('.')
    place = config
    for key in parents:
        place = place[key]
    place[last] = 'many'
    (folder / 'config.yml').write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match=f"config.yml: {name}: expected a number, found 'many'"):
        read_run(folder)
