"""The commands that share score_command: calc_scores, calc_inception, calc_fid and calc_kid."""
import json
import shutil
from types import SimpleNamespace

from evaluations import calc_fid, calc_inception, calc_kid, calc_ref_stats, calc_scores, gen_images
from source.config.build import NETWORKS
from source.datasets.digits import DigitsDataset
from source.evaluation_commands import score_command
from source.feature_networks import digits
from source.metrics.density_coverage import density_coverage
from source.metrics.inception_score import inception_score
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.metrics.precision_recall import precision_recall
from tests.children import ROOT
from tests.evaluations.scored_snapshot import EVALUATION, feats, fid, record_of, refused, samples, write_images
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import run, write_config

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures('fake_judge')
TRAIN, TEST = DigitsDataset(size=8).ims, DigitsDataset('test', size=8).ims


def expected_scores(fake, real, splits, compared=None):
    fake_feats, real_feats = feats(fake[:compared]), feats(real)
    size = min(1000, len(fake_feats), len(real_feats))
    scores = {'fid': fid(fake[:compared], real)}
    scores['is_mean'], scores['is_std'] = inception_score(FakeFeatureNetwork()(fake)[1], splits)
    scores['kid_mean'], scores['kid_std'] = kernel_inception_distance(real_feats, fake_feats, 100, size)
    scores['precision'], scores['recall'] = precision_recall(real_feats, fake_feats)
    scores['density'], scores['coverage'] = density_coverage(real_feats, fake_feats)
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
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert len(lines) == 12 and 'numpy' in record['versions']  # ten scores, a caution and what they are of
    assert all(line.endswith('  (protocol config)') for line in lines[:-2])
    assert f'digits fid: {record["fid"]:.4f}  ' in out and f'digits kid_mean: {record["kid_mean"]:.6f}  ' in out
    assert '24 images' in lines[-1] and '3 splits' in lines[-1] and 'KID of subsets of 24' in lines[-1]
    assert 'nception' not in out  # scores under another network are never called that


def test_scores_of_one_seed_are_equal_to_the_last_digit(snapshot, tmp_path):
    """By each command; and of the images that gen_images stores, whose order it records where classes sort them."""
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
    """Of the first samples and test images or, as the paper does not say which, others; FID needs no more samples."""
    arguments = ['--snapshot', snapshot, '--protocol', 'paper']
    record = record_of(calc_scores.main, tmp_path / 'all_scores_paper.json', *arguments)
    chosen = TEST[np.sort(np.random.RandomState(0).permutation(360)[:200])]
    assert_scores(record, expected_scores(samples(snapshot, 30)[0], chosen, 3, 12))
    assert (record['protocol'], record['n_images'], record['n_compared'], record['n_real'], record['real']) == (
        'paper', 30, 12, 200, 'test')
    out = capsys.readouterr().out
    assert out.count('(protocol paper)') == 10 and 'the first 12 against 200 of 360 test images' in out
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
    out = capsys.readouterr().out
    assert record['protocol'] == name and said in out and f'(protocol {name})' in out


def test_subsets_of_kid(snapshot, tmp_path):
    subsets = ['--kid_subset_size', 9, '--kid_subsets', 7]
    record = record_of(calc_kid.main, tmp_path / 'kid.json', '--snapshot', snapshot, *subsets)
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
    if '1437 images' in said:  # of as many, two subsets are twice the same
        assert scores.pop() == (
            'caution: 1437 images against 1437: KID of fewer than 2,874 images is noisier than a std over its subsets '
            'says')
    assert len(scores) == 2 and not any('std' in line for line in scores)
    assert '1 split: no std' in summary and said in summary


RECALL = 'expected at least 4 images, found '


@pytest.mark.parametrize('n, left_out', [
    (4, {}), (3, {'pr': RECALL + '3'}),
    (2, {'is': 'expected at least as many images as splits (3), found 2', 'pr': RECALL + '2'})])
def test_so_few_images_leave_out_what_needs_more(snapshot, tmp_path, capsys, n, left_out):
    """Of stored images and of samples; each is named, and the others are there. FID warns of fewer than dimensions."""
    np.savez(tmp_path / 'a.npz', ims=samples(snapshot, n)[0])
    for arguments in (['--snapshot', snapshot, '--n_images', n],
                      ['--images', tmp_path / 'a.npz', '--config', snapshot.parent / 'config.yml']):
        record = record_of(calc_scores.main, tmp_path / 'all_scores.json', *arguments)
        assert record['left_out'] == left_out and {'fid', 'kid_mean', 'kid_std'} <= set(record)
        assert ('is_mean' in record) == ('is' not in left_out) and ('recall' in record) == ('pr' not in left_out)
        out, err = capsys.readouterr()
        told = [line for line in err.splitlines() if line.startswith('left out')]
        names = {'is': 'inception score', 'pr': 'precision and recall'}
        assert told == [f'left out: {names[metric]}: {why}' for metric, why in left_out.items()]
        assert np.isfinite(record['fid']) and 'warning' not in err
        assert record['warnings'] == [
            f'caution: {n} images against 1437: FID of fewer than 10,000 images is biased upwards, by about 1/N: '
            f'compare it only with FIDs of as many; the second covariance has rank {n - 1} of 8 (too few images '
            f'for so many features, or features that do not vary); KID of fewer than {2 * n:,} images is noisier '
            'than a std over its subsets says']
        assert out.count(record['warnings'][0] + '\n') == 1 and out.count('covariance') == 1


def test_one_real_image_leaves_the_inception_score(snapshot, tmp_path, capsys, monkeypatch):
    """It alone, if it is asked for, needs none."""
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: SimpleNamespace(n=1))
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot)
    assert record['left_out'] == {name: f'expected at least {n} real images, found 1'
                                  for name, n in (('fid', 2), ('kid', 2), ('pr', 4), ('dc', 6))}
    assert record['is_mean'] > 1 and record['reference'] is None
    assert capsys.readouterr().err.count('expected at least') == 3
    assert refused(calc_kid.main, tmp_path, capsys, '--snapshot', snapshot, '--results_dir', tmp_path) == (
        'KID: expected at least 2 real images, found 1')
    monkeypatch.setattr(score_command, 'RealImages', lambda *_: 1 / 0)
    record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot, '--metrics', 'is')
    assert record['reference'] is None and 'fid' not in record and record['is_mean'] > 1


def test_npz_and_folder_of_the_same_images(snapshot, tmp_path, monkeypatch, capsys):
    """In a drawn order or as stored; scores are written here if nothing else is said, and another order is told."""
    ims = samples(snapshot, 24)[0]
    write_images(tmp_path / 'ims', ims)
    np.savez(tmp_path / 'first.npz', ims=ims)
    np.savez(tmp_path / 'last.npz', mine=ims.transpose(0, 2, 3, 1), other=np.zeros(3))
    monkeypatch.chdir(tmp_path)
    drawn = np.random.RandomState(1234).permutation(24)
    for more, order, expected in ((['--keep_order'], ('as stored', None), expected_scores(ims, TRAIN, 3)),
                                  ([], ('drawn', 1234), expected_scores(ims[drawn], TRAIN, 3))):
        for name, key in (('first.npz', []), ('last.npz', ['--key', 'mine']), ('ims', [])):
            arguments = ['--images', name, '--config', snapshot.parent / 'config.yml', *key]
            record = record_of(calc_scores.main, tmp_path / 'all_scores.json', *arguments, *more)
            assert_scores(record, expected)
            assert (record['order'], record['seed'], record['n_images']) == (*order, 24) and 'recognized' not in record
        summary = capsys.readouterr().out.splitlines()[-1]
        assert ('in an order drawn with seed 1234' if order[1] else 'as stored') in summary
    assert run(calc_scores.main, *arguments, '--gpu', -1, '--keep_order') == 0
    assert capsys.readouterr().err.startswith('all_scores.json: replaced, which was of seed 1234, order drawn')


def test_reference_statistics_of_a_file(snapshot, tmp_path, capsys):
    """Ours, TTUR's and the authors' give the same distance, and what they do not say is said."""
    ours, expected = tmp_path / 'ours.npz', pytest.approx(fid(samples(snapshot, 24)[0], TRAIN), rel=1e-6)
    assert run(calc_ref_stats.main, '--config', snapshot.parent / 'config.yml', '--gpu', -1, '--out', ours) == 0
    with np.load(ours) as arrays:
        np.savez(tmp_path / 'ttur.npz', mu=arrays['mean'], sigma=arrays['cov'])
        np.savez(tmp_path / 'authors.npz', mean=arrays['mean'], cov=arrays['cov'])
    unnamed = 'images that it does not name'
    for name, said in (('ours', '1437 training images of DigitsDataset'),
                       ('ttur', f"{unnamed} (in TTUR's format, which names no network: it is taken to be of digits)"),
                       ('authors', f"{unnamed} (in the authors' format, which names no network: it is taken to be of")):
        path = tmp_path / f'{name}.npz'
        record = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot, '--ref_stats',
                           path)
        assert record['fid'] == expected and 'is_mean' in record and 'kid_mean' not in record
        assert record['left_out'] == dict.fromkeys(('kid', 'pr', 'dc'), '--ref_stats holds no features')
        assert f'{path}, {said}' in record['reference'] and said in capsys.readouterr().out


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


def test_beside_a_snapshot_and_without_classes(snapshot, unconditional, tmp_path):
    """As many samples as the config says; without classes none is recognized."""
    own = shutil.copytree(snapshot.parent, tmp_path / 'own')
    assert run(calc_inception.main, '--snapshot', own / snapshot.name, '--gpu', -1, '--seed', 5) == 0
    record = json.loads((own / 'scores.json').read_text())
    assert (record['n_images'], record['splits'], record['seed']) == (24, 3, 5)
    record = record_of(calc_inception.main, tmp_path / 'scores.json', '--snapshot', unconditional)
    assert 'fid' in record and 'recognized' not in record


def test_a_record_of_other_images_is_not_followed(snapshot, tmp_path, capsys):
    """A name that it does not hold: said, and an order drawn. Images that are gone do not matter."""
    assert run(gen_images.main, '--snapshot', snapshot, '--n', 24, '--gpu', -1, '--results_dir', tmp_path) == 0
    images, order = tmp_path / 'images', tmp_path / 'images' / 'draw_order.json'
    names = json.loads(order.read_text())['names']
    arguments = ['--images', images, '--config', snapshot.parent / 'config.yml']
    (images / names[3]).unlink()
    assert record_of(calc_inception.main, tmp_path / 'scores.json', *arguments)['order'] == 'as generated'
    (images / names[4]).rename(images / 'other.png')
    capsys.readouterr()
    assert record_of(calc_inception.main, tmp_path / 'scores.json', *arguments)['order'] == 'drawn'
    assert f'{order}: not followed, as other.png was not generated with the others' in capsys.readouterr().err
    (images / 'other.png').rename(images / names[4])
    (images / names[5]).write_bytes((images / names[6]).read_bytes() + b' ')
    record_of(calc_inception.main, tmp_path / 'scores.json', *arguments)
    assert f'not followed, as {names[5]} was not generated' in capsys.readouterr().err
    order.write_text('{"names": 3}')
    message = refused(calc_inception.main, tmp_path, capsys, *arguments)
    assert message.startswith(f'{order}: expected the names of images in the order')


def test_held_out_digits_under_the_shipped_network(tmp_path, monkeypatch):
    """Ten classes, all but told apart: an inception score near its bound, and a small distance."""
    monkeypatch.setitem(NETWORKS, 'digits', digits.load)
    held_out = DigitsDataset('test', size=32)
    np.savez(tmp_path / 'a.npz', ims=held_out.ims, labels=held_out.labels)
    found = record_of(calc_inception.main, tmp_path / 'scores.json', '--images', tmp_path / 'a.npz', '--config',
                      ROOT / 'configs' / 'sn_projection_digits.yml', '--splits', 1)
    assert 9.5 < found['is_mean'] <= 10 and 0 < found['fid'] < 200 and found['recognized'] > .95
    assert found['n_images'] == 360 and len(found['network_sha256']) == 64
