"""The commands that share score_command: calc_scores, calc_fid, calc_kid, and calc_inception's protocols."""
from types import SimpleNamespace

from evaluations import calc_fid, calc_inception, calc_kid, calc_ref_stats, calc_scores, gen_images, score_command
from source.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from source.scoring.protocols import PROTOCOLS
from source.scoring.statistics_cache import cache_folder
from source.scoring.statistics_files import ReferenceStatistics, save_statistics
from tests.evaluations import scored_snapshot
from tests.evaluations.scored_snapshot import EVALUATION, record_in, record_of, refused, samples, write_images
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import run, write_config

import numpy as np
import pytest

TRAIN, TEST = DigitsDataset(size=8).ims, DigitsDataset('test', size=8).ims


class OtherNetwork(FakeFeatureNetwork):
    name, digest = 'other', 'd1'

    def __init__(self, device=-1, weights=None):
        if weights == 'none.h5':
            raise ValueError('none.h5: wrong')
        self.digest = self.digest if weights is None else f'of {weights}'


def failing_network(device=-1):
    raise ValueError('own: wrong')


@pytest.fixture(autouse=True)
def _small(fake_judge, monkeypatch):
    monkeypatch.setitem(NETWORKS, 'other', OtherNetwork)
    monkeypatch.setitem(NETWORKS, 'failing', failing_network)
    for name, protocol in scored_snapshot.SMALL_PROTOCOLS.items():
        monkeypatch.setitem(PROTOCOLS, name, protocol)


def feats(ims):
    return FakeFeatureNetwork()(ims)[0]


def fid(ims0, ims1):
    left, right = (FeatureStatistics().update(feats(ims)) for ims in (ims0, ims1))
    return frechet_distance(left.mean, left.cov, right.mean, right.cov)


def expected_scores(fake, real, splits, compared=None):
    fake_feats, real_feats = feats(fake[:compared]), feats(real)
    size = min(1000, len(fake_feats), len(real_feats))
    scores = {'fid': fid(fake[:compared], real)}
    scores['is_mean'], scores['is_std'] = inception_score(FakeFeatureNetwork()(fake)[1], splits)
    scores['kid_mean'], scores['kid_std'] = kernel_inception_distance(real_feats, fake_feats, 100, size)
    scores['precision'], scores['recall'] = precision_recall(real_feats, fake_feats)
    return scores


def assert_scores(record, expected):
    assert {name: record[name] for name in expected} == {k: pytest.approx(v, rel=1e-6) for k, v in expected.items()}


def test_all_scores_of_one_pass(snapshot, tmp_path, capsys):
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot)
    ims, y = samples(snapshot, 24)
    recognized = (FakeFeatureNetwork()(ims)[1].argmax(axis=1) == y).mean()
    assert_scores(record, {**expected_scores(ims, TRAIN, 3), 'recognized': recognized})
    assert {k: record[k] for k in ('samples', 'protocol', 'n_images', 'splits', 'n_compared', 'n_real', 'reference',
                                   'feature_network', 'network_sha256', 'seed', 'paper_row', 'kid_subset_size')} == {
        'samples': str(snapshot), 'protocol': 'config', 'n_images': 24, 'splits': 3, 'n_compared': 24, 'n_real': 1437,
        'reference': '1437 training images', 'feature_network': 'digits', 'network_sha256': 'none', 'seed': 1234,
        'paper_row': 'cifar10_cnn_sn', 'kid_subset_size': 24}
    assert 'numpy' in record['versions']
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert len(lines) == 9  # eight scores, recognized among them, and what they are of
    assert all(line.endswith('  (protocol config)') for line in lines[:-1])
    assert f'digits fid: {record["fid"]:.4f}  ' in out and f'digits kid_mean: {record["kid_mean"]:.6f}  ' in out
    assert '24 images' in lines[-1] and '3 splits' in lines[-1] and 'KID of subsets of 24' in lines[-1]
    assert 'nception' not in out  # scores under another network are never called that


def test_scores_of_one_seed_are_equal_to_the_last_digit(snapshot, tmp_path):
    """By each command; and of the images that gen_images stores, of which folders sort them by class.

    The record of their order makes the scores, and the share recognized, the same.
    """
    of_snapshot = ['--snapshot', snapshot, '--seed', 5]
    expected = record_of(calc_scores.main, tmp_path / 'all_scores.json', *of_snapshot)
    for main, kind, names in ((calc_inception.main, 'scores', {'is_mean', 'is_std', 'fid', 'recognized'}),
                              (calc_fid.main, 'fid', {'fid'}), (calc_kid.main, 'kid', {'kid_mean', 'kid_std'})):
        found = record_of(main, tmp_path / f'{kind}.json', *of_snapshot)
        assert {'is_mean', 'fid', 'kid_mean', 'precision', 'recognized'} & set(found) == names - {'is_std', 'kid_std'}
        assert [found[name] for name in names] == [expected[name] for name in names]
    for npz, stored in (([], 'images'), (['--npz'], 'samples.npz')):
        assert run(gen_images.main, '--gpu', -1, '--results_dir', tmp_path, *of_snapshot, '--n', 24, *npz) == 0
        found = record_of(calc_scores.main, tmp_path / 'of_images' / 'all_scores.json', '--images', tmp_path / stored,
                          '--config', snapshot.parent / 'config.yml')
        for name in ('is_mean', 'is_std', 'fid', 'kid_mean', 'kid_std', 'precision', 'recall', 'recognized'):
            assert found[name] == expected[name], (stored, name)
        assert (found['order'], found['seed']) == ('as generated', None)


def test_paper_protocol(snapshot, tmp_path, capsys):
    """All for the inception score, the first of them against as many test images as there are; FID needs no others.

    Which real images the paper's were it does not say: with others it stays its protocol, and the choice is told.
    """
    arguments = ['--snapshot', snapshot, '--protocol', 'paper']
    record = record_of(calc_scores.main, tmp_path / 'all_scores_paper.json', *arguments)
    chosen = TEST[np.sort(np.random.RandomState(0).permutation(360)[:200])]
    assert_scores(record, expected_scores(samples(snapshot, 30)[0], chosen, 3, 12))
    assert (record['protocol'], record['n_images'], record['n_compared'], record['n_real'], record['real']) == (
        'paper', 30, 12, 200, 'test')
    out = capsys.readouterr().out
    assert out.count('(protocol paper)') == 8
    assert 'the first 12 against 200 of 360 test images' in out
    record = record_of(calc_fid.main, tmp_path / 'fid_paper.json', *arguments)
    assert (record['n_images'], record['n_compared']) == (12, 12)
    assert record['fid'] == pytest.approx(fid(samples(snapshot, 12)[0], chosen), rel=1e-6)
    record = record_of(calc_fid.main, tmp_path / 'fid_paper.json', *arguments, '--real', 'train')
    assert (record['protocol'], record['real'], record['reference']) == (
        'paper', 'train', '200 of 1437 training images')


@pytest.mark.parametrize('split, real, name, said', [
    ('train', TRAIN, 'modern', 'against 1437 training images'),
    ('test', TEST, 'modern, test images', 'against 360 test images')])
def test_modern_protocol(snapshot, tmp_path, capsys, split, real, name, said):
    record = record_of(calc_inception.main, tmp_path / 'scores_modern.json', '--snapshot', snapshot,
                       '--protocol', 'modern', '--real', split)
    expected = expected_scores(samples(snapshot, 40)[0], real, 4)
    assert_scores(record, {name: expected[name] for name in ('is_mean', 'is_std', 'fid')})
    assert record['protocol'] == name
    out = capsys.readouterr().out
    assert said in out and f'(protocol {name})' in out


def test_subsets_of_kid(snapshot, tmp_path):
    record = record_of(calc_kid.main, tmp_path / 'kid.json', '--snapshot', snapshot, '--kid_subset_size', 9,
                       '--kid_subsets', 7)
    expected = kernel_inception_distance(feats(TRAIN), feats(samples(snapshot, 24)[0]), 7, 9)
    assert (record['kid_mean'], record['kid_std']) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('arguments, said', [
    (['--kid_subsets', 2, '--kid_subset_size', 1437], 'KID of one set of all 1437 images: no std'),
    (['--kid_subsets', 1, '--kid_subset_size', 9], 'KID of one subset of 9: no std')])
def test_no_std_of_one_value(snapshot, tmp_path, capsys, arguments, said):
    """It is not 0 but not known: said in a line, and no key of the record."""
    np.savez(tmp_path / 'a.npz', ims=TRAIN)
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--images', tmp_path / 'a.npz', '--config',
                       snapshot.parent / 'config.yml', '--metrics', 'is', 'kid', '--splits', 1, *arguments)
    assert {'is_mean', 'kid_mean'} <= set(record) and {'is_std', 'kid_std'}.isdisjoint(record)
    *scores, summary = capsys.readouterr().out.splitlines()
    assert len(scores) == 2 and not any('std' in line for line in scores)
    assert '1 split: no std' in summary and said in summary


RECALL = 'expected at least 4 images, found '


@pytest.mark.parametrize('n, left_out', [
    (4, {}), (3, {'pr': RECALL + '3'}),
    (2, {'is': 'expected at least as many images as splits (3), found 2', 'pr': RECALL + '2'})])
def test_so_few_images_leave_out_what_needs_more(snapshot, tmp_path, capsys, n, left_out):
    """Of stored images and of samples; each is named, and the others are there."""
    np.savez(tmp_path / 'a.npz', ims=samples(snapshot, n)[0])
    config = snapshot.parent / 'config.yml'
    for arguments in (['--snapshot', snapshot, '--n_images', n], ['--images', tmp_path / 'a.npz', '--config', config]):
        record = record_of(calc_scores.main, tmp_path / 'all_scores.json', *arguments)
        assert record['left_out'] == left_out
        assert {'fid', 'kid_mean', 'kid_std'} <= set(record)
        assert ('is_mean' in record) == ('is' not in left_out) and ('recall' in record) == ('pr' not in left_out)
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith('left out')]
        names = {'is': 'inception score', 'pr': 'precision and recall'}
        assert told == [f'left out: {names[metric]}: {why}' for metric, why in left_out.items()]


@pytest.mark.parametrize('main, arguments, n_real, expected', [
    (calc_scores.main, ['--metrics', 'fid', 'pr', '--n_images', 3], 3, 'precision and recall: ' + RECALL + '3'),
    (calc_scores.main, ['--metrics', 'pr'], 3, 'precision and recall: expected at least 4 real images, found 3'),
    (calc_kid.main, [], 1, 'KID: expected at least 2 real images, found 1'),
    (calc_fid.main, [], 1, 'FID: expected at least 2 real images, found 1'),
    *((main, ['--n_images', n, '--splits', splits], 3,
       f'expected --n_images of at least 2 and --splits from 1 to as many, found {n} and {splits}')
      for main, n, splits in ((calc_inception.main, 2, 3), (calc_inception.main, 1, 1), (calc_scores.main, 24, 0)))])
def test_what_is_asked_for_and_needs_more_images_is_refused(
        snapshot, tmp_path, capsys, monkeypatch, main, arguments, n_real, expected):
    """Before anything is computed."""
    monkeypatch.setattr(score_command, 'compute', lambda *_: 1 / 0)
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: SimpleNamespace(n=n_real))
    message = refused(main, tmp_path, capsys, '--snapshot', snapshot, '--results_dir', tmp_path / 'out', *arguments)
    assert message.startswith(expected)


def test_one_real_image_leaves_the_inception_score(snapshot, tmp_path, capsys, monkeypatch):
    """It alone, if it is asked for, needs none."""
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: SimpleNamespace(n=1))
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot)
    assert list(record['left_out']) == ['fid', 'kid', 'pr'] and record['is_mean'] > 1 and record['reference'] is None
    assert capsys.readouterr().err.count('expected at least') == 3
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: 1 / 0)
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot, '--metrics', 'is')
    assert record['reference'] is None and 'fid' not in record and record['is_mean'] > 1


def test_npz_and_folder_of_the_same_images(snapshot, tmp_path, monkeypatch, capsys):
    """In a drawn order or as stored; scores are written here if nothing else is said, and another order is told."""
    ims = samples(snapshot, 24)[0]
    write_images(tmp_path / 'ims', ims)
    (tmp_path / 'ims' / 'notes.txt').write_text('no image')
    np.savez(tmp_path / 'first.npz', ims=ims)
    np.savez(tmp_path / 'last.npz', mine=ims.transpose(0, 2, 3, 1), other=np.zeros(3))
    monkeypatch.chdir(tmp_path)
    drawn = np.random.RandomState(1234).permutation(24)
    for more, order, expected in ((['--keep_order'], ('as stored', None), expected_scores(ims, TRAIN, 3)),
                                  ([], ('drawn', 1234), expected_scores(ims[drawn], TRAIN, 3))):
        for name, key in (('first.npz', []), ('last.npz', ['--key', 'mine']), ('ims', [])):
            assert run(calc_scores.main, '--images', name, '--config', snapshot.parent / 'config.yml', '--gpu', -1,
                       *key, *more) == 0
            record = record_in(tmp_path / 'all_scores.json')
            assert_scores(record, expected)
            assert (record['order'], record['seed'], record['n_images']) == (*order, 24)
            assert 'recognized' not in record
        summary = capsys.readouterr().out.splitlines()[-1]
        assert ('in an order drawn with seed 1234' if order[1] else 'as stored') in summary
    np.savez(tmp_path / 'ims.npz', ims=ims)
    arguments = ['--images', 'ims.npz', '--config', snapshot.parent / 'config.yml', '--gpu', -1, '--metrics', 'is']
    assert run(calc_scores.main, *arguments) == run(calc_scores.main, *arguments, '--keep_order') == 0
    assert 'replaced, which was of seed 1234, order drawn' in capsys.readouterr().err


def test_reference_statistics_are_computed_once(snapshot, tmp_path, monkeypatch):
    counted = []

    class Counting(FakeFeatureNetwork):
        def __call__(self, ims):
            counted.append(len(ims))
            return super().__call__(ims)
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: Counting())
    for _ in range(2):
        record_of(calc_fid.main, tmp_path / 'fid.json', '--snapshot', snapshot)
    assert sum(counted) == 24 + 1437 + 24
    assert len(list(cache_folder().iterdir())) == 1


def test_reference_statistics_of_a_file(snapshot, tmp_path, capsys):
    """Ours, TTUR's and the authors' give the same distance, and what they do not say is said."""
    config = snapshot.parent / 'config.yml'
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--out', tmp_path / 'ours.npz') == 0
    with np.load(tmp_path / 'ours.npz') as arrays:
        mean, cov = arrays['mean'], arrays['cov']
    np.savez(tmp_path / 'ttur.npz', mu=mean, sigma=cov)
    np.savez(tmp_path / 'authors.npz', mean=mean, cov=cov)
    distances = []
    for name, said in (('ours', '1437 training images of DigitsDataset'),
                       ('ttur', "TTUR's format, which names no network: it is taken to be of digits"),
                       ('authors', "the authors' format, which names no network")):
        capsys.readouterr()
        record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot, '--ref_stats',
                           tmp_path / f'{name}.npz')
        assert {'is_mean', 'fid'} <= set(record) and 'kid_mean' not in record  # what needs features is left out
        assert record['left_out'] == dict.fromkeys(('kid', 'pr'), '--ref_stats holds no features')
        assert said in capsys.readouterr().out
        assert said in record['reference']
        distances.append(record['fid'])
    assert distances == [pytest.approx(fid(samples(snapshot, 24)[0], TRAIN), rel=1e-6)] * 3


def test_a_record_of_something_else_is_not_replaced_in_silence(snapshot, tmp_path, capsys):
    """Among it the network and the weights of the arguments."""
    for more, said, digest in (
            ([], '', 'none'), ([], '', 'none'),
            (['--network', 'other'], 'feature_network digits, network_sha256 none', 'd1'),
            (['--network', 'other', '--weights', 'w.h5'], 'network_sha256 d1', 'of w.h5'),
            (['--real', 'test'], 'feature_network other', 'none'),
            ([], 'protocol config, test images, real test', 'none'), (['--seed', 3], 'seed 1234', 'none')):
        capsys.readouterr()
        record = record_of(calc_fid.main, tmp_path / 'fid.json', '--snapshot', snapshot, *more)
        assert (record['feature_network'], record['network_sha256']) == (
            'other' if '--network' in more else 'digits', digest)
        told = [line for line in capsys.readouterr().err.splitlines() if 'replaced' in line]
        assert len(told) == bool(said)
        assert all(line.startswith(f'{tmp_path}/fid.json: replaced, which was of ') and said in line for line in told)


def test_fewer_samples_than_dimensions_are_warned_about(snapshot, tmp_path, capsys):
    record = record_of(calc_fid.main, tmp_path / 'fid.json', '--snapshot', snapshot, '--n_images', 5)
    assert np.isfinite(record['fid'])
    assert len(record['warnings']) == 1 and 'rank 4 of 8' in record['warnings'][0]
    assert capsys.readouterr().err.count('warning: the second covariance has rank 4 of 8') == 1


@pytest.mark.parametrize('main, arguments, expected', [
    (calc_scores.main, ['--protocol', 'paper', '--n_images', 5], '--n_images and --splits go without --protocol'),
    (calc_scores.main, ['--protocol', 'paper', '--splits', 5], '--n_images and --splits go without --protocol'),
    (calc_scores.main, ['--ref_stats', 'a.npz', '--real', 'test'], '--real goes without --ref_stats'),
    (calc_kid.main, ['--ref_stats', 'a.npz'], 'KID: --ref_stats holds no features'),
    (calc_scores.main, ['--ref_stats', 'a.npz', '--metrics', 'fid', 'pr'],
     'precision and recall: --ref_stats holds no features'),
    (calc_fid.main, ['--ref_stats', 'none.npz'], 'none.npz: no such file of statistics'),
    (calc_fid.main, ['--ref_stats', '{other}'], '{other}: expected statistics under digits (none), found other (d1)'),
    (calc_fid.main, ['--ref_stats', '{ttur}'], '{ttur}: expected statistics of 8 features, as digits makes, found 9'),
    (calc_kid.main, ['--kid_subset_size', 25], 'expected --kid_subsets of at least 1 and --kid_subset_size of 2 to 24'),
    (calc_kid.main, ['--kid_subset_size', 1], 'expected --kid_subsets of at least 1 and --kid_subset_size of 2 to 24'),
    (calc_kid.main, ['--kid_subsets', 0], 'expected --kid_subsets of at least 1'),
    (calc_fid.main, ['--protocol', 'moden'], "argument --protocol: invalid choice: 'moden'"),
    (calc_fid.main, ['--network', 'nothing'], "argument --network: invalid choice: 'nothing'"),
    (calc_fid.main, ['--network', 'other', '--weights', 'none.h5'], '--weights: none.h5: wrong'),
    (calc_fid.main, ['--network', 'failing'], '--network: own: wrong'),
    (calc_fid.main, ['--images', '{eleven}', '--protocol', 'paper'],
     '--images {eleven}: protocol paper needs 12 images, found 11'),
    (calc_fid.main, ['--images', '{eleven}', '--n_images', 5], '--n_images goes with --snapshot'),
    (calc_fid.main, ['--images', '{large}'], '--images {large}: expected 8x8 pixels as the real images, found 16x16'),
    (calc_fid.main, ['--images', '{floats}'], '{floats}: ims: expected uint8')])
def test_refused(snapshot, tmp_path, capsys, main, arguments, expected):
    names = {name: tmp_path / f'{name}.npz' for name in ('other', 'ttur', 'eleven', 'large', 'floats')}
    np.savez(names['eleven'], ims=np.zeros((11, 3, 8, 8), np.uint8))
    np.savez(names['large'], ims=np.zeros((11, 3, 16, 16), np.uint8))
    np.savez(names['floats'], ims=np.zeros((11, 3, 8, 8)))
    save_statistics(names['other'], ReferenceStatistics(np.zeros(8), np.eye(8), 9, 'other', 'd1', 'images'))
    np.savez(names['ttur'], mu=np.zeros(9), sigma=np.eye(9))
    arguments = [str(argument).format(**names) for argument in arguments]
    of = ['--config', snapshot.parent / 'config.yml'] if '--images' in arguments else ['--snapshot', snapshot]
    message = refused(main, tmp_path, capsys, *of, '--results_dir', tmp_path / 'out', *arguments)
    assert message.startswith(expected.format(**names))


def test_a_foreign_judge_is_said_beside_each_score(snapshot, tmp_path, capsys):
    """And nothing of class folders, which it does not know."""
    config = write_config(tmp_path, {**EVALUATION, 'dataset': {
        'dataset_fn': 'datasets/photo_tiles.py', 'dataset_name': 'PhotoTilesDataset', 'args': {'size': 8}}})
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot, '--config', config,
                       '--metrics', 'is', 'fid')
    out = capsys.readouterr().out
    why = 'the judge digits knows zero to nine, which are not the classes of PhotoTilesDataset'
    assert out.count('(protocol config; a foreign judge)') == 3 and f'note: {why}: these scores say' in out
    assert record['foreign_judge'] == why and 'recognized' not in record
    assert record['data'] == 'PhotoTilesDataset(size=8)'
    for c in ('china', 'other'):
        write_images(tmp_path / 'ims' / c, TEST[:12])
    record_of(calc_scores.main, tmp_path / 'all_scores.json', '--images', tmp_path / 'ims', '--config', config,
              '--metrics', 'is')
    assert 'left out' not in capsys.readouterr().err
