from evaluations import calc_ms_ssim
from source.metrics.ms_ssim import ms_ssim
from tests.evaluations.scored_snapshot import record_in, refused, samples, write_snapshot
from tests.narrow import UNCONDITIONAL, run

import numpy as np
import pytest
from PIL import Image

WIDER = {'models.generator.args.bottom_width': 2}  # 16 px, the least that five scales take


@pytest.fixture(scope='module')
def snapshot(tmp_path_factory):
    return write_snapshot(tmp_path_factory.mktemp('results'), WIDER)


def test_of_a_snapshot(snapshot, tmp_path, capsys):
    assert run(calc_ms_ssim.main, '--snapshot', snapshot, '--gpu', -1, '--n_pairs', 6, '--results_dir', tmp_path) == 0
    record = record_in(tmp_path / 'ms_ssim.json')
    expected = []
    for c in range(10):
        ims, _ = samples(snapshot, 12, (1234, c), np.full(12, c))
        expected.append(ms_ssim(ims[:6], ims[6:]).mean())
    assert list(record['classes'].values()) == pytest.approx(expected, rel=1e-9)
    assert record['ms_ssim'] == pytest.approx(np.mean(expected), rel=1e-9)
    assert (record['n_pairs'], record['size'], record['n_classes'], record['within_classes']) == (6, [16, 16], 10, True)
    assert record['feature_network'] is None
    out = capsys.readouterr().out
    assert f'ms_ssim: {record["ms_ssim"]:.4f}  (protocol 6 pairs a class; 16x16 px, window shrunk' in out
    assert 'below 176 px' in out


def test_unconditional(tmp_path, capsys):
    snapshot = write_snapshot(tmp_path, {**UNCONDITIONAL, **WIDER})
    assert run(calc_ms_ssim.main, '--snapshot', snapshot, '--gpu', -1, '--n_pairs', 4) == 0
    record = record_in(tmp_path / 'ms_ssim.json')
    assert (record['within_classes'], record['n_classes']) == (False, 1)
    assert 'pairs of any two of' in capsys.readouterr().out


def test_of_a_folder_of_classes_without_a_config(tmp_path, capsys):
    """Equal images within one class, others in the next, one alone in the last: 1, less, left out; full window."""
    ims = np.random.RandomState(0).randint(256, size=(6, 176, 176, 3)).astype(np.uint8)
    for name, k in {'a/1': 0, 'a/2': 0, 'b/1': 1, 'b/2': 2, 'b/3': 3, 'c/1': 4}.items():
        (tmp_path / 'ims' / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ims[k]).save(tmp_path / 'ims' / f'{name}.png')
    arguments = ['--images', tmp_path / 'ims', '--gpu', -1, '--n_pairs', 3, '--results_dir', tmp_path]
    assert run(calc_ms_ssim.main, *arguments) == 0
    record = record_in(tmp_path / 'ms_ssim.json')
    assert record['classes']['a'] == pytest.approx(1.)
    assert 0 <= record['classes']['b'] < .5
    assert (record['too_few'], record['n_classes'], record['window']) == (['c'], 2, 'full window')
    assert 'class c: 1 images make no pair; left out' in capsys.readouterr().out


def test_refused(snapshot, tmp_path, capsys):
    out = ['--results_dir', tmp_path / 'out']
    assert refused(calc_ms_ssim.main, tmp_path, capsys, '--snapshot', snapshot, '--n_pairs', 0, *out) == (
        '--n_pairs: expected at least 1, got 0')
    assert refused(calc_ms_ssim.main, tmp_path, capsys, *out) == 'expected either --snapshot or --images'
    np.savez(tmp_path / 'a.npz', ims=np.zeros((4, 3, 8, 8), np.uint8))
    message = refused(calc_ms_ssim.main, tmp_path, capsys, '--images', tmp_path / 'a.npz', *out)
    assert 'sides of at least 16 px' in message


def test_help_has_an_example(capsys):
    assert run(calc_ms_ssim.main, '--help') == 0
    assert 'python evaluations/calc_ms_ssim.py --snapshot' in capsys.readouterr().out


def test_images_of_another_shape_are_refused(tmp_path, capsys):
    Image.new('RGB', (20, 24)).save(tmp_path / 'a.png')
    message = refused(calc_ms_ssim.main, tmp_path, capsys, '--images', tmp_path, '--results_dir', tmp_path / 'out')
    assert message == f'{tmp_path}/a.png: expected 20x20 pixels, found 20x24'


def test_a_place_that_cannot_be_written_is_said_first(snapshot, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(calc_ms_ssim, 'class_means', lambda *_: 1 / 0)
    (tmp_path / 'file').write_text('mine')
    assert run(calc_ms_ssim.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', tmp_path / 'file') == 2
    assert 'file: expected a folder to write to' in capsys.readouterr().err


def test_classes_of_a_config(snapshot, tmp_path, capsys):
    """Folders that are none of its classes are refused; the same pairs by name or by number."""
    rng, found = np.random.RandomState(0), []
    ims = {c: rng.randint(256, size=(4, 16, 16, 3)).astype(np.uint8) for c in (3, 8)}
    config = snapshot.parent / 'config.yml'
    for names in ({3: '3', 8: '8'}, {3: 'three', 8: 'eight'}, {3: 'train', 8: 'val'}):
        folder = tmp_path / names[3]
        for c, name in names.items():
            (folder / name).mkdir(parents=True)
            for k, im in enumerate(ims[c]):
                Image.fromarray(im).save(folder / name / f'{k}.png')
        arguments = ['--images', folder, '--config', config, '--n_pairs', 5, '--results_dir', tmp_path / 'out']
        capsys.readouterr()
        if names[3] == 'train':
            assert f"--images {folder}: folder 'train' is none" in refused(
                calc_ms_ssim.main, tmp_path, capsys, *arguments)
        else:
            assert run(calc_ms_ssim.main, *arguments, '--gpu', -1) == 0
            found.append(record_in(tmp_path / 'out' / 'ms_ssim.json')['classes'])
    assert found[0] == found[1] and list(found[0]) == ['three', 'eight']
