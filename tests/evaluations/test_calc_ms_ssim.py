from evaluations import calc_ms_ssim
from source.metrics.ms_ssim import ms_ssim
from tests.evaluations.scored_snapshot import record_of, samples, write_images, write_snapshot
from tests.narrow import UNCONDITIONAL, write_config

import numpy as np
import pytest

WIDER = {'models.generator.args.bottom_width': 2}  # 16 px, the least that five scales take


@pytest.fixture(scope='module')
def wide(tmp_path_factory):
    return write_snapshot(tmp_path_factory.mktemp('results'), WIDER)


def test_of_a_snapshot(wide, tmp_path, capsys):
    record = record_of(calc_ms_ssim.main, tmp_path / 'ms_ssim.json', '--snapshot', wide, '--n_pairs', 6)
    expected = []
    for c in range(10):
        ims, _ = samples(wide, 12, (1234, c), np.full(12, c))
        expected.append(ms_ssim(ims[:6], ims[6:]).mean())
    assert list(record['classes'].values()) == pytest.approx(expected, rel=1e-9)
    assert record['ms_ssim'] == pytest.approx(np.mean(expected), rel=1e-9)
    assert {name: record[name] for name in ('n_pairs', 'size', 'n_classes', 'within_classes', 'feature_network')} == {
        'n_pairs': 6, 'size': [16, 16], 'n_classes': 10, 'within_classes': True, 'feature_network': None}
    assert (f'ms_ssim: {record["ms_ssim"]:.4f}  (protocol 6 pairs a class; 16x16 px, window shrunk with the coarse '
            'scales, below 176 px)') in capsys.readouterr().out


def test_unconditional(tmp_path, capsys):
    snapshot = write_snapshot(tmp_path, {**UNCONDITIONAL, **WIDER})
    record = record_of(calc_ms_ssim.main, tmp_path / 'ms_ssim.json', '--snapshot', snapshot, '--n_pairs', 4)
    assert (record['within_classes'], record['n_classes']) == (False, 1)
    assert 'pairs of any two of' in capsys.readouterr().out


def test_of_a_folder_of_classes_without_a_config(tmp_path, capsys):
    """Equal images within one class, others in the next, one alone in the last: 1, less, left out; full window."""
    ims = np.random.RandomState(0).randint(256, size=(6, 3, 176, 176)).astype(np.uint8)
    for name, indices in (('a', [0, 0]), ('b', [1, 2, 3]), ('c', [4])):
        write_images(tmp_path / 'ims' / name, ims[indices])
    record = record_of(calc_ms_ssim.main, tmp_path / 'ms_ssim.json', '--images', tmp_path / 'ims', '--n_pairs', 3)
    assert record['classes']['a'] == pytest.approx(1.) and 0 <= record['classes']['b'] < .5
    assert (record['too_few'], record['n_classes'], record['window']) == (['c'], 2, 'full window')
    assert 'class c: 1 images make no pair; left out' in capsys.readouterr().out


def test_folders_beside_a_config(wide, tmp_path, capsys):
    """Are its classes; where it does not name them and the folders are no numbers, classes of their own."""
    unnamed = write_config(tmp_path, {'dataset.dataset_fn': 'datasets/imagenet.py',
                                      'dataset.dataset_name': 'ImageNetDataset'})
    named = wide.parent / 'config.yml'
    for config, names, expected in ((named, '38', ['three', 'eight']), (unnamed, 'cd', ['c', 'd'])):
        for name in names:
            write_images(tmp_path / names / name, np.zeros((2, 3, 16, 16), np.uint8))
        arguments = '--images', tmp_path / names, '--config', config
        assert list(record_of(calc_ms_ssim.main, tmp_path / 'ms_ssim.json', *arguments)['classes']) == expected
    assert 'expected their numbers, 0 to 9; the folders are taken as classes\n' in capsys.readouterr().err
