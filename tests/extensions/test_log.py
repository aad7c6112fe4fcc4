import json
from types import SimpleNamespace

from source.extensions.log import Log
from source.training import EveryAndLast

import pytest


def trainer_in(folder):
    return SimpleNamespace(out=str(folder), is_before_training=False, elapsed_time=0., observation={},
                           updater=SimpleNamespace(epoch=0, iteration=0))


def feed(log, trainer, losses):
    for loss in losses:
        trainer.updater.iteration += 1
        trainer.observation = {'loss_gen': loss}
        log(trainer)


def test_entries_are_means_since_the_last(tmp_path):
    log, trainer = Log(trigger=EveryAndLast(3, 5)), trainer_in(tmp_path)
    feed(log, trainer, [1., 2., 6., 4., 5.])
    entries = json.loads((tmp_path / 'log.json').read_text())
    assert [(entry['iteration'], entry['loss_gen']) for entry in entries] == [(3, 3.), (5, 4.5)]
    assert log.log == entries


def test_authors_name_points_at_it(tmp_path):
    trainer = trainer_in(tmp_path)
    feed(Log(trigger=EveryAndLast(1, 9)), trainer, [1.])
    assert (tmp_path / 'log').read_text() == (tmp_path / 'log.json').read_text()


@pytest.mark.parametrize('kind', ['dangling', 'good', 'file'])
def test_authors_name_already_taken(tmp_path, kind):
    """A link is made good; a file of that name, which an authors' run left, is kept."""
    if kind == 'file':
        (tmp_path / 'log').write_text('theirs')
    else:
        (tmp_path / 'log').symlink_to('log.json' if kind == 'good' else 'gone')
    feed(Log(trigger=EveryAndLast(1, 9)), trainer_in(tmp_path), [1., 2.])
    text = (tmp_path / 'log.json').read_text()
    assert len(json.loads(text)) == 2
    assert (tmp_path / 'log').read_text() == ('theirs' if kind == 'file' else text)
