import re
import signal
import sys

from evaluations import gen_images, gen_interpolated_images, nearest_neighbors
from source.datasets.digits import CLASS_NAMES
from source.datasets.image_files import open_images
from source.feature_networks import load_feature_network
from source.metrics.recognized_share import recognized_share
from source.miscs.generate import generate_batches, generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.standing_statistics import restate_statistics
from source.pictures.image_sheets import GAP, make_sheet
from source.pictures.labelled_sheets import with_columns_named
from tests import children
from tests.evaluations.scored_snapshot import generator, read, samples, write_snapshot
from tests.narrow import GREY, files_in, run, write_config

import numpy as np
import pytest
from PIL import Image

COMMAND = children.ROOT / 'evaluations' / 'gen_images.py'


def command(snapshot, out, *arguments):
    return run(gen_images.main, '--snapshot', snapshot, '--gpu', -1, '--results_dir', out, *arguments)


def test_a_sheet_per_class(snapshot, tmp_path, capsys):
    """Named by numbers, by names of the data set or by those of a file."""
    names = tmp_path / 'names.txt'
    names.write_text('\n'.join(f'n0000000{c} number {c}, no. {c}' for c in range(10)))
    for k, (more, called) in enumerate(((['--classes', 7, 'Three'], {7: 'seven', 3: 'three'}),
                                        (['--classes', 'no. 7', 'n00000003', '--class_names', names],
                                         {7: 'number 7', 3: 'number 3'}))):
        out = tmp_path / str(k)
        assert command(snapshot, out, '--rows', 2, '--columns', 3, '--scale', 3, '--seed', 5, *more) == 0
        assert f'2 sheets of 2x3 images in {out}/' in capsys.readouterr().out
        assert set(files_in(out)) == {'3.png', '7.png'}
        gen, sampler = generator(snapshot), NoiseSampler(3, 10, seed=5)
        for c in (7, 3):
            ims, _ = generate_ims(gen, 6, sampler, np.full(6, c))
            expected = with_columns_named(make_sheet(ims, 2, 3, 3, GAP), [f'{c}: {called[c]}'])
            np.testing.assert_array_equal(read(out / f'{c}.png'), expected)


def test_same_latents(snapshot, tmp_path):
    assert command(snapshot, tmp_path, '--rows', 1, '--columns', 3, '--scale', 1, '--same_latents', '--seed', 4) == 0
    for c in (0, 9):
        ims, _ = samples(snapshot, 3, 4, np.full(3, c))
        np.testing.assert_array_equal(read(tmp_path / f'{c}.png')[-8:], make_sheet(ims, 1, 3, gap=GAP))


def test_unconditional(unconditional, tmp_path, capsys):
    assert command(unconditional, tmp_path, '--rows', 2, '--columns', 3) == 0
    assert '1 sheet of 2x3 images' in capsys.readouterr().out and set(files_in(tmp_path)) == {'samples.png'}
    assert read(tmp_path / 'samples.png').shape == (2 * 8 * 21 + GAP, 3 * 8 * 21 + 2 * GAP, 3)  # without a heading
    assert command(unconditional, tmp_path, '--classes', 0) == 2


def test_defaults_of_a_snapshot_without_its_folder(snapshot, tmp_path, monkeypatch):
    """As the authors publish them, from another folder: all classes, five by five and about 512 px, beside it."""
    (tmp_path / 'alone.npz').write_bytes(snapshot.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert run(gen_images.main, '--snapshot', 'alone.npz', '--config', write_config(tmp_path), '--gpu', -1) == 0
    sheets = {path.name: read(path) for path in (tmp_path / 'gen_images').iterdir()}
    assert set(sheets) == {f'{c}.png' for c in range(10)}
    side = 5 * 8 * 13 + 4 * GAP
    for c in range(10):
        sheet = sheets[f'{c}.png']
        np.testing.assert_array_equal(with_columns_named(sheet[-side:], [f'{c}: {CLASS_NAMES[c]}']), sheet)
        assert sheet.shape[1] == side


def test_single_images_are_those_that_are_scored(snapshot, tmp_path):
    """As files and as .npz the images and labels that the scoring commands make with this seed."""
    expected, y = samples(snapshot, 103)
    for npz in ([], ['--npz']):
        assert command(snapshot, tmp_path, '--n', 103, *npz) == 0
    stored = open_images(tmp_path / 'samples.npz')
    np.testing.assert_array_equal(stored.ims, expected)
    np.testing.assert_array_equal(stored.labels, y)
    folder = open_images(tmp_path / 'images')
    order = np.lexsort((np.arange(103), np.array(CLASS_NAMES)[y]))
    np.testing.assert_array_equal(folder.load_ims(range(103)), expected[order])
    assert [folder.folders[c] for c in folder.labels] == [CLASS_NAMES[c] for c in y[order]]
    assert command(snapshot, tmp_path, '--n', 5, '--classes', 'two', 9, '--npz') == 0  # of classes in turn
    images = open_images(tmp_path / 'samples.npz')
    assert images.labels.tolist() == [2, 9, 2, 9, 2]
    np.testing.assert_array_equal(images.ims, samples(snapshot, 5, labels=images.labels)[0])


def test_grey_images(tmp_path):
    """Are grey as files, and RGB in sheets alone."""
    grey = write_snapshot(tmp_path, GREY)
    ims, y = samples(grey, 5)
    for options in (['--n', 5], ['--n', 5, '--npz'], []):
        assert command(grey, tmp_path / 'out', *options) == 0
    for k in range(5):
        with Image.open(tmp_path / 'out' / 'images' / CLASS_NAMES[y[k]] / f'{k}.png') as image:
            assert image.mode == 'L' and np.array_equal(np.asarray(image), ims[k, 0])
    with np.load(tmp_path / 'out' / 'samples.npz') as stored:
        np.testing.assert_array_equal(stored['ims'], ims, strict=True)
    assert read(tmp_path / 'out' / '0.png').shape[2] == 3
    for main in (gen_interpolated_images.main, nearest_neighbors.main):
        assert run(main, '--snapshot', grey, '--gpu', -1, '--results_dir', tmp_path / 'out') == 0


def test_earlier_files_are_kept_or_it_is_said(snapshot, tmp_path, capsys):
    sheet = ['--classes', 1, 2]
    for arguments in (sheet, [*sheet, '--n', 3], [*sheet, '--n', 3, '--npz']):
        assert command(snapshot, tmp_path, *arguments) == 0
    assert 'replaced' not in capsys.readouterr().err
    assert command(snapshot, tmp_path, *sheet, '--seed', 5) == 0
    assert f'{tmp_path}/1.png and 1 more: replaced; --results_dir keeps both' in capsys.readouterr().err
    assert command(snapshot, tmp_path, *sheet, '--n', 3, '--npz') == 0
    assert f'{tmp_path}/samples.npz: replaced' in capsys.readouterr().err
    assert command(snapshot, tmp_path, *sheet, '--n', 2) == 0
    assert f'{tmp_path}/images holds earlier files; it is now {tmp_path}/images.old-1' in capsys.readouterr().out
    assert len(files_in(tmp_path / 'images')) == 3 and len(files_in(tmp_path / 'images.old-1')) == 4


def test_truncation_and_standing_statistics(snapshot, tmp_path):
    """Both change the images, as their own functions do; standing statistics are those of the truncated latents."""
    plain = samples(snapshot, 4)[0]
    for truncation, n_batches in ((.5, 0), (None, 2), (.5, 2)):
        arguments = [] if truncation is None else ['--truncation', truncation]
        assert command(snapshot, tmp_path, '--n', 4, '--npz', '--standing', n_batches, *arguments) == 0
        gen = generator(snapshot)
        if n_batches:
            restate_statistics(gen, NoiseSampler(3, 10, seed=(1234, 1), truncation=truncation), n_batches)
        expected, _ = generate_ims(gen, 4, NoiseSampler(3, 10, seed=1234, truncation=truncation))
        np.testing.assert_array_equal(open_images(tmp_path / 'samples.npz').ims, expected)
        assert (expected != plain).any()


@pytest.mark.parametrize('npz', [[], ['--npz']])
def test_interrupted_it_leaves_what_was_there(snapshot, tmp_path, monkeypatch, npz):
    assert command(snapshot, tmp_path, *npz, '--n', 3) == 0
    before = files_in(tmp_path)

    def interrupted(*args):
        yield next(generate_batches(*args))
        raise KeyboardInterrupt
    monkeypatch.setattr(gen_images, 'generate_batches', interrupted)
    assert command(snapshot, tmp_path, *npz, '--n', 203) == 130
    assert files_in(tmp_path) == before and len(list(tmp_path.iterdir())) == 1


@pytest.mark.long
@pytest.mark.parametrize('npz', [[], ['--npz']])
def test_killed_it_leaves_nothing_for_long(snapshot, tmp_path, npz):
    """SIGTERM, as by `timeout` or a batch system: nothing; after SIGKILL the next run removes what is left."""
    out = tmp_path / 'out'
    arguments = [sys.executable, COMMAND, '--snapshot', snapshot, '--gpu', -1, '--results_dir', out, *npz]

    def has_written_some():
        return list(out.glob('.*.part/*/*.png')) or [p for p in out.glob('.*.part') if p.stat().st_size > 10 ** 4]
    for number, expected, left in ((signal.SIGTERM, (128 + signal.SIGTERM, 'terminated\n'), 0),
                                   (signal.SIGKILL, (-signal.SIGKILL, ''), 1)):
        process = children.start(*arguments, '--n', 10 ** 7)
        children.wait_until(has_written_some, process)
        process.send_signal(number)
        assert children.finish(process)[::2] == expected
        assert out.exists() == bool(left) and len(list(out.glob('.*'))) == left
    status, _, errors = children.run(*arguments, '--n', 3)
    assert status == 0, errors
    assert [path.name for path in out.iterdir()] == ['samples.npz' if npz else 'images']


def test_the_generator_that_comes_with_the_project(tmp_path, monkeypatch, capsys):
    """Where none is named: from any folder, into one below it, legible by the judge that comes with it; and morphs."""
    monkeypatch.chdir(tmp_path)
    for main, more in ((gen_images.main, ('--n', 200, '--npz')), (gen_images.main, ('--classes', 'seven')),
                       (gen_interpolated_images.main, ('--classes', 3, 8))):
        assert run(main, '--gpu', -1, *more) == 0
        captured = capsys.readouterr()
        assert re.search(r'^no --snapshot: .*gen_models/mnist/ResNetGenerator_\w+\.npz, trained on MNIST, is taken$',
                         captured.err, re.M)
        assert 'results/gen_images/' in captured.out
    assert set(files_in(tmp_path / 'results')) == {
        f'gen_images/{name}' for name in ('samples.npz', '7.png', 'interpolated_images_3-8.png')}
    with np.load('results/gen_images/samples.npz') as samples:
        _, probs = load_feature_network('mnist')(samples['ims'])
        assert recognized_share(probs, samples['labels']) >= .97


def test_a_config_goes_with_a_snapshot(capsys):
    for main in (gen_images.main, gen_interpolated_images.main):
        assert run(main, '--config', 'x.yml') == 2
        assert 'error: --config goes with --snapshot' in capsys.readouterr().err
