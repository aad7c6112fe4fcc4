"""A config of the project's is found by its name from any folder; a user's own file of that name wins, and is said."""
from pathlib import Path

import train
from source.config.shipped_configs import find_config, nearest_configs
from source.config.yaml_utils import load_config
from tests.children import ROOT
from tests.narrow import run

import pytest

SHIPPED = ROOT / 'configs' / 'methods' / 'weight.yml'


@pytest.mark.parametrize('name', ['methods/weight.yml', 'configs/methods/weight.yml'])
def test_by_name(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == str(SHIPPED)
    assert capsys.readouterr().err == f"{name}: the project's config is taken, {SHIPPED}\n"
    own = tmp_path / name
    own.parent.mkdir(parents=True)
    own.write_bytes(SHIPPED.read_bytes())  # as in a clone
    assert find_config(name) == name and capsys.readouterr().err == ''
    own.write_text('mine')
    assert find_config(name) == name
    assert capsys.readouterr().err == f"{name}: the file here is taken, not the project's config of this name\n"


@pytest.mark.parametrize('name', ['nothing.yml', '../setup.py', '/sn_cifar10.yml', 'methods', '', '.', 'a' * 5000])
def test_what_is_none(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == name and capsys.readouterr().err == ''


def test_extends(tmp_path):
    """A user's config extends the project's from any folder; a file beside it comes first."""
    mine = tmp_path / 'mine.yml'
    mine.write_text('extends: [sn_cnn_cifar10.yml, settings/D.yml, methods/wgan_gp.yml]\n')
    assert load_config(mine)['adam']['alpha'] == 1e-3
    (tmp_path / 'settings').mkdir()
    (tmp_path / 'settings' / 'D.yml').write_text('adam: {alpha: 3.}\n')
    assert load_config(mine)['adam']['alpha'] == 3.


def test_a_misspelt_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert nearest_configs(Path('methods/wieght.yml'))[0] == 'methods/weight.yml' and nearest_configs('a.yml') == []
    assert run(train.main, '--config', 'sn_projection_mnits.yml') == 2
    assert 'did you mean sn_projection_mnist.yml' in (said := capsys.readouterr().err) and said.count('\n') == 1
