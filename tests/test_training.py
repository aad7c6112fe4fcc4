import sys
from types import SimpleNamespace

from source.training import EveryAndLast, build_trainer, build_training
from source.yaml_utils import load_config
from tests import children
from tests.narrow import write_config

import chainer
import pytest
from chainer.training import trigger as trigger_module


@pytest.mark.parametrize('interval, last, fires', [(3, 8, [3, 6, 8]), (4, 8, [4, 8]), (10, 8, [8]), (1, 2, [1, 2])])
def test_every_and_last(interval, last, fires):
    trigger = trigger_module.get_trigger(EveryAndLast(interval, last))
    trainers = [SimpleNamespace(updater=SimpleNamespace(iteration=k)) for k in range(1, last + 1)]
    assert [t.updater.iteration for t in trainers if trigger(t)] == fires


def test_step_size_decays_linearly_to_zero(tmp_path):
    """α stays until `iteration_decay_start` updates are made, and falls by equal steps to 0 after the last."""
    path = write_config(tmp_path, {'iteration': 5, 'iteration_decay_start': 2, 'display_interval': 5,
                                   'snapshot_interval': 5, 'evaluation_interval': 5, 'adam': {'alpha': .3}})
    trainer = build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), tmp_path / 'out')
    used = []
    for optimizer in trainer.updater.get_all_optimizers().values():
        hook_alphas = []
        optimizer.add_hook(lambda o, alphas=hook_alphas: alphas.append(o.alpha), name='alpha')
        used.append(hook_alphas)
    trainer.run()
    gen, dis = used
    assert gen == pytest.approx([.3, .3, .3, .2, .1])
    assert dis == pytest.approx([alpha for alpha in gen for _ in range(2)])
    assert trainer.updater.get_optimizer('opt_gen').alpha == pytest.approx(0)


PROGRAM = '''
import sys
import source
from source.training import build_trainer
from source.yaml_utils import load_config
import chainer
trainer = build_trainer(load_config(sys.argv[1]), sys.argv[1], chainer.get_device('@numpy'), 'out')
print('source.kernels.cpu' in sys.modules)
trainer.updater.update()
print(chainer.config.cpu_kernels, 'source.kernels.cpu' in sys.modules)
'''


@pytest.mark.parametrize('wanted, allowed, used', [(True, '1', True), (False, '1', False), (True, '0', False)])
def test_cpu_kernels_are_used_as_config_and_environment_say(tmp_path, wanted, allowed, used):
    """And from the start: they limit BLAS's threads, on whose number its bits depend."""
    path = write_config(tmp_path, {'cpu_kernels': wanted})
    _, stdout, stderr = children.python('-c', PROGRAM, path, env={'SNGAN_KERNELS': allowed})
    assert stdout.split() == [str(used)] * 3, stderr


@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
def test_precision_is_the_configs(tmp_path, monkeypatch, precision):
    monkeypatch.setattr(chainer.global_config, 'precision', 'tf32')
    path = write_config(tmp_path, {'precision': precision})
    build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), tmp_path / 'out')
    assert chainer.global_config.precision == precision


def test_bfloat16_needs_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(chainer.global_config, 'precision', 'tf32')
    monkeypatch.setitem(sys.modules, 'ml_dtypes', None)
    config = load_config(write_config(tmp_path, {'precision': 'bfloat16'}))
    with pytest.raises(ValueError, match='precision bfloat16 needs the package ml_dtypes: pip install ml_dtypes'):
        build_training(config, 'test', SimpleNamespace(xp='that of a GPU'))


def test_building_a_trainer_writes_nothing(tmp_path):
    path = write_config(tmp_path)
    build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), tmp_path / 'out')
    assert list(tmp_path.iterdir()) == [path]
