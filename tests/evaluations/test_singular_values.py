import json

from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from evaluations import singular_values
from source.miscs.snapshots import load_model, save_snapshot
from source.scoring.spectra import spectra_of
from tests.evaluations.test_gen_images import read, write_snapshots
from tests.narrow import files_in, run

import numpy as np
import pytest


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('results')
    write_snapshots(folder)
    return folder


def discriminator(path):
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=10)
    load_model(path, dis)
    return dis


def test_values_of_the_normalized_and_the_stored_weights(folder, tmp_path, capsys):
    path = folder / 'SNResNetProjectionDiscriminator_2.npz'
    assert run(singular_values.main, '--snapshot', path, '--results_dir', tmp_path) == 0
    assert set(files_in(tmp_path)) == {f'{path.stem}.png', f'{path.stem}.json'}
    record = json.loads((tmp_path / f'{path.stem}.json').read_text())[path.stem]
    dis = discriminator(path)
    assert set(record['layers']) == {name.strip('/') for name, link in dis.namedlinks() if hasattr(type(link), 'W_bar')}
    for name, layer in record['layers'].items():
        link = dict(dis.namedlinks())[f'/{name}']
        W = link.W.array.reshape(len(link.W.array), -1)
        v = link.u @ W
        sigma = np.linalg.norm(v @ W.T) / np.linalg.norm(v)  # after one iteration from u
        expected = np.linalg.svd(W, compute_uv=False)
        assert layer['raw'] == pytest.approx(expected[0], rel=1e-4)
        np.testing.assert_allclose(layer['values'], expected / sigma, rtol=1e-3, atol=1e-5)
    sigmas = {name: layer['values'][0] for name, layer in record['layers'].items()}
    blocks = [(sigmas.get(f'block{i}/c_sc', 1) + sigmas[f'block{i}/c1'] * sigmas[f'block{i}/c2']) for i in range(1, 5)]
    assert record['bound'] == pytest.approx(np.prod(blocks) * (sigmas['l5'] + sigmas['l_y']), rel=1e-4)
    raw = {name: layer['raw'] for name, layer in record['layers'].items()}
    blocks = [(raw.get(f'block{i}/c_sc', 1) + raw[f'block{i}/c1'] * raw[f'block{i}/c2']) for i in range(1, 5)]
    assert record['raw_bound'] == pytest.approx(np.prod(blocks) * (raw['l5'] + raw['l_y']), rel=1e-4)
    assert record['raw_bound'] != pytest.approx(record['bound'], rel=.01)
    assert f'= {record["bound"]:.4g}' in capsys.readouterr().out
    assert read(tmp_path / f'{path.stem}.png').std() > 10


def test_several_and_what_is_replaced(folder, tmp_path, capsys):
    paths = [folder / 'SNResNetProjectionDiscriminator_2.npz', tmp_path / 'SNResNetProjectionDiscriminator_2.npz']
    dis = discriminator(paths[0])
    dis.block3.c1.W.array[0] *= 5
    save_snapshot(paths[1], dis)
    for k in range(2):
        assert run(singular_values.main, '--snapshot', *paths, '--config', folder / 'config.yml', '--results_dir',
                   tmp_path / 'out') == 0
        assert capsys.readouterr().err.count('comparison.png: replaced') == k
    record = json.loads((tmp_path / 'out' / 'comparison.json').read_text())
    assert len(record) == 3 and 'versions' in record


def test_weights_that_are_not_finite():
    dis = SNResNetProjectionDiscriminator(ch=4)
    dis.block3.c1.W.array[0] = np.nan
    spectra = json.loads(json.dumps(spectra_of(dis), allow_nan=False))
    assert spectra['bound'] is spectra['layers']['block3/c1']['raw'] is spectra['factors']['block3'] is None


def test_refused(folder, tmp_path, capsys):
    path = folder / 'SNResNetProjectionDiscriminator_2.npz'
    for arguments, expected in ((['--snapshot', path, path], 'expected different files'),
                                (['--snapshot', tmp_path / 'none.npz'], f'{tmp_path}/none.npz: no such snapshot'),
                                (['--snapshot', folder], f'{folder}: expected a file as'),
                                (['--snapshot', folder / 'ResNetGenerator_2.npz'], 'needs block1/c1/W')):
        assert run(singular_values.main, *arguments, '--results_dir', tmp_path / 'out') == 2
        captured = capsys.readouterr()
        assert expected in captured.err and captured.err.count('\n') == 1
        assert not (tmp_path / 'out').exists()
