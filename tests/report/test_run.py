from source.report.run import read_run, read_runs
from tests.report.made_run import make_run

import pytest
import yaml


@pytest.fixture
def run(tmp_path):
    return read_run(make_run(tmp_path / 'run', {'batchsize': 10, 'updater.args.n_dis': 3}))


def test_images_per_second_leave_scoring_out(run):
    """Two seconds an iteration of 3 × 10 images; entries 2 and 4 were scored."""
    assert run.images_per_second() == [(3, 15.)]


def test_iterations_made_are_not_lines_of_the_log(run):
    run.log = [{**entry, 'iteration': 100 * entry['iteration']} for entry in run.log]
    assert run.n_done == 400


def test_series_leave_out_what_is_not_finite(tmp_path):
    run = read_run(make_run(tmp_path / 'run', log_changes={1: {'loss_gen': float('inf')}, 2: {'loss_gen': None}}))
    assert run.series('loss_gen') == [(1, 1.), (4, .25)]
    assert run.series('none') == []


@pytest.mark.parametrize('iterations, expected', [(1, [(0, 2e-4), (1, 2e-4)]),
                                                  (3, [(0, 2e-4), (2, 2e-4), (3, 1e-4)]),
                                                  (4, [(0, 2e-4), (2, 2e-4), (4, 0.)])])
def test_alpha(tmp_path, iterations, expected):
    """As `test_training` finds that Adam's alpha goes: up to the decay's start the config's, then linearly to 0."""
    found = read_run(make_run(tmp_path / 'run', iterations=iterations)).alpha()
    assert found == [(k, pytest.approx(a)) for k, a in expected]


def test_scores_of_averaged_weights_are_told_apart(tmp_path):
    run = read_run(make_run(tmp_path / 'run', log_changes={3: {'digits_ema_fid': 20., 'digits_ema_is_std': .1}}))
    assert run.score_names() == {'is_mean': ['digits_is_mean'], 'fid': ['digits_fid', 'digits_ema_fid'],
                                 'recognized': ['digits_recognized']}


def test_snapshots_in_order(tmp_path):
    folder = make_run(tmp_path / 'run')
    for name in ('ResNetGenerator_10.npz', 'ResNetGenerator_ema_10.npz', 'ResNetGenerator_x.npz', 'Other_3.npz'):
        (folder / name).write_bytes(b'')
    run = read_run(folder)
    assert list(run.generators()) == [2, 4, 10] and list(run.generators(ema=True)) == [10]
    assert list(run.discriminators()) == [2, 4]


@pytest.mark.parametrize('log, expected', [
    ('{}', 'no list of entries'), ('[1]', 'no list of entries'), ('null', 'no list'), ('[{"iteration": 1', 'Expecting'),
    ('[{"iteration": "a"}]', "entry 0: iteration: expected a number, found 'a'"),
    ('[{"iteration": 1}, {"loss_gen": 1}]', 'entry 1: iteration: expected a number, found nothing'),
    ('[{"iteration": 1, "elapsed_time": null}]', 'entry 0: elapsed_time: expected a number, found nothing')])
def test_damaged_log(tmp_path, log, expected):
    folder = make_run(tmp_path / 'run')
    (folder / 'log.json').write_text(log)
    with pytest.raises(ValueError, match=f'log.json: expected a log of training, found something else .*{expected}'):
        read_run(folder)


def test_names_tell_runs_apart(tmp_path):
    for parent in 'ab':
        (tmp_path / parent).mkdir()
    paths = [make_run(tmp_path / parent / 'run') for parent in 'ab']
    assert [run.name for run in read_runs(paths)] == [str(path) for path in paths]
    assert [run.name for run in read_runs(paths[:1])] == ['run']


@pytest.mark.parametrize('name', ['updater.args.n_dis', 'updater.args.ema', 'models.generator.args.n_classes'])
def test_counts_that_are_none_are_named(tmp_path, name):
    folder = make_run(tmp_path / 'run')
    config = yaml.safe_load((folder / 'config.yml').read_text())
    place = config
    for key in name.split('.')[:-1]:
        place = place[key]
    place[name.rpartition('.')[2]] = 'many'
    (folder / 'config.yml').write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match=f"config.yml: {name}: expected a number, found 'many'"):
        read_run(folder)
