"""Images of one's own against others, without a config, by the commands that score."""
import importlib
import os
import shutil

from evaluations import calc_fid, calc_inception, calc_intra_fid, calc_kid, calc_ref_stats, calc_scores
from source.config.build import NETWORKS
from source.datasets.digits import CLASS_NAMES, DigitsDataset
from source.feature_networks import digits
from source.feature_networks.feature_network import FeatureNetwork
from source.metrics.kernel_inception_distance import kernel_inception_distance
from source.scoring.statistics_files import load_statistics
from tests.evaluations.scored_snapshot import fid, record_of, refused, samples, write_images, write_snapshot
from tests.narrow import run

import numpy as np
import pytest
from PIL import Image

TRAIN, TEST = (DigitsDataset(split, size=8) for split in ('train', 'test'))
LARGE = DigitsDataset('test', size=32).ims


def of_class(name, data):
    return data.ims[data.labels == CLASS_NAMES.index(name)][:12]


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """The digits in files: a.npz and b.npy of held-out and training images, and folders of some by class."""
    here = tmp_path_factory.mktemp('own')
    np.savez(here / 'a.npz', ims=TEST.ims[:, :1], labels=TEST.labels)
    np.save(here / 'b.npy', TRAIN.ims[:, 0])
    for folder, data, classes in (('a', TEST, [c for c in CLASS_NAMES if c != 'eight']), ('b', TRAIN, CLASS_NAMES)):
        for name in classes:
            write_images(here / folder / name, of_class(name, data))
    return here


@pytest.fixture
def digits_judge(monkeypatch):
    """The shipped network, which says that it resizes to 16 px, so that others may resize for it."""
    def load(device=-1, weights=digits.WEIGHTS_PATH):
        return FeatureNetwork('digits', digits.DigitsNet(), weights, 10, device, size=16)
    monkeypatch.setitem(NETWORKS, 'digits', load)


@pytest.mark.usefixtures('fake_judge')
def test_scores_are_those_against_a_data_set(files, snapshot, tmp_path, capsys):
    """Of the same images; grey ones are as RGB. A config names the network alone."""
    config, judge = ['--config', snapshot.parent / 'config.yml'], ['--network', 'digits']
    expected = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--images', files / 'a.npz', *config,
                         '--splits', 10)
    capsys.readouterr()
    for more, protocol in ((judge, 'all images, 10 splits'), ([*config, '--splits', 10], 'config, given real images')):
        found = record_of(calc_scores.main, tmp_path / 'b' / 'all_scores.json', '--images', files / 'a.npz',
                          '--against', files / 'b.npy', *more)
        scores = [name for name in expected if isinstance(expected[name], float) and name != 'recognized']
        assert len(scores) == 9 and [found[name] for name in scores] == [expected[name] for name in scores]
        out = capsys.readouterr().out
        assert f'against 1437 images of {files}/b.npy' in out and f'(protocol {protocol}' in out
        assert (', given with --against, in place of the data set of ' in out) == (more != judge)
        assert '8x8' not in out and 'class folders of these images' in out  # all have one size, none has a class
        assert found.items() >= {
            'n_images': 360, 'n_real': 1437, 'sizes': '8x8', 'real_sizes': '8x8', 'resize': 'own', 'order': 'drawn',
            'seed': 1234, 'real': None, 'data': None}.items()
    found = record_of(calc_inception.main, tmp_path / 'scores.json', '--images', files / 'a', '--against', files / 'b',
                      *config)
    assert (found['foreign_judge'], found['recognized']) == (None, pytest.approx(.1, abs=.1))
    for main, kind, name in ((calc_inception.main, 'scores', 'fid'), (calc_kid.main, 'kid', 'kid_mean'),
                             (calc_fid.main, 'fid', 'fid')):
        found = record_of(main, tmp_path / f'{kind}.json', '--images', files / 'a.npz', '--against', files / 'b.npy',
                          *judge)
        assert found[name] == expected[name]
    found = record_of(calc_fid.main, tmp_path / 'fid.json', '--snapshot', snapshot, '--against', files / 'b.npy')
    assert found['fid'] == pytest.approx(fid(samples(snapshot, 24)[0], TRAIN.ims), rel=1e-6)
    found = record_of(calc_fid.main, tmp_path / 'fid_paper.json', '--images', files / 'a.npz', '--against',
                      files / 'b.npy', '--protocol', 'paper', *judge)
    chosen, order = (np.random.RandomState(seed).permutation(n) for seed, n in ((0, 1437), (1234, 360)))
    assert found['fid'] == pytest.approx(fid(TEST.ims[order[:12]], TRAIN.ims[np.sort(chosen[:200])]), rel=1e-6)
    assert (found['protocol'], found['reference']) == (
        'paper, given real images', f'200 of 1437 images of {files}/b.npy')


@pytest.mark.usefixtures('fake_judge')
def test_without_real_images_and_against_themselves(files, tmp_path, capsys):
    judge = ['--network', 'digits']
    found = record_of(calc_inception.main, tmp_path / 'scores.json', '--images', files / 'a', *judge)
    why = 'no real images: --against, --ref_stats or --config names them'
    assert found['left_out'] == {'fid': why} and found['is_mean'] > 1 and found['recognized'] >= 0
    assert f'left out: FID: {why}\n' in capsys.readouterr().err
    record_of(calc_scores.main, tmp_path / 'all_scores.json', '--images', files / 'a', *judge)
    assert f'left out: FID, KID, precision and recall, density and coverage: {why}\n' in capsys.readouterr().err
    found = record_of(calc_fid.main, tmp_path / 'fid.json', '--images', files / 'b', '--against', files / 'b', *judge)
    assert found['fid'] < 1e-6
    assert 'are the same images: their distance is 0 but for rounding\n' in capsys.readouterr().err


def test_any_sizes_in_files_that_change(digits_judge, tmp_path, capsys):
    """Each image is judged as if it were alone; a changed file gives other numbers, also where they are kept."""
    sides = {}, {}
    for k, side in enumerate(sides):
        (tmp_path / str(k)).mkdir()
        for i, im in enumerate(LARGE[k:60:2]):
            side[tmp_path / str(k) / f'{i:03d}.png'] = im[:, i % 3:, :32 - i % 5] if k else im
    arguments = '--images', tmp_path / '0', '--against', tmp_path / '1', '--network', 'digits'
    found = []
    for change in (0, 255):
        for path, im in (item for side in sides for item in side.items()):
            Image.fromarray(im.transpose(1, 2, 0) ^ np.uint8(change * (path.name == '007.png'))).save(path)
            os.utime(path, ns=(change, change))  # where a clock is slow, it is changed later
        feats = [np.concatenate([digits.load()(im[None] ^ np.uint8(change * (path.name == '007.png')))[0]
                                 for path, im in side.items()]) for side in sides]
        record = record_of(calc_scores.main, tmp_path / 'all_scores.json', *arguments, '--metrics', 'fid', 'kid')
        assert record['kid_mean'] == pytest.approx(kernel_inception_distance(*feats[::-1], 1, 30)[0], rel=1e-4)
        assert (record['sizes'], record['real_sizes']) == ('32x32', '15 sizes, 28x30 to 32x32 (WxH)')
        assert ', of 32x32 against 15 sizes, 28x30 to 32x32 (WxH), KID of' in capsys.readouterr().out
        for _ in range(2):  # the second from the cache
            kept = record_of(calc_fid.main, tmp_path / 'fid.json', *arguments)
            assert {name: kept[name] for name in ('fid', 'real_sizes')} == {
                name: record[name] for name in ('fid', 'real_sizes')}
        found.append(record['fid'])
    assert found[0] != pytest.approx(found[1], rel=1e-3)


def test_clean_resizing_is_never_compared_with_other(digits_judge, files, tmp_path, capsys):
    """The network's name says it: in records, statistics and their cache."""
    arguments, judge = ['--images', files / 'a.npz', '--network', 'digits'], ['--network', 'digits', '--gpu', -1]
    found = {}
    for resize in ('own', 'clean'):
        stats = tmp_path / f'{resize}.npz'
        assert run(calc_ref_stats.main, '--images', files / 'b', *judge, '--resize', resize, '--out', stats) == 0
        found[resize] = record_of(calc_fid.main, tmp_path / 'fid.json', *arguments, '--resize', resize, '--against',
                                  files / 'b')
        assert record_of(calc_fid.main, tmp_path / 'fid.json', *arguments, '--resize', resize, '--ref_stats',
                         stats)['fid'] == found[resize]['fid']
    assert found['clean']['fid'] != pytest.approx(found['own']['fid'], rel=1e-4)
    assert [found[resize]['feature_network'] for resize in found] == ['digits', 'digits_clean']
    statistics = load_statistics(tmp_path / 'clean.npz')
    assert (statistics.network, statistics.sizes, statistics.images) == (
        'digits_clean', '8x8', f'120 images of {files}/b')
    message = refused(calc_fid.main, tmp_path, capsys, *arguments, '--ref_stats', tmp_path / 'clean.npz')
    assert 'expected statistics under digits (' in message and 'found digits_clean (' in message
    assert message.endswith('); --resize clean goes with them')
    message = refused(calc_fid.main, tmp_path, capsys, *arguments[:2], '--ref_stats', tmp_path / 'clean.npz')
    assert message.endswith('statistics under digits_clean; expected --network digits --resize clean with them')


@pytest.mark.usefixtures('fake_judge')
def test_classes_are_matched_by_name(files, snapshot, tmp_path, capsys):
    """Sorted by name 'eight' is the first, and is missing on one side; of a snapshot the config names them."""
    def expected(fake):
        return np.mean([fid(of_class(name, fake), of_class(name, TRAIN)) for name in CLASS_NAMES if name != 'eight'])
    judge = ['--network', 'digits']
    assert run(calc_ref_stats.main, '--images', files / 'b', *judge, '--gpu', -1, '--per_class', '--out',
               tmp_path / 'b') == 0
    for more in (['--against', files / 'b'], ['--ref_stats', tmp_path / 'b']):
        out = tmp_path / more[0][2:]
        found = record_of(calc_intra_fid.main, out / 'intra_fid.json', '--images', files / 'a', *judge, *more)
        assert found['intra_fid'] == pytest.approx(expected(TEST), rel=1e-6)
        assert (found['n_classes'], found['protocol']) == (9, 'at most 5000 images of each class')
        assert 'class eight: 12 real and 0 generated images, too few; left out' in capsys.readouterr().out
        assert f'images of {files}/b' in found['reference']
        found = record_of(calc_intra_fid.main, out / 'snapshot' / 'intra_fid.json', '--snapshot', snapshot,
                          '--n_images', 20, *more)
        assert (found['protocol'], found['class_names']) == ('config, given real images', list(CLASS_NAMES))
        ims = [samples(snapshot, 20, (1234, c), np.full(20, c))[0] for c in range(10)]
        assert [entry['fid'] for entry in found['classes']] == pytest.approx(
            [fid(im, of_class(name, TRAIN)) for im, name in zip(ims, CLASS_NAMES)], rel=1e-6)
    shutil.copytree(files / 'b', tmp_path / 'c')
    (tmp_path / 'c' / 'one').rename(tmp_path / 'c' / '1')
    message = refused(calc_intra_fid.main, tmp_path, capsys, '--images', files / 'a', '--against', tmp_path / 'c',
                      *judge)
    assert message == f"--images {files}/a: class 'one' is none of the real ones, 1, eight, five, four, nine, ..."


@pytest.mark.usefixtures('fake_judge')
def test_grey_generator_and_data_set(tmp_path):
    snapshot = write_snapshot(tmp_path, {
        'dataset.args': {'size': 16, 'channels': 1}, 'models.discriminator.args.channels': 1,
        'models.generator.args.channels': 1, 'models.generator.args.bottom_width': 2})
    found = record_of(calc_scores.main, tmp_path / 'all_scores.json', '--snapshot', snapshot)
    ims, _ = samples(snapshot, 24)
    assert ims.shape == (24, 1, 16, 16) and found['fid'] == pytest.approx(fid(ims, DigitsDataset().ims), rel=1e-6)
    for name, *more in (('calc_intra_fid', '--n_images', 20), ('calc_ms_ssim', '--n_pairs', 2),
                        ('nearest_neighbors', '--n', 2)):
        main = importlib.import_module(f'evaluations.{name}').main
        assert run(main, '--snapshot', snapshot, '--gpu', -1, *more) == 0


def test_intra_fid_says_sizes_and_what_is_the_same(digits_judge, tmp_path, capsys):
    for c in range(2):
        for i, im in enumerate(LARGE[c:40:2]):
            folder = tmp_path / 'a' / f'class {c}'
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(im[:, i % (2 + c):].transpose(1, 2, 0)).save(folder / f'{i}.png')
    judge = '--network', 'digits', '--gpu', -1
    assert run(calc_ref_stats.main, '--images', tmp_path / 'a', *judge, '--per_class', '--out', tmp_path / 'b') == 0
    sizes = 'of 2 to 3 sizes a class, 32x30 to 32x32 (WxH)'
    assert f'2 classes, 40 images of {tmp_path}/a, {sizes} under digits (' in capsys.readouterr().out
    record_of(calc_intra_fid.main, tmp_path / 'intra_fid.json', '--images', tmp_path / 'a', '--against', tmp_path / 'a',
              *judge)
    captured = capsys.readouterr()
    assert f', {sizes}; written to' in captured.out and 'are the same images: their distance is 0' in captured.err


@pytest.mark.usefixtures('fake_judge')
@pytest.mark.parametrize('more, protocol', [([], 'all images'), (['--config'], 'config, given real images')])
def test_statistics_of_ones_own_images_say_so(files, snapshot, tmp_path, more, protocol):
    more = [*more, snapshot.parent / 'config.yml'] if more else []
    judge, stats = ['--network', 'digits', '--gpu', -1], tmp_path / 'b.npz'
    assert run(calc_ref_stats.main, '--images', files / 'b.npy', *judge, '--out', stats) == 0
    found = record_of(calc_fid.main, tmp_path / 'fid.json', '--images', files / 'a.npz', *judge, '--ref_stats', stats,
                      *more)
    assert (found['protocol'], found['reference']) == (protocol, f'{stats}, 1437 images of {files}/b.npy')
    assert found['foreign_judge'].endswith('there are no class folders of these images')


@pytest.mark.usefixtures('fake_judge')
def test_labels_with_gaps(tmp_path, capsys):
    judge, images = ['--network', 'digits', '--gpu', -1], tmp_path / 'a.npz'
    np.savez(images, ims=TEST.ims[:24], labels=np.arange(24) % 2 * 700)
    assert run(calc_ref_stats.main, '--images', images, *judge, '--per_class', '--out', tmp_path / 'b') == 0
    assert {path.name for path in (tmp_path / 'b').iterdir()} == {'class_0.npz', 'class_700.npz'}
    for k, more in enumerate((['--against', images], ['--ref_stats', tmp_path / 'b'])):
        found = record_of(calc_intra_fid.main, tmp_path / str(k) / 'intra_fid.json', '--images', images, *judge, *more)
        assert found['n_classes'] == 2 and found['intra_fid'] < 1e-6
    assert 'left out' not in capsys.readouterr().out
