"""How long a quick run is, and that every config has one."""
from source.config.quick_lengths import MOST, QUICK, quick_lengths
from source.config.yaml_utils import load_config
from tests.children import ROOT

import pytest

PARTS = 'methods', 'settings', 'experiments'  # folders of what is no config by itself
CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.yml') if path.parent.name not in PARTS)


@pytest.mark.parametrize('path', CONFIGS, ids=[str(path.relative_to(ROOT / 'configs')) for path in CONFIGS])
def test_every_config(path):
    whole, quick = load_config(path), load_config(path, quick=True)
    assert quick['iteration'] == min(QUICK, whole['iteration'])
    assert quick['results_dir'] == f'{whole["results_dir"]}_quick'
    share = whole['iteration_decay_start'] / whole['iteration']
    assert abs(quick['iteration_decay_start'] / quick['iteration'] - share) < 1 / quick['iteration']
    for key, most in MOST.items():
        n_before, n = (-(-config['iteration'] // config[key]) for config in (whole, quick))
        assert 1 <= n <= min(most, n_before + 1)
    same = {*whole} - {'iteration', 'iteration_decay_start', 'results_dir', 'paper_row', *MOST}
    assert all(whole[key] == quick[key] for key in same) and quick['paper_row'] is None


@pytest.mark.parametrize('config, expected', [
    ((1500, 500, 100, 500, 500), (400, 133, 27, 133, 133)),
    ((450000, 400000, 100, 10000, 1000), (400, 355, 10, 100, 100)),
    ((450000, None, 100, 500000, 1000), (400, 400, 10, 444, 100)), ((3, 0, 1, 1, 2), (3, 0, 1, 1, 2))])
def test_lengths(config, expected):
    keys = 'iteration', 'iteration_decay_start', 'display_interval', 'snapshot_interval', 'evaluation_interval'
    assert quick_lengths(dict(zip(keys, config, strict=True))) == dict(zip(keys, expected, strict=True))


def test_what_is_set_is_kept(tmp_path):
    path = ROOT / 'configs' / 'sn_projection_mnist.yml'
    config = load_config(path, ['evaluation_interval=7', f'results_dir={tmp_path}'], quick=True)
    assert (config['iteration'], config['evaluation_interval'], config['results_dir']) == (QUICK, 7, str(tmp_path))
