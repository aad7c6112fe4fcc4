import json

import train
from source.averaged_generator import AveragedGenerator
from source.build import NETWORKS, build_models
from source.miscs.snapshots import load_model
from source.yaml_utils import load_config
from tests.feature_network import FakeFeatureNetwork
from tests.gpu_road import state_of
from tests.narrow import run, write_config
from tests.test_updater import Recorder, make, models

import numpy as np
import pytest


@pytest.mark.parametrize('decay', [.5, .05])
def test_against_the_formula(decay):
    """Every float, batch statistics included, from the generator's states after each iteration; which stay the same."""
    (gen, dis), (plain_gen, plain_dis) = models(), models()
    updater, plain = make(gen, dis, Recorder(), ema=decay), make(plain_gen, plain_dis, Recorder())
    expected = state_of(gen)
    for t in range(1, 5):
        updater.update()
        plain.update()
        d = min(decay, (1 + t) / (10 + t))
        expected = {name: d * expected[name] + (1 - d) * new if new.dtype.kind == 'f' else new
                    for name, new in state_of(plain_gen).items()}
    found, raw = state_of(updater.ema.gen), state_of(gen)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
        np.testing.assert_array_equal(raw[name], state_of(plain_gen)[name], name)
    assert np.abs(found['block2/c1/W'] - raw['block2/c1/W']).max() > (1e-5 if decay == .5 else 1e-7)


@pytest.mark.parametrize('decay', [0., 1., float('nan')])
def test_decay_between_0_and_1(decay):
    with pytest.raises(ValueError, match='ema, the decay of averaged weights, must be between 0 and 1, got '):
        AveragedGenerator(models()[0], decay)


def test_saved_and_scored_beside_the_raw_ones(tmp_path, monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
    config = write_config(tmp_path, {'updater.args.ema': .9, 'iteration': 3,
                                     'evaluation': {'network': 'digits', 'n_images': 20, 'splits': 2}})
    out = tmp_path / 'out'
    assert run(train.main, '--config', config, '--results_dir', out, '--gpu', -1) == 0
    gens = []
    for name in ('ResNetGenerator_3.npz', 'ResNetGenerator_ema_3.npz'):
        gen, _ = build_models(load_config(config), 'config')
        load_model(out / name, gen)
        gens.append(state_of(gen))
    assert (gens[0]['block2/c1/W'] != gens[1]['block2/c1/W']).any()
    entry = json.loads((out / 'log.json').read_text())[-1]
    assert {'digits_fid', 'digits_is_mean', 'digits_ema_fid', 'digits_ema_is_mean'} <= set(entry)
    assert entry['digits_fid'] != entry['digits_ema_fid']
    for folder in ('preview', 'preview_ema'):
        assert (out / folder / '00000003.png').exists()
    assert (out / 'preview' / '00000003.png').read_bytes() != (out / 'preview_ema' / '00000003.png').read_bytes()
