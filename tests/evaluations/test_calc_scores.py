"""The commands that share score_command: calc_scores, calc_fid, calc_kid, and calc_inception's protocols."""
from types import SimpleNamespace

from evaluations import calc_fid, calc_inception, calc_kid, calc_ref_stats, calc_scores, score_command
from source.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.metrics.feature_statistics import FeatureStatistics
from source.metrics.frechet_distance import frechet_distance
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from source.scoring.protocols import PROTOCOLS
from source.scoring.statistics_cache import cache_folder
from tests.evaluations.scored_snapshot import EVALUATION, SMALL_PROTOCOLS, record_in, refused, samples, write_snapshot
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import run, write_config

import numpy as np
import pytest
from PIL import Image


class OtherNetwork(FakeFeatureNetwork):
    name, digest = 'other', 'd1'

    def __init__(self, device=-1, weights=None):
        self.digest = self.digest if weights is None else f'of {weights}'


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: FakeFeatureNetwork())
    monkeypatch.setitem(NETWORKS, 'other', OtherNetwork)
    for name, protocol in SMALL_PROTOCOLS.items():
        monkeypatch.setitem(PROTOCOLS, name, protocol)


@pytest.fixture(scope='module')
def snapshot(tmp_path_factory):
    return write_snapshot(tmp_path_factory.mktemp('results'), {'paper_row': 'cifar10_cnn_sn'})


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
    assert run(calc_scores.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path) == 0
    record = record_in(tmp_path / 'all_scores.json')
    assert_scores(record, expected_scores(samples(snapshot, 24)[0], DigitsDataset(size=8).ims, 3))
    assert {k: record[k] for k in ('samples', 'protocol', 'n_images', 'splits', 'n_compared', 'n_real', 'reference',
                                   'feature_network', 'network_sha256', 'seed', 'paper_row', 'kid_subset_size')} == {
        'samples': str(snapshot), 'protocol': 'config', 'n_images': 24, 'splits': 3, 'n_compared': 24, 'n_real': 1437,
        'reference': '1437 training images', 'feature_network': 'digits', 'network_sha256': 'none', 'seed': 1234,
        'paper_row': 'cifar10_cnn_sn', 'kid_subset_size': 24}
    assert 'numpy' in record['versions']
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9  # eight scores, recognized among them, and what they are of
    assert all(line.endswith('  (protocol config)') for line in lines[:-1])


def test_paper_protocol(snapshot, tmp_path, capsys):
    """All for the inception score, the first of them against as many test images as there are."""
    assert run(calc_scores.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path,
               '--protocol', 'paper') == 0
    record = record_in(tmp_path / 'all_scores_paper.json')
    test = DigitsDataset('test', size=8).ims
    chosen = np.sort(np.random.RandomState(0).permutation(360)[:200])
    assert_scores(record, expected_scores(samples(snapshot, 30)[0], test[chosen], 3, 12))
    assert (record['protocol'], record['n_images'], record['n_compared'], record['n_real'], record['real']) == (
        'paper', 30, 12, 200, 'test')
    out = capsys.readouterr().out
    assert out.count('(protocol paper)') == 8
    assert 'the first 12 against 200 of 360 test images' in out


@pytest.mark.parametrize('arguments, real, name, said', [
    (['--real', 'train'], DigitsDataset(size=8).ims, 'modern', 'against 1437 training images'),
    ([], DigitsDataset(size=8).ims, 'modern', 'against 1437 training images'),
    (['--real', 'test'], DigitsDataset('test', 8).ims, 'modern, test images', 'against 360 test images')])
def test_modern_protocol(snapshot, tmp_path, capsys, arguments, real, name, said):
    assert run(calc_inception.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path,
               '--protocol', 'modern', *arguments) == 0
    record = record_in(tmp_path / 'scores_modern.json')
    expected = expected_scores(samples(snapshot, 40)[0], real, 4)
    assert_scores(record, {name: expected[name] for name in ('is_mean', 'is_std', 'fid')})
    assert 'kid_mean' not in record
    assert record['protocol'] == name
    out = capsys.readouterr().out
    assert said in out and f'(protocol {name})' in out


def test_paper_protocol_with_training_images(snapshot, tmp_path):
    """The paper does not say which: it stays its protocol, and the choice is told."""
    assert run(calc_fid.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, '--protocol', 'paper',
               '--real', 'train') == 0
    record = record_in(tmp_path / 'fid_paper.json')
    assert (record['protocol'], record['real'], record['reference']) == (
        'paper', 'train', '200 of 1437 training images')


def test_fid_alone_needs_no_more_samples(snapshot, tmp_path):
    arguments = ['--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path]
    assert run(calc_fid.main, *arguments, '--protocol', 'paper') == 0
    record = record_in(tmp_path / 'fid_paper.json')
    assert (record['n_images'], record['n_compared']) == (12, 12)
    assert 'is_mean' not in record
    chosen = np.sort(np.random.RandomState(0).permutation(360)[:200])
    assert record['fid'] == pytest.approx(fid(samples(snapshot, 12)[0], DigitsDataset('test', 8).ims[chosen]), rel=1e-6)


def test_kid_alone(snapshot, tmp_path):
    assert run(calc_kid.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, '--kid_subset_size', 9,
               '--kid_subsets', 7) == 0
    record = record_in(tmp_path / 'kid.json')
    expected = kernel_inception_distance(feats(DigitsDataset(size=8).ims), feats(samples(snapshot, 24)[0]), 7, 9)
    assert (record['kid_mean'], record['kid_std']) == pytest.approx(expected, rel=1e-6)
    assert {'fid', 'is_mean', 'precision'}.isdisjoint(record)


@pytest.mark.parametrize('arguments, said', [
    (['--kid_subsets', 2, '--kid_subset_size', 1437], 'KID of one set of all 1437 images: no std'),
    (['--kid_subsets', 1, '--kid_subset_size', 9], 'KID of one subset of 9: no std')])
def test_no_std_of_one_value(snapshot, tmp_path, capsys, arguments, said):
    """It is not 0 but not known: said in a line, and no key of the record."""
    np.savez(tmp_path / 'a.npz', ims=DigitsDataset(size=8).ims)
    config = snapshot.parent / 'config.yml'
    assert run(calc_scores.main, '--images', tmp_path / 'a.npz', '--config', config, '--gpu', -1, '--results_dir',
               tmp_path, '--metrics', 'is', 'kid', '--splits', 1, *arguments) == 0
    record = record_in(tmp_path / 'all_scores.json')
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
        assert run(calc_scores.main, *arguments, '--gpu', -1, '--results_dir', tmp_path) == 0
        record = record_in(tmp_path / 'all_scores.json')
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
    (calc_inception.main, ['--n_images', 2, '--splits', 3], 3, 'expected --n_images of at least 2 and --splits from 1 '
     'to as many, found 2 and 3'),
    (calc_scores.main, ['--n_images', 2, '--splits', 4], 3, 'expected --n_images of at least 2 and --splits from 1')])
def test_what_is_asked_for_and_needs_more_images_is_refused(
        snapshot, tmp_path, capsys, monkeypatch, main, arguments, n_real, expected):
    """In one line, before anything is computed."""
    monkeypatch.setattr(score_command, 'compute', lambda *_: 1 / 0)
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: SimpleNamespace(n=n_real))
    assert run(main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path / 'out', *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'command: error: {expected}') and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_one_real_image_leaves_the_inception_score(snapshot, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: SimpleNamespace(n=1))
    assert run(calc_scores.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path) == 0
    record = record_in(tmp_path / 'all_scores.json')
    assert list(record['left_out']) == ['fid', 'kid', 'pr'] and record['is_mean'] > 1 and record['reference'] is None
    assert capsys.readouterr().err.count('expected at least') == 3


def test_inception_score_alone_needs_no_data(snapshot, tmp_path):
    arguments = ['--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, '--metrics', 'is']
    assert run(calc_scores.main, *arguments) == 0
    record = record_in(tmp_path / 'all_scores.json')
    assert record['reference'] is None and 'fid' not in record and record['is_mean'] > 1


def test_npz_and_folder_of_the_same_images_score_as_the_snapshot(snapshot, tmp_path):
    ims = samples(snapshot, 24)[0]
    (tmp_path / 'ims').mkdir()
    for k, im in enumerate(ims):
        Image.fromarray(im.transpose(1, 2, 0)).save(tmp_path / 'ims' / f'{k:02d}.png')
    np.savez(tmp_path / 'first.npz', ims=ims)
    np.savez(tmp_path / 'last.npz', mine=ims.transpose(0, 2, 3, 1), other=np.zeros(3))
    real, order = DigitsDataset(size=8).ims, np.random.RandomState(1234).permutation(24)
    for more, expected in ((['--keep_order'], expected_scores(ims, real, 3)),
                           ([], expected_scores(ims[order], real, 3))):
        for name, key in (('ims', []), ('first.npz', []), ('last.npz', ['--key', 'mine'])):
            assert run(calc_scores.main, '--images', tmp_path / name, '--config', snapshot.parent / 'config.yml',
                       '--gpu', -1, '--results_dir', tmp_path / 'out', *key, *more) == 0
            assert_scores(record_in(tmp_path / 'out' / 'all_scores.json'), expected)


def test_reference_statistics_are_computed_once(snapshot, tmp_path, monkeypatch):
    counted = []
    monkeypatch.setitem(NETWORKS, 'digits', lambda *_: lambda_network(counted))
    for _ in range(2):
        assert run(calc_fid.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path) == 0
    assert sum(counted) == 24 + 1437 + 24
    assert len(list(cache_folder().iterdir())) == 1


def lambda_network(counted):
    network = FakeFeatureNetwork()

    class Counting(FakeFeatureNetwork):
        def __call__(self, ims):
            counted.append(len(ims))
            return network(ims)
    return Counting()


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
        assert run(calc_scores.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path,
                   '--ref_stats', tmp_path / f'{name}.npz') == 0
        record = record_in(tmp_path / 'all_scores.json')
        assert {'is_mean', 'fid'} <= set(record) and 'kid_mean' not in record  # what needs features is left out
        assert record['left_out'] == dict.fromkeys(('kid', 'pr'), '--ref_stats holds no features')
        assert said in capsys.readouterr().out
        assert said in record['reference']
        distances.append(record['fid'])
    assert distances == [pytest.approx(fid(samples(snapshot, 24)[0], DigitsDataset(size=8).ims), rel=1e-6)] * 3


def test_network_and_weights_of_the_arguments(snapshot, tmp_path):
    for more, expected in (([], 'd1'), (['--weights', 'w.h5'], 'of w.h5')):
        assert run(calc_fid.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, '--network', 'other',
                   *more) == 0
        record = record_in(tmp_path / 'fid.json')
        assert (record['feature_network'], record['network_sha256']) == ('other', expected)


def test_a_record_of_something_else_is_not_replaced_in_silence(snapshot, tmp_path, capsys):
    arguments = ['--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path]
    for more, said in (([], ''), ([], ''), (['--network', 'other'], 'feature_network digits, network_sha256 none'),
                       (['--real', 'test'], 'feature_network other'), ([], 'protocol config, test images, real test'),
                       (['--seed', 3], 'seed 1234')):
        capsys.readouterr()
        assert run(calc_fid.main, *arguments, *more) == 0
        told = [line for line in capsys.readouterr().err.splitlines() if 'replaced' in line]
        assert len(told) == bool(said)
        assert all(line.startswith(f'{tmp_path}/fid.json: replaced, which was of ') and said in line for line in told)


@pytest.mark.parametrize('arguments, expected', [
    (['--weights', 'none.h5'], '--weights: none.h5: wrong'), (['--network', 'failing'], '--network: own: wrong')])
def test_messages_blame_the_argument(snapshot, tmp_path, capsys, monkeypatch, arguments, expected):
    def fail(device=-1, weights='own'):
        raise ValueError(f'{weights}: wrong')
    monkeypatch.setitem(NETWORKS, 'failing', fail)
    monkeypatch.setitem(NETWORKS, 'digits', fail)
    assert refused(calc_fid.main, tmp_path, capsys, '--snapshot', snapshot, *arguments) == expected


def test_fewer_samples_than_dimensions_are_warned_about(snapshot, tmp_path, capsys):
    assert run(calc_fid.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path, '--n_images', 5) == 0
    record = record_in(tmp_path / 'fid.json')
    assert np.isfinite(record['fid'])
    assert len(record['warnings']) == 1 and 'rank 4 of 8' in record['warnings'][0]
    assert capsys.readouterr().err.count('warning: the second covariance has rank 4 of 8') == 1


@pytest.mark.parametrize('main, arguments, expected', [
    (calc_scores.main, ['--protocol', 'paper', '--n_images', 5], '--n_images and --splits go without --protocol'),
    (calc_scores.main, ['--ref_stats', 'a.npz', '--real', 'test'], '--real goes without --ref_stats'),
    (calc_kid.main, ['--ref_stats', 'a.npz'], 'KID: --ref_stats holds no features'),
    (calc_scores.main, ['--ref_stats', 'a.npz', '--metrics', 'fid', 'pr'],
     'precision and recall: --ref_stats holds no features'),
    (calc_fid.main, ['--ref_stats', 'none.npz'], 'none.npz: no such file of statistics'),
    (calc_fid.main, ['--ref_stats', '{stats}'], '{stats}: expected statistics under digits (none), found other (d1)'),
    (calc_kid.main, ['--kid_subset_size', 25], 'expected --kid_subsets of at least 1 and --kid_subset_size of 2 to 24'),
    (calc_kid.main, ['--kid_subsets', 0], 'expected --kid_subsets of at least 1'),
    (calc_fid.main, ['--protocol', 'moden'], "argument --protocol: invalid choice: 'moden'"),
    (calc_fid.main, ['--network', 'nothing'], "argument --network: invalid choice: 'nothing'")])
def test_refused(snapshot, tmp_path, capsys, main, arguments, expected):
    stats = tmp_path / 'stats.npz'
    config = snapshot.parent / 'config.yml'
    assert run(calc_ref_stats.main, '--config', config, '--gpu', -1, '--out', stats, '--network', 'other') == 0
    capsys.readouterr()
    arguments = [str(argument).format(stats=stats) for argument in arguments]
    message = refused(main, tmp_path, capsys, '--snapshot', snapshot, '--results_dir', tmp_path / 'out', *arguments)
    assert message.startswith(expected.format(stats=stats))


def test_statistics_of_another_number_of_features(snapshot, tmp_path, capsys):
    path = tmp_path / 'ttur.npz'
    np.savez(path, mu=np.zeros(9), sigma=np.eye(9))
    message = refused(calc_fid.main, tmp_path, capsys, '--snapshot', snapshot, '--ref_stats', path, '--results_dir',
                      tmp_path / 'out')
    assert message == f'{path}: expected statistics of 8 features, as digits makes, found 9'


def test_images_refused(snapshot, tmp_path, capsys):
    config = snapshot.parent / 'config.yml'

    def message(ims, *arguments):
        np.savez(tmp_path / 'a.npz', ims=ims)
        return refused(calc_fid.main, tmp_path, capsys, '--images', tmp_path / 'a.npz', '--config', config,
                       '--results_dir', tmp_path / 'out', *arguments)
    path = tmp_path / 'a.npz'
    assert message(np.zeros((11, 3, 8, 8), np.uint8), '--protocol', 'paper') == (
        f'--images {path}: protocol paper needs 12 images, found 11')
    assert message(np.zeros((11, 3, 16, 16), np.uint8)) == (
        f'--images {path}: expected 8x8 pixels as the real images, found 16x16')
    assert 'expected uint8' in message(np.zeros((11, 3, 8, 8)))


@pytest.mark.parametrize('module', [calc_scores, calc_fid, calc_kid, calc_inception, calc_ref_stats])
def test_help_has_an_example(module, capsys):
    assert run(module.main, '--help') == 0
    out = capsys.readouterr().out
    assert f'python evaluations/{module.__name__.rpartition(".")[2]}.py --' in out


def test_a_place_that_cannot_be_written_is_said_first(snapshot, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(score_command, 'compute', lambda *_: 1 / 0)
    (tmp_path / 'file').write_text('mine')
    assert run(calc_scores.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path / 'file') == 2
    assert 'file: expected a folder to write to' in capsys.readouterr().err


def test_a_foreign_judge_is_said_beside_each_score(snapshot, tmp_path, capsys):
    """And nothing of class folders, which it does not know."""
    config = write_config(tmp_path, {**EVALUATION, 'dataset': {
        'dataset_fn': 'datasets/photo_tiles.py', 'dataset_name': 'PhotoTilesDataset', 'args': {'size': 8}}})
    assert run(calc_scores.main, '--snapshot', snapshot, '--config', config, '--gpu', -1, '--metrics', 'is', 'fid',
               '--results_dir', tmp_path) == 0
    out, record = capsys.readouterr().out, record_in(tmp_path / 'all_scores.json')
    why = 'the judge digits knows zero to nine, which are not the classes of PhotoTilesDataset'
    assert out.count('(protocol config; a foreign judge)') == 3 and f'note: {why}: these scores say' in out
    assert record['foreign_judge'] == why and 'recognized' not in record
    assert record['data'] == 'PhotoTilesDataset(size=8)'
    for c in ('china', 'other'):
        (tmp_path / 'ims' / c).mkdir(parents=True)
        for k in range(12):
            Image.fromarray(np.full((8, 8, 3), 10 * k, np.uint8)).save(tmp_path / 'ims' / c / f'{k}.png')
    assert run(calc_scores.main, '--images', tmp_path / 'ims', '--config', config, '--gpu', -1, '--metrics', 'is',
               '--results_dir', tmp_path) == 0
    assert 'left out' not in capsys.readouterr().err


def test_a_record_of_another_order_is_told(snapshot, tmp_path, capsys):
    np.savez(tmp_path / 'a.npz', ims=samples(snapshot, 24)[0])
    arguments = ['--images', tmp_path / 'a.npz', '--config', snapshot.parent / 'config.yml', '--gpu', -1, '--metrics',
                 'is', '--results_dir', tmp_path]
    assert run(calc_scores.main, *arguments) == run(calc_scores.main, *arguments, '--keep_order') == 0
    assert 'replaced, which was of seed 1234, order drawn' in capsys.readouterr().err
