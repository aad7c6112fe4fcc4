from source.extensions.save_snapshots import SaveSnapshots
from source.miscs.snapshots import load_model, load_trainer
from source.training import build_trainer
from source.yaml_utils import load_config
from tests.gpu_road import state_of
from tests.narrow import write_config

import chainer
import numpy as np


def build(folder, seed):
    path = write_config(folder, {'seed': seed})
    return build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), folder)


def assert_same(one, other):
    one, other = state_of(one), state_of(other)
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], name)


def test_names_and_contents(tmp_path):
    """Model files under their class names, and one from which training goes on; each loads into networks made anew."""
    trainer, other = build(tmp_path, 1), build(tmp_path, 2)
    trainer.updater.update()
    trainer._start_at = 0.  # Chainer tells the time of a trainer that runs only
    SaveSnapshots([trainer.updater.gen, trainer.updater.dis])(trainer)
    names = {p.name for p in tmp_path.iterdir()} - {'narrow.yml'}
    assert names == {'ResNetGenerator_1.npz', 'SNResNetProjectionDiscriminator_1.npz', 'snapshot_iter_1'}
    load_model(tmp_path / 'ResNetGenerator_1.npz', other.updater.gen)
    assert_same(trainer.updater.gen, other.updater.gen)
    load_trainer(tmp_path / 'snapshot_iter_1', other)
    assert_same(trainer.updater, other.updater)
    assert other.updater.iteration == 1


def test_comes_last(tmp_path):
    """After everything that changes state or writes the log, or a resumed run would lack it."""
    priorities = {name: entry.priority for name, entry in build(tmp_path, 1)._extensions.items()}
    assert priorities.pop('SaveSnapshots') < min(priorities.values())
