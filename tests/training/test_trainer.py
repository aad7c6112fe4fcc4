import sys
from types import SimpleNamespace

from source.config.yaml_utils import load_config
from source.training.assembly import build_training
from source.training.trainer import build_trainer
from tests import children
from tests.narrow import write_config

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('alpha_dis, shares', [(None, (1, 1)), (.1, (1, 1 / 3)), (0., (1, 0))])
def test_step_sizes_decay_linearly_to_zero(tmp_path, alpha_dis, shares):
    """α stays until `iteration_decay_start` updates are made, and falls by equal steps to 0 after the last."""
    path = write_config(tmp_path, {'iteration': 5, 'iteration_decay_start': 2, 'display_interval': 5,
                                   'snapshot_interval': 5, 'evaluation_interval': 5,
                                   'adam': {'alpha': .3, 'alpha_dis': alpha_dis}})
    trainer = build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), tmp_path / 'out')
    used = {}
    for name, optimizer in trainer.updater.get_all_optimizers().items():
        used[name] = []
        optimizer.add_hook(lambda o, alphas=used[name]: alphas.append(o.alpha), name='alpha')
    trainer.run()
    expected = np.array([.3, .3, .3, .2, .1])
    assert used['opt_gen'] == pytest.approx(expected * shares[0])
    assert used['opt_dis'] == pytest.approx(np.repeat(expected * shares[1], 2))
    assert [optimizer.alpha for optimizer in trainer.updater.get_all_optimizers().values()] == pytest.approx([0, 0])


PROGRAM = '''
import sys
from source.training.trainer import build_trainer
from source.config.yaml_utils import load_config
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


def test_precision_is_the_configs(tmp_path, monkeypatch):
    """On a GPU bfloat16 needs its package."""
    monkeypatch.setattr(chainer.global_config, 'precision', 'tf32')
    for precision in ('float32', 'bfloat16'):
        config = load_config(write_config(tmp_path, {'precision': precision}))
        build_training(config, 'test', chainer.get_device('@numpy'))
        assert chainer.global_config.precision == precision
    monkeypatch.setitem(sys.modules, 'ml_dtypes', None)
    with pytest.raises(ValueError, match='precision bfloat16 needs the package ml_dtypes: pip install ml_dtypes'):
        build_training(config, 'test', SimpleNamespace(xp='that of a GPU'))


def test_snapshots_come_last(tmp_path):
    """After everything that changes state or writes the log, or a resumed run would lack it."""
    path = write_config(tmp_path)
    trainer = build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), tmp_path)
    priorities = {name: entry.priority for name, entry in trainer._extensions.items()}
    assert priorities.pop('SaveSnapshots') < min(priorities.values())
