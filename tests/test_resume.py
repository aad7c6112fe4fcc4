"""The same seed gives the same bits, and a run resumed at any iteration gives those of the run that never stopped."""
import json
import os
import subprocess
import sys
from pathlib import Path

import train
from evaluations import gen_images
from source.config.build import NETWORKS
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import GREY, UNCONDITIONAL, files_in, run, write_config

import numpy as np
import pytest

FEW_DIGITS = '''
from source.datasets.digits import DigitsDataset


class FewDigits(DigitsDataset):
    def __init__(self, size):
        super().__init__('train', size)
        self.ims, self.labels = self.ims[:20], self.labels[:20]
'''
# 5 latents of 45 numbers: an odd count, so that NumPy's generator keeps a second normal number between draws. 2 × 4 of
# 20 images an iteration: batches that end one epoch and begin another. Entries of the log fall between snapshots.
CHANGES = {
    'iteration': 5, 'iteration_decay_start': 1, 'batchsize': 4, 'models.generator.args.dim_z': 45,
    'updater.args.n_gen_samples': 5, 'display_interval': 2, 'snapshot_interval': 1, 'evaluation_interval': 3,
    'dataset.dataset_fn': 'few.py', 'dataset.dataset_name': 'FewDigits',
    'snapshots.keep_last': 0, 'evaluation': {'network': 'digits', 'n_images': 20, 'splits': 2}}


@pytest.fixture(autouse=True)
def _fake_network(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())


def train_into(out, config, *arguments):
    assert run(train.main, '--config', config, '--results_dir', out, '--gpu', -1, *arguments) == 0
    return out


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('resume')
    (folder / 'few.py').write_text(FEW_DIGITS)
    return folder


@pytest.fixture(scope='module')
def unbroken(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
        return train_into(folder / 'unbroken', write_config(folder, CHANGES))


def test_a_run_that_the_version_before_the_rooms_left(tmp_path):
    """Of AC-GAN, whose updater its config.yml names where it lay; the generator is what that version went on to."""
    earlier = Path(__file__).parent / 'training' / 'earlier_run'
    out = train_into(tmp_path / 'out', earlier / 'config.yml', '--resume', earlier / 'snapshot_iter_2')
    with np.load(earlier / 'ResNetGenerator_4.npz') as expected, np.load(out / 'ResNetGenerator_4.npz') as found:
        assert sorted(found) == sorted(expected)
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert run(gen_images.main, '--snapshot', out / 'ResNetGenerator_4.npz', '--results_dir', tmp_path / 'images') == 0


def log_of(text):
    return [{k: v for k, v in entry.items() if k != 'elapsed_time'} for entry in json.loads(text)]


def state(path):
    """All of a snapshot as bytes, without the time that passed."""
    with np.load(path) as snapshot:
        arrays = {name: snapshot[name] for name in snapshot.files if name != '_snapshot_elapsed_time'}
    log = log_of(str(arrays.pop('extensions/log/_log')))
    return {**{name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}, 'log': log}


def assert_same(one, other, iteration):
    for name in (f'snapshot_iter_{iteration}', f'ResNetGenerator_{iteration}.npz',
                 f'SNResNetProjectionDiscriminator_{iteration}.npz'):
        expected = state(one / name) if name.startswith('snapshot') else bits(one / name)
        found = state(other / name) if name.startswith('snapshot') else bits(other / name)
        assert expected.keys() == found.keys()
        assert [k for k in expected if expected[k] != found[k]] == []
    assert log_of((one / 'log.json').read_text()) == log_of((other / 'log.json').read_text())


def bits(path):
    with np.load(path) as model:
        return {name: model[name].tobytes() for name in model.files}


def test_snapshots_hold_all_state(unbroken):
    """Also that the runs compared here do cross what they are meant to cross."""
    states = [state(unbroken / f'snapshot_iter_{k}') for k in range(1, 6)]
    parts = ('model:opt_gen/l1/W', 'model:opt_dis/block1/c1/u', 'model:opt_gen/block2/b1/avg_mean',
             'optimizer:opt_gen/l1/W/m', 'optimizer:opt_dis/l_y/W/v', 'optimizer:opt_gen/t', 'sampler/keys',
             'sampler/gauss', 'iterator:main/n_drawn', 'iteration')
    for part in parts:
        assert len({s[f'updater/{part}'] for s in states}) > 2, part
    has_gauss = [int.from_bytes(s['updater/sampler/has_gauss'][2], sys.byteorder) for s in states]
    assert set(has_gauss) == {0, 1}
    assert [len(s['log']) for s in states] == [0, 1, 1, 2, 3]
    assert [entry['epoch'] for entry in states[-1]['log']] == [0, 1, 2]
    assert 'digits_fid' in states[-1]['log'][1]


@pytest.mark.parametrize('k', [1, 2, 3, 4])
def test_resume_is_the_run_that_never_stopped(folder, unbroken, k):
    resumed = train_into(folder / f'from_{k}', folder / 'narrow.yml', '--resume', unbroken / f'snapshot_iter_{k}')
    assert_same(unbroken, resumed, 5)
    assert {p.name for p in resumed.glob('snapshot_iter_*')} == {f'snapshot_iter_{i}' for i in range(k + 1, 6)}
    later = [f'preview/{i:08d}.png' for i in (3, 5) if i > k]
    assert [(unbroken / name).read_bytes() for name in later] == [(resumed / name).read_bytes() for name in later]


def test_auto_goes_on_in_place(folder, unbroken, capsys):
    """Of a run that was killed: `auto` finds its last snapshot, keeps its files and writes the same rest."""
    killed = folder / 'killed'
    for path, content in files_in(unbroken).items():
        if path not in ('log', 'losses.png', 'scores.png') and '5' not in Path(path).name:
            (killed / path).parent.mkdir(parents=True, exist_ok=True)
            (killed / path).write_bytes(content)
    before = files_in(killed)
    train_into(killed, folder / 'narrow.yml', '--resume', 'auto')
    assert_same(unbroken, killed, 5)
    after = files_in(killed)
    assert {k for k in before if before[k] != after[k]} <= {'log.json', 'log.jsonl', 'config.yml'}
    assert not (folder / 'killed.old-1').exists()
    assert 'holds an earlier run' not in capsys.readouterr().out


def test_auto_without_a_snapshot_starts_anew_and_says_so(folder, unbroken, capsys):
    assert_same(unbroken, train_into(folder / 'anew', folder / 'narrow.yml', '--resume', 'auto'), 5)
    assert f'{folder / "anew"}: no snapshot to go on from; training starts from the beginning\n' in \
        capsys.readouterr().err


def test_resuming_elsewhere_sets_an_earlier_run_aside(folder, unbroken, capsys):
    other = folder / 'other'
    other.mkdir()
    (other / 'config.yml').write_text('seed: 3\n')
    train_into(other, folder / 'narrow.yml', '--resume', unbroken / 'snapshot_iter_4')
    assert f'{other} holds an earlier run; it is now {other}.old-1' in capsys.readouterr().out
    assert files_in(folder / 'other.old-1') == {'config.yml': b'seed: 3\n'}
    assert_same(unbroken, other, 5)


def test_resuming_a_finished_run_changes_nothing(folder, unbroken, capsys):
    """Its config says how it was trained, whatever it is resumed with, which is said."""
    before = files_in(unbroken)
    for options, said in ((), ''), (('--seed', 6, '--set', 'adam.beta1=.25'), (
            f'{folder}/narrow.yml: {unbroken}/snapshot_iter_5 was trained with other settings: seed 5, now 6, '
            'adam.beta1 0.0, now 0.25\n')):
        train_into(unbroken, folder / 'narrow.yml', '--resume', 'auto', *options)
        assert files_in(unbroken) == before
        assert capsys.readouterr().err.partition('snapshot_iter_5\n')[2] == said


def test_another_seed_gives_another_run(folder, unbroken):
    other = train_into(folder / 'seed', folder / 'narrow.yml', '--seed', 6, '--set', 'iteration=1',
                       '--set', 'iteration_decay_start=0')
    one, two = bits(unbroken / 'ResNetGenerator_1.npz'), bits(other / 'ResNetGenerator_1.npz')
    assert one.keys() == two.keys()
    assert [k for k in one if k.endswith('/W') and one[k] == two[k]] == []


def test_unconditional_run_resumes(tmp_path):
    config = write_config(tmp_path, {**UNCONDITIONAL, 'iteration': 3, 'snapshot_interval': 1, 'evaluation_interval': 3})
    whole = train_into(tmp_path / 'whole', config)
    assert_same(whole, train_into(tmp_path / 'resumed', config, '--resume', whole / 'snapshot_iter_1'), 3)


ALL_PENALTIES = {'gradient': {}, 'orthonormal': {'weight': .1}, 'spectral_norm': {}}


@pytest.mark.parametrize('changes', [
    {'updater.args.penalties': ALL_PENALTIES, 'updater.args.constraints': {'singular_value_clipping': {'every': 3}}},
    {'models.discriminator.args.norm': 'batch', 'updater.args.constraints': {'clipping': {}}},
    {'models.discriminator.args.norm': 'singular_values', 'updater.args.penalties': {'gradient': {}}},
    {'models.discriminator.args.norm': 'weight', 'models.discriminator.args.use_gamma': True},
    {'updater': {'fn': 'ac_updater.py', 'name': 'ACUpdater', 'args': {
        'n_dis': 2, 'n_gen_samples': 5, 'conditional': True, 'penalties': {'gradient': {}}}},
     'models.discriminator.name': 'SNResNetACDiscriminator'},
    {'updater.args.ema': .99, 'evaluation': {'network': 'digits', 'n_images': 20, 'splits': 2}},
    {**GREY, 'evaluation': {'network': 'digits', 'n_images': 20, 'splits': 2}},
    {'updater.args.augmentation': ['cutout', 'color', 'translation']},
    {'accumulate': 2, 'updater.args.penalties': {'gradient': {}}, 'updater.args.ema': .99},
], ids=['penalties', 'batch', 'singular_values', 'weight', 'ac', 'ema', 'grey', 'augmentation', 'parts'])
def test_every_method_resumes(tmp_path, changes):
    config = write_config(tmp_path, {**changes, 'iteration': 3, 'snapshot_interval': 1, 'evaluation_interval': 3})
    whole = train_into(tmp_path / 'whole', config)
    resumed = train_into(tmp_path / 'resumed', config, '--resume', whole / 'snapshot_iter_1')
    one, other = (state(out / 'snapshot_iter_3') for out in (whole, resumed))
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    penalties = changes.get('updater', {'args': {'penalties': changes.get('updater.args.penalties', {})}})
    with_state = set(penalties['args']['penalties']) - {'orthonormal'}
    assert {name.split('/')[2] for name in one if name.startswith('updater/penalties/')} == with_state


def test_same_bits_in_another_process(tmp_path):
    """Neither the order of Python's sets nor that of threads, nor what a process did before, decides anything.

    The first layer is wide enough for BLAS to share it among threads.
    """
    config = write_config(tmp_path, {
        'models.generator.args.ch': 64, 'models.generator.args.dim_z': 128, 'models.generator.args.bottom_width': 2,
        'dataset.args.size': 16, 'batchsize': 32, 'updater.args.n_gen_samples': 32, 'snapshot_interval': 1,
        'evaluation_interval': 9})
    outs = [tmp_path / seed for seed in ('1', '2', '3')]
    for out in outs:
        environment = {**os.environ, 'PYTHONHASHSEED': out.name, 'PYTHONPATH': str(Path(__file__).parent.parent)}
        resume = ['--resume', outs[0] / 'snapshot_iter_1'] if out == outs[2] else []
        subprocess.run([sys.executable, '-m', 'train', '--config', config, '--results_dir', out, '--gpu=-1', *resume],
                       env=environment, check=True, capture_output=True)
    for out in outs[1:]:
        assert_same(outs[0], out, 2)
