"""The log, and what is made of it: curves, lines beside the progress bar, events of TensorBoard."""
import json
import re
import struct
import sys
from types import SimpleNamespace

import train
from source.extensions import curves
from source.extensions import progress as progress_module
from source.extensions.log import Log
from source.extensions.progress import Progress, format_entry
from source.files.line_log import LineLog
from source.training.triggers import EveryAndLast
from tests.narrow import run, write_config

import pytest
from matplotlib.figure import Figure

ENTRIES = [{'loss_gen': -1., 'loss_dis': 2., 'epoch': 0, 'iteration': 10, 'elapsed_time': 1.},
           {'loss_gen': -2.23456, 'loss_dis': 1., 'epoch': 0, 'iteration': 20, 'elapsed_time': 2., 'digits_is_mean': 3.,
            'digits_is_std': .1, 'digits_fid': 1234.5},
           {'loss_gen': -3., 'loss_dis': .5, 'epoch': 1, 'iteration': 30, 'elapsed_time': 3.}]


def trainer_in(folder):
    return SimpleNamespace(out=str(folder), is_before_training=False, elapsed_time=0., observation={},
                           updater=SimpleNamespace(epoch=0, iteration=0))


def feed(log, trainer, losses):
    for loss in losses:
        trainer.updater.iteration += 1
        trainer.observation = {'loss_gen': loss}
        log(trainer)


@pytest.mark.parametrize('kind', ['missing', 'dangling', 'good', 'file'])
def test_entries_are_means_since_the_last(tmp_path, kind):
    """The authors' name points at them: a link is made, or made good; a file of theirs is kept."""
    if kind == 'file':
        (tmp_path / 'log').write_text('theirs')
    elif kind != 'missing':
        (tmp_path / 'log').symlink_to('log.json' if kind == 'good' else 'gone')
    log = Log(trigger=EveryAndLast(3, 5))
    feed(log, trainer_in(tmp_path), [1., 2., 6., 4., 5.])
    text = (tmp_path / 'log.json').read_text()
    assert json.loads(text) == log.log
    assert [(entry['iteration'], entry['loss_gen']) for entry in log.log] == [(3, 3.), (5, 4.5)]
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


def test_curves_of_losses_together_and_of_each_score(tmp_path, monkeypatch):
    drawn = []  # of each file its panels, of these {curve: points}

    def draw(figure, *_, **__):
        drawn.append([{line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in figure.axes])
    monkeypatch.setattr(Figure, 'savefig', draw)
    log = [{**entry, 'digits_ema_is_mean': 4.} if 'digits_is_mean' in entry else entry for entry in ENTRIES]
    log.append({**log[1], 'iteration': 40, 'digits_recognized': .5})
    curves.Curves(SimpleNamespace(log=log))(SimpleNamespace(out=str(tmp_path)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ['losses.png', 'scores.png']
    assert drawn == [
        [{'generator loss': [[10, -1.], [20, -2.23456], [30, -3.], [40, -2.23456]],
          'discriminator loss': [[10, 2.], [20, 1.], [30, .5], [40, 1.]]}],
        [{'weights of the iteration': [[20, 3.], [40, 3.]], 'averaged weights': [[20, 4.], [40, 4.]]},
         {'weights of the iteration': [[20, 1234.5], [40, 1234.5]]}]]


@pytest.mark.parametrize('n_entries, expected', [(0, []), (1, []), (2, ['losses.png']), (3, ['losses.png'])])
def test_nothing_is_drawn_of_a_single_point(tmp_path, n_entries, expected):
    """A file of an earlier run's scores is left."""
    (tmp_path / 'scores.png').write_bytes(b'earlier')
    curves.draw_curves(ENTRIES[:n_entries], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*expected, 'scores.png']
    assert (tmp_path / 'scores.png').read_bytes() == b'earlier'


@pytest.mark.parametrize('name, expected', [
    ('inception_fid', 'FID (inception network)'),
    ('digits_ema_is_mean', 'inception score (digits network)'),
    ('efficientnet_lite0_recognized', 'share recognized as their class (efficientnet_lite0 network)'),
    ('digits_intra_fid', 'intra-FID (digits network)'), ('loss_ac_gen', "generator's class loss"),
    ('loss_of_mine', 'loss of mine'), ('fid', 'fid')])
def test_titles_of_curves(name, expected):
    assert curves.title_of(name) == expected


def test_axes_of_curves(tmp_path, monkeypatch):
    """A long title is on two lines, as it would be cut off."""
    axes = []
    monkeypatch.setattr(Figure, 'savefig', lambda figure, *_, **__: axes.extend(figure.axes))
    log = [{'iteration': k, 'loss_gen': 1., 'digits_is_mean': 2., 'digits_ema_recognized': .5} for k in (1, 2)]
    curves.draw_curves(log, tmp_path)
    assert [axis.get_xlabel() for axis in axes] == ['Iteration'] * 3
    assert [axis.get_ylabel() for axis in axes] == [
        'Generator loss', 'Inception score (digits network)',
        'Share recognized as their class\n(digits network)']


@pytest.mark.parametrize('is_terminal', [True, False])
def test_progress_shows_speed_time_left_and_every_new_entry(monkeypatch, capsys, is_terminal):
    """In a file, which takes no line back, in plain lines."""
    now = [0.]
    monkeypatch.setattr(progress_module, 'draws_bars', lambda: is_terminal)
    monkeypatch.setattr(progress_module.time, 'monotonic', lambda: now[0])
    log, trainer = SimpleNamespace(log=[{'iteration': 2, 'loss_gen': .5}]), trainer_in('')
    progress = Progress(8, log)
    progress.finalize()  # which may come before it began
    trainer.updater.iteration = 2
    progress.initialize(trainer)  # of a run resumed at 2: what the log holds has been shown
    for iteration in (3, 4, 5):
        trainer.updater.iteration = iteration
        now[0] += 20.
        if iteration == 4:
            log.log.append(ENTRIES[1])
        progress(trainer)
    if is_terminal:
        progress.bar.refresh()
    progress.finalize()
    out, err = capsys.readouterr()
    expected = 'iteration     20  loss_gen -2.235  loss_dis 1  digits_is_mean 3  digits_is_std 0.1  digits_fid 1234'
    assert format_entry(ENTRIES[1], 'inception') == expected
    assert format_entry(ENTRIES[1], 'digits') == f'{expected}  (a foreign judge)'
    if not is_terminal:  # four of 20 s each are left
        assert (out, err) == (f'{expected}  left 1 min 20 s\n', '')
        return
    assert out == f'{expected}\n'
    assert '25%' in err.partition('3/8')[0]  # it starts where the run does
    assert re.search(r'62%\|.*\| 5/8 \[\d+:\d+<\d+:\d+, +[\d.]+(it/s|s/it)\]', err)


def events_of(folder):
    """[(step, tag, number or None for a picture)] of all files in order, and the steps from which is anew."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog
    found, anew = [], []
    for path in sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime_ns):
        content = path.read_bytes()
        while content:
            length, = struct.unpack('<Q', content[:8])
            event, content = Event.FromString(content[12:12 + length]), content[16 + length:]
            if event.session_log.status == SessionLog.START:
                anew.append(event.step)
            found.extend((event.step, value.tag, None if value.HasField('image') else value.simple_value)
                         for value in event.summary.value)
    return found, anew


@pytest.fixture
def arguments(tmp_path):
    config = write_config(tmp_path, {'tensorboard': True, 'iteration': 4, 'display_interval': 1, 'adam': {'alpha': .01},
                                     'updater.args.ema': .9, 'iteration_decay_start': 2})
    return ['--config', config, '--results_dir', tmp_path / 'out', '--gpu', -1]


def test_events_of_tensorboard_are_the_log(arguments, tmp_path):
    pytest.importorskip('tensorboardX', reason='needs the extra `tensorboard`')
    out = tmp_path / 'out'
    assert run(train.main, *arguments) == 0
    found, anew = events_of(out / 'tensorboard')
    for entry in json.loads((out / 'log.json').read_text()):
        for name, tag in (('loss_gen', 'loss/gen'), ('loss_dis', 'loss/dis')):
            value, = [v for step, t, v in found if (step, t) == (entry['iteration'], tag)]
            assert value == pytest.approx(entry[name])
    assert [v for _, tag, v in found if tag == 'alpha/opt_gen'] == pytest.approx([.01, .01, .005, 0])
    assert [(step, tag) for step, tag, v in found if v is None] == [
        (step, tag) for step in (2, 4) for tag in ('preview', 'preview_ema')]
    assert anew == []
    (out / 'snapshot_iter_4').unlink()
    assert run(train.main, *arguments, '--resume', 'auto') == 0
    found, anew = events_of(out / 'tensorboard')
    assert anew == [3]
    assert [step for step, tag, _ in found if tag == 'loss/gen'] == [1, 2, 3, 4, 3, 4]


def test_what_to_install_for_tensorboard_is_said(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'tensorboardX', None)
    assert run(train.main, *arguments) == 2
    error = capsys.readouterr().err
    assert 'tensorboard: true needs tensorboardX' in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()
