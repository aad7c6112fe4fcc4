import json

from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from evaluations import singular_values
from source.results_folder.snapshots import load_model, save_snapshot
from source.scoring.spectra import spectra_of
from tests.evaluations.scored_snapshot import read
from tests.narrow import files_in, run

import numpy as np
import pytest


@pytest.fixture
def path(snapshot):
    return snapshot.with_name('SNResNetProjectionDiscriminator_2.npz')


def bound(sigmas):
    """Equation 7 of the spectral norms of the layers."""
    blocks = [sigmas.get(f'block{i}/c_sc', 1) + sigmas[f'block{i}/c1'] * sigmas[f'block{i}/c2'] for i in range(1, 5)]
    return np.prod(blocks) * (sigmas['l5'] + sigmas['l_y'])


def test_values_of_the_normalized_and_the_stored_weights(path, tmp_path, capsys):
    assert run(singular_values.main, '--snapshot', path, '--results_dir', tmp_path) == 0
    assert set(files_in(tmp_path)) == {f'{path.stem}.png', f'{path.stem}.json'}
    record = json.loads((tmp_path / f'{path.stem}.json').read_text())[path.stem]
    dis = SNResNetProjectionDiscriminator(ch=4, n_classes=10)
    load_model(path, dis)
    assert set(record['layers']) == {name.strip('/') for name, link in dis.namedlinks() if hasattr(type(link), 'W_bar')}
    for name, layer in record['layers'].items():
        link = dict(dis.namedlinks())[f'/{name}']
        W = link.W.array.reshape(len(link.W.array), -1)
        v = link.u @ W
        sigma = np.linalg.norm(v @ W.T) / np.linalg.norm(v)  # after one iteration from u
        expected = np.linalg.svd(W, compute_uv=False)
        assert layer['raw'] == pytest.approx(expected[0], rel=1e-4)
        np.testing.assert_allclose(layer['values'], expected / sigma, rtol=1e-3, atol=1e-5)
    layers = record['layers'].items()
    assert record['bound'] == pytest.approx(bound({name: layer['values'][0] for name, layer in layers}), rel=1e-4)
    assert record['raw_bound'] == pytest.approx(bound({name: layer['raw'] for name, layer in layers}), rel=1e-4)
    assert record['raw_bound'] != pytest.approx(record['bound'], rel=.01)
    assert f'= {record["bound"]:.4g}' in capsys.readouterr().out
    assert read(tmp_path / f'{path.stem}.png').std() > 10


def test_several_and_what_is_replaced(path, tmp_path, capsys):
    save_snapshot(tmp_path / path.name, SNResNetProjectionDiscriminator(ch=4, n_classes=10))
    (tmp_path / 'comparison.png').write_text('mine')
    assert run(singular_values.main, '--snapshot', path, tmp_path / path.name, '--config', path.parent / 'config.yml',
               '--results_dir', tmp_path) == 0
    assert 'comparison.png: replaced' in capsys.readouterr().err
    assert len(json.loads((tmp_path / 'comparison.json').read_text()).keys() - {'versions'}) == 2


def test_weights_that_are_not_finite():
    dis = SNResNetProjectionDiscriminator(ch=4)
    dis.block3.c1.W.array[0] = np.nan
    spectra = json.loads(json.dumps(spectra_of(dis), allow_nan=False))
    assert spectra['bound'] is spectra['layers']['block3/c1']['raw'] is spectra['factors']['block3'] is None
