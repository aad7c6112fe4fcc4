from source.extensions.save_snapshots import SaveSnapshots
from source.miscs.snapshots import load_model, load_trainer
from source.training import build_trainer
from source.yaml_utils import load_config
from tests.narrow import write_config

import chainer
import numpy as np


def build(folder, seed):
    path = write_config(folder, {'seed': seed})
    return build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), folder)


def test_names_and_contents(tmp_path):
    """Model files under their class names, and one from which training goes on; each loads into networks made anew."""
    trainer, other = build(tmp_path, 1), build(tmp_path, 2)
    trainer.updater.update()
    SaveSnapshots([trainer.updater.gen, trainer.updater.dis])(trainer_as_running(trainer))
    names = {p.name for p in tmp_path.iterdir()} - {'narrow.yml'}
    assert names == {'ResNetGenerator_1.npz', 'SNResNetProjectionDiscriminator_1.npz', 'snapshot_iter_1'}
    load_model(tmp_path / 'ResNetGenerator_1.npz', other.updater.gen)
    assert_same(trainer.updater.gen, other.updater.gen)
    load_trainer(tmp_path / 'snapshot_iter_1', other)
    assert_same(trainer.updater, other.updater)
    assert other.updater.iteration == 1


def trainer_as_running(trainer):
    trainer._start_at = 0.  # Chainer tells the time of a trainer that runs only
    return trainer


def assert_same(one, other):
    targets = []
    for obj in (one, other):
        target = chainer.serializers.DictionarySerializer()
        target.save(obj)
        targets.append(target.target)
    assert targets[0].keys() == targets[1].keys()
    for name, value in targets[0].items():
        np.testing.assert_array_equal(value, targets[1][name])


def test_comes_last(tmp_path):
    """After everything that changes state or writes the log, or a resumed run would lack it."""
    trainer = build(tmp_path, 1)
    priorities = {name: entry.priority for name, entry in trainer._extensions.items()}
    assert priorities.pop('SaveSnapshots') < min(priorities.values())
