"""What is read of a run, and said of it: verdict, summary and card."""
import json
import re
import shutil

from source.files.atomic import file_sha256
from source.report.card import NORM, kept_norm, make_card
from source.report.material import Material
from source.report.page import make_page
from source.report.run import distinct_ends, is_number, read_run, read_runs
from source.report.tables import table_section
from source.report.verdict import LargestNorm, checks_of, largest_norm
from tests.report.made_run import make_run, with_log

import pytest
import yaml


def texts(run):
    return [check.text for check in checks_of(run)]


def bad(run, norm=None):
    return [check.text for check in checks_of(run, norm) if not check.good]


def test_a_good_run(run):
    assert bad(run) == []
    assert texts(run)[:2] == ['finished all 4 iterations', 'losses stayed finite']
    assert {'inception score 6 at the end, its best', 'FID 25 at the end, its best'} <= set(texts(run))


@pytest.mark.parametrize('n_entries, log_changes, expected', [
    (2, None, 'made 2 of 4 iterations; to go on: python train.py --config {run}/config.yml --results_dir {run} '
     '--resume auto'),
    (4, {2: {'loss_dis': float('nan')}}, 'loss_dis is not finite from iteration 3 on: it diverged'),
    (4, {3: {'digits_fid': 60.}}, 'FID 60 at the end is worse than 50 at iteration 2: that snapshot may be the better'),
    (4, {3: {'digits_recognized': .1}}, 'the judge reads 10.0% of the samples as their class at the end: classes are'),
    (4, {3: {'digits_is_mean': 3.}}, 'inception score 3 at the end is worse than 4 at iteration 2')])
def test_what_to_look_at(run, n_entries, log_changes, expected):
    found, = bad(with_log(run, n_entries, log_changes))
    assert found.startswith(expected.format(run=run.path))


@pytest.mark.parametrize('n_entries, changes', [(3, {}), (2, {}), (4, {3: dict.fromkeys(
    ('digits_fid', 'digits_is_mean', 'digits_recognized'), float('nan'))})])
def test_a_last_score_that_is_not_of_the_end(run, n_entries, changes):
    """Interrupted after another iteration or before the run's last; at the end, but no number."""
    said = texts(with_log(run, n_entries, {0: {'digits_fid': 50., 'digits_is_mean': 9.}, **changes}))
    assert not any('at the end' in text for text in said)
    assert {'inception score 4 at iteration 2 is worse than 9 at iteration 1: that snapshot may be the better one',
            'FID 50 at iteration 2, its best',
            'the judge reads 50.0% of the samples as their class at iteration 2'} <= set(said)


def test_spectral_norms(run):
    def norm(sigma, normalization='spectral', iteration=4):
        return largest_norm({'normalization': normalization, 'layers': {
            'c1': {'values': [sigma, .2]}, 'c2': {'values': [1., .1]}}}, iteration, 'ab')
    assert bad(run, norm(1.05)) == [] and norm(7., 'none') is None
    assert bad(run, norm(1.2))[0].endswith('weights are not held at 1: the largest is 1.200 at the end')
    assert bad(run, norm(1.2, iteration=2))[0].endswith('the largest is 1.200 at iteration 2')
    assert bad(run, norm(None)) == ['a spectral norm is not finite at the end']


@pytest.mark.parametrize('value', [1.00312, 1e-07, 3.2e+20, 12., None])
def test_the_norm_that_a_card_keeps(folder, value):
    """Read as it was written; not where the last discriminator is another, by iteration or by content."""
    run, last = read_run(folder), folder / 'SNResNetProjectionDiscriminator_4.npz'
    norm = LargestNorm(value, 4, file_sha256(last))
    (folder / 'card.md').write_text(make_card(run, norm))
    assert kept_norm(run) == (norm, None)
    assert make_card(run, kept_norm(run)[0]) == make_card(run, norm) != make_card(run)
    later = folder / 'SNResNetProjectionDiscriminator_16.npz'
    shutil.copy(last, later)
    found, why = kept_norm(run)
    assert found is None and f'that in {folder}/card.md is not known to be of the last discriminator' in why
    later.unlink()
    last.write_bytes(last.read_bytes() + b'x')
    assert kept_norm(run) == (None, why)
    last.unlink()
    (folder / 'SNResNetProjectionDiscriminator_2.npz').unlink()
    assert kept_norm(run) == (None, why)


def test_a_card_without_a_norm(folder):
    """None, a damaged one, one without the check: nothing to tell. One of an earlier version does not say of what."""
    run, card = read_run(folder), folder / 'card.md'
    assert kept_norm(run) == (None, None)
    for content in (b'\xff\xfe', make_card(run).encode(), b'<!-- largest spectral norm'):
        card.write_bytes(content)
        assert kept_norm(run) == (None, None)
    card.write_text('- spectral norms of the normalized weights are held at 1: the largest is 1.003\n')
    assert kept_norm(run)[1]
    digest = file_sha256(folder / 'SNResNetProjectionDiscriminator_4.npz')
    for value in ('nan', '1e9999', '<b>', '1' * 400):
        card.write_text(NORM.format(value=value, iteration=4, sha256=digest))
        assert kept_norm(run) == (None, None)


def test_a_judge_of_other_data(tmp_path):
    """Digits' judge says nothing of photographs' classes, whatever an earlier log holds; card and verdict say so."""
    run = read_run(make_run(tmp_path / 'run', {'dataset': {
        'dataset_fn': 'datasets/photo_tiles.py', 'dataset_name': 'PhotoTilesDataset', 'args': {}}},
        log_changes={3: {'digits_recognized': 0.}}))
    assert 'recognized' not in run.score_names() and bad(run) == []
    assert not any('reads' in text for text in texts(run))
    card, why = make_card(run), 'the judge digits knows zero to nine, which are not the classes of PhotoTilesDataset'
    assert f'Note: {why}' in card and why in make_page([run], [Material()], [], 'today')
    line, = [line for line in card.splitlines() if line.startswith('| FID')]
    assert line.endswith('network digits (a foreign judge) |')


def test_scores_of_an_earlier_iteration_and_of_a_single_split_in_the_summary(run):
    """Logs of earlier versions give the latter a standard deviation of 0."""
    def cell(run, row):
        return re.search(rf'<th scope="row">{row}</th><td>(.*?)</td>', table_section([run])).group(1)
    for n_entries, expected in ((4, '25'), (3, '50 (at iteration 2)'), (2, '50')):
        assert cell(with_log(run, n_entries), 'FID') == expected
    assert cell(run, 'inception score') == '6 ± 0.1'
    run.config['evaluation']['splits'] = 1
    assert cell(run, 'inception score') == '6'
    assert 'on 24 samples in 1 split, FID' in table_section([run])


def test_card(tmp_path):
    folder = make_run(tmp_path / 'my run', {'updater.args.ema': .99})
    (folder / 'ResNetGenerator_ema_4.npz').touch()
    card = make_card(read_run(folder))
    for text in ('# my run', 'images of 10 classes', '`ResNetGenerator_4.npz`, `ResNetGenerator_ema_4.npz`, `SNRes',
                 '`DigitsDataset`', 'size 8',
                 '4 of 4 generator updates in 8 s, 2 discriminator updates each; a batch is of '
                 '4 real and 4 generated images in each process; loss hinge',
                 'alpha 0.0002, beta1', 'alpha falls linearly to 0 from iteration 2 on', 'decay 0.99', 'Seed: 5',
                 '| FID | 25 | 4 | 24 samples in 3 splits', '## Limits', 'is not the Inception network'):
        assert text in card, text
    assert '| epoch' not in card
    card = make_card(read_run(make_run(tmp_path / 'run', {'evaluation.network': None}, iterations=0)))
    for text in 'None was computed.', '**Look at this:** made 0 of 4 iterations', 'Files: none yet':
        assert text in card, text


def test_card_with_records_of_other_commands(folder):
    (folder / 'kid.json').write_text(json.dumps({
        'samples': 'results/G_4.npz', 'protocol': 'modern', 'feature_network': 'digits', 'seed': 3, 'kid_mean': .5,
        'fid': None, 'precision': 'high', 'n_images': 7000}))
    (folder / 'ms_ssim.json').write_text(json.dumps({
        'samples': 'x', 'protocol': '5 pairs', 'feature_network': None, 'seed': None, 'ms_ssim': .25}))
    card = make_card(read_run(folder)).splitlines()
    assert [line for line in card if 'kid.json' in line] == [
        '| KID | 0.5 | `kid.json` | modern; 7,000 images of `G_4.npz`; network digits; seed 3 |']
    assert '| MS-SSIM within classes (lower: more varied) | 0.25 | `ms_ssim.json` | 5 pairs; `x` |' in card


def test_series_and_speed(run):
    """Without what is not finite and, of entries 2 and 4, scoring: two seconds an iteration of 3 × 10 images."""
    run.config['batchsize'], run.config['updater']['args']['n_dis'] = 10, 3
    assert run.images_per_second() == [(3, 15.)]
    run.config['earlier_batches'] = {2: 'others'}
    assert run.images_per_second() == [(3, 15.)]
    run.config['earlier_batches'] = {'x': 'hostile', 3: 'others'}
    assert run.images_per_second() == []  # of which the batch is not this one
    run.config['earlier_batches'] = {}
    changed = with_log(run, changes={1: {'loss_gen': float('inf')}, 2: {'loss_gen': None}, 3: {'iteration': 400}})
    assert changed.series('loss_gen') == [(1, 1.), (400, .25)]
    assert changed.series('none') == [] and changed.n_done == 400
    assert not any(map(is_number, (10 ** 400, 1e308, float('nan'), -float('inf'), True, '1'))) and is_number(-2)


def test_alpha(run):
    """As `test_training` finds that Adam's alpha goes: up to the decay's start the config's, then linearly to 0."""
    for n_entries, expected in ((1, {1: 2e-4}), (3, {2: 2e-4, 3: 1e-4}), (4, {2: 2e-4, 4: 0})):
        run.config['adam']['alpha_dis'] = None
        assert {name: dict(points) for name, points in with_log(run, n_entries).alpha().items()} == {
            'α': pytest.approx({0: 2e-4, **expected})}
        run.config['adam']['alpha_dis'] = 1e-3
        assert {name: dict(points) for name, points in with_log(run, n_entries).alpha().items()} == {
            'α, generator': pytest.approx({0: 2e-4, **expected}),
            'α, discriminator': pytest.approx({0: 1e-3, **{i: 5 * alpha for i, alpha in expected.items()}})}


def test_scores_of_averaged_weights_are_told_apart(run):
    run = with_log(run, changes={3: {'digits_ema_fid': 20., 'digits_ema_is_std': .1}})
    assert run.score_names() == {'is_mean': ['digits_is_mean'], 'fid': ['digits_fid', 'digits_ema_fid'],
                                 'recognized': ['digits_recognized']}


@pytest.mark.parametrize('log, expected', [
    ('{}', 'no list of entries'), ('[1]', 'no list of entries'), ('[{"iteration": 1', 'Expecting'),
    ('[{"iteration": "a"}]', "entry 0: iteration: expected a number, found 'a'"),
    ('[{"iteration": 1}, {"loss_gen": 1}]', 'entry 1: iteration: expected a number, found nothing'),
    ('[{"iteration": 1, "elapsed_time": null}]', 'entry 0: elapsed_time: expected a number, found nothing')])
def test_damaged_log(folder, log, expected):
    (folder / 'log.json').write_text(log)
    with pytest.raises(ValueError, match=f'log.json: expected a log of training, found something else .*{expected}'):
        read_run(folder)


def test_names_tell_runs_apart(made, tmp_path, monkeypatch):
    """By the shortest ends of their paths, however these are given; the card's title stays the folder's name."""
    for name in ('a/x/digits', 'b/x/digits', 'b/digits', 'other', 'c\nd'):
        shutil.copytree(made, tmp_path / name)
    (tmp_path / 'link').symlink_to('b')
    monkeypatch.chdir(tmp_path / 'b' / 'digits')
    for folders, names in (
            (['../../other/', '.'], ['other', 'digits']), (['.', '../x/digits/'], ['b/digits', 'x/digits']),
            (['../../a/x/digits', '../x/digits', '../../other'], ['a/x/digits', 'b/x/digits', 'other']),
            (['../../link/digits', '../../link/x/../x/digits', '../../a/x/digits'],
             ['b/digits', 'b/x/digits', 'a/x/digits']), (['../../c\nd'], [r'c\nd'])):
        runs = read_runs(folders)
        assert [run.name for run in runs] == names
        assert [make_card(run).splitlines()[0] for run in runs] == [f'# {name.split("/")[-1]}' for name in names]
    for second, also in (('.', ''), ('../digits/', ', also as .'), ('../../link/digits', ', also as .')):
        with pytest.raises(ValueError, match=re.escape(f'{second.rstrip("/")}: given more than once{also}') + '$'):
            read_runs(['.', '../../other', second])


def test_ends_that_tell_apart():
    for lists, ends in (([('/', 'a')], [('a',)]), ([('/', 'd'), ('/', 'a', 'd')], [('/', 'd'), ('a', 'd')]),
                        ([('/', 'x', 'd'), ('/', 'y', 'x', 'd'), ('/', 'z', 'd')],
                         [('/', 'x', 'd'), ('y', 'x', 'd'), ('z', 'd')])):
        assert distinct_ends(lists) == ends


@pytest.mark.parametrize('name', ['updater.args.n_dis', 'updater.args.ema', 'models.generator.args.n_classes'])
def test_counts_that_are_none_are_named(folder, name):
    config = place = yaml.safe_load((folder / 'config.yml').read_text())
    *parents, last = name.split('.')
    for key in parents:
        place = place[key]
    place[last] = 'many'
    (folder / 'config.yml').write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match=f"config.yml: {name}: expected a number, found 'many'"):
        read_run(folder)
