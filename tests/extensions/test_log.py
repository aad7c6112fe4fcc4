import json
from types import SimpleNamespace

from source.extensions.log import Log
from source.miscs.line_log import LineLog
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


@pytest.mark.parametrize('kind', ['missing', 'dangling', 'good', 'file'])
def test_authors_name_points_at_it(tmp_path, kind):
    """A link is made, or made good; a file of that name, which an authors' run left, is kept."""
    if kind == 'file':
        (tmp_path / 'log').write_text('theirs')
    elif kind != 'missing':
        (tmp_path / 'log').symlink_to('log.json' if kind == 'good' else 'gone')
    feed(Log(trigger=EveryAndLast(1, 9)), trainer_in(tmp_path), [1., 2.])
    text = (tmp_path / 'log.json').read_text()
    assert len(json.loads(text)) == 2
    assert (tmp_path / 'log').read_text() == ('theirs' if kind == 'file' else text)


@pytest.mark.parametrize('kept', [2, 0])
def test_a_resumed_run_takes_back_what_it_makes_again(tmp_path, kept):
    """What was lost stays in the append-only file, before the line that takes it back. Kept 0: another run's folder."""
    first, trainer = Log(trigger=EveryAndLast(1, 9)), trainer_in(tmp_path)
    feed(first, trainer, [1., 2., 3.])
    before = (tmp_path / 'log.jsonl').read_bytes()
    resumed, trainer = Log(trigger=EveryAndLast(1, 9)), trainer_in(tmp_path)
    trainer.updater.iteration, resumed._log = 2, first.log[:kept]
    resumed.initialize(trainer)
    feed(resumed, trainer, [4.])
    content = (tmp_path / 'log.jsonl').read_bytes()
    assert content.startswith(before + b'{"resumed_at": %d}\n' % kept)
    entries = LineLog(tmp_path / 'log.jsonl').entries
    assert entries == resumed.log == json.loads((tmp_path / 'log.json').read_text())
    assert [entry['loss_gen'] for entry in entries] == [1., 2., 4.][2 - kept:]
