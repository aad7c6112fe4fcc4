"""Which snapshots of a training stay: the last ones, the best, what a user named, and nobody else's files go."""
import train
from source.build import NETWORKS
from source.miscs.snapshots import load_trainer
from tests.feature_network import FakeFeatureNetwork
from tests.narrow import run, write_config

import pytest

PLAIN = {'cpu_kernels': False, 'display_interval': 6, 'snapshot_interval': 1, 'evaluation_interval': 99}


@pytest.fixture(autouse=True)
def _scores(monkeypatch):
    monkeypatch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
    fids = iter([5., 2., 8., 9., 7., 6.])
    monkeypatch.setattr('source.extensions.calc_scores.scores_of', lambda *_, **__: {'fid': next(fids)})


def kept(out, pattern):
    return sorted(int(path.stem.rpartition('_')[2]) for path in out.glob(pattern))


def train_into(out, *arguments, **changes):
    config = write_config(out.parent, {**PLAIN, 'evaluation_interval': 1, 'iteration': 6, 'evaluation': {
        'network': 'digits', 'n_images': 20, 'splits': 2}, **changes})
    assert run(train.main, '--config', config, '--results_dir', out, '--gpu', -1, *arguments) == 0


def test_a_resumed_run_remembers_the_best(tmp_path):
    """Models' files are kept with their snapshots."""
    out = tmp_path / 'out'
    few = {'snapshots': {'keep_last': 1, 'keep_best': 2, 'keep_models': 1}}
    train_into(out, iteration=3, **few)
    assert kept(out, 'snapshot_iter_*') == [1, 2, 3]
    train_into(out, '--resume', 'auto', **few)
    assert kept(out, 'snapshot_iter_*') == kept(out, 'ResNetGenerator_*') == kept(out, 'SNResNet*') == [1, 2, 6]


def test_the_last_and_the_best_are_kept_and_what_others_may_need(tmp_path):
    """The snapshot a user named, those of later iterations than the present, and files of other names."""
    out = tmp_path / 'out'
    train_into(out)
    assert kept(out, 'snapshot_iter_*') == [2, 4, 5, 6]
    assert kept(out, 'ResNetGenerator_*') == kept(out, 'SNResNet*') == [1, 2, 3, 4, 5, 6]
    others = ['snapshot_iter_best', 'snapshot_iter_1.npz', 'MyResNetGenerator_1.npz', 'ResNetGenerator_ema_1.npz']
    for name in others:
        (out / name).write_bytes(b'mine')
    one = {'keep_last': 1, 'keep_best': 0, 'keep_models': 1}
    config = write_config(tmp_path, {**PLAIN, 'iteration': 100, 'snapshots': one})
    trainer = train.build_trainer(train.load_config(config), str(config), train.get_device(-1), out,
                                  resume=out / 'snapshot_iter_2')
    load_trainer(out / 'snapshot_iter_2', trainer)
    trainer.stop_trigger.last = 4
    train.run(trainer)
    assert kept(out, 'snapshot_iter_[0-9]') == [2, 4, 5, 6]
    assert kept(out, 'ResNetGenerator_[0-9].npz') == [2, 4, 5, 6]
    assert all((out / name).read_bytes() == b'mine' for name in others)
