import json

import train
from source.config.build import NETWORKS
from source.iteration.averaged_generator import AveragedGenerator
from tests.feature_network import FakeFeatureNetwork
from tests.gpu_road import assert_same, state_of
from tests.narrow import run, write_config
from tests.test_updater import Recorder, make, models

import numpy as np
import pytest


@pytest.mark.parametrize('decay', [.5, .05])
def test_against_the_formula(decay):
    """Every float, batch statistics included, from the generator's states after each iteration; which stay the same."""
    updater, plain = make(*models(), Recorder(), ema=decay), make(*models(), Recorder())
    expected = state_of(updater.gen)
    for t in range(1, 5):
        updater.update()
        plain.update()
        d = min(decay, (1 + t) / (10 + t))
        expected = {name: d * expected[name] + (1 - d) * new if new.dtype.kind == 'f' else new
                    for name, new in state_of(plain.gen).items()}
    found, raw = state_of(updater.ema.gen), state_of(updater.gen)
    assert_same(raw, state_of(plain.gen))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
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
    raw, averaged = (np.load(out / f'ResNetGenerator{suffix}_3.npz') for suffix in ('', '_ema'))
    assert set(raw.files) == set(averaged.files) and (raw['block2/c1/W'] != averaged['block2/c1/W']).any()
    entry = json.loads((out / 'log.json').read_text())[-1]
    assert entry['digits_fid'] != entry['digits_ema_fid'] and {'digits_is_mean', 'digits_ema_is_mean'} <= set(entry)
    assert (out / 'preview/00000003.png').read_bytes() != (out / 'preview_ema/00000003.png').read_bytes()
