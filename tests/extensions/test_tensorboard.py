import json
import struct
import sys

import train
from tests.narrow import run, write_config

import pytest


def events_of(folder):
    """[(step, tag, number or None for a picture)] of all files in order, and the steps from which is anew."""
    from tensorboardX.proto.event_pb2 import Event, SessionLog
    found, anew = [], []
    for path in sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime_ns):
        content = path.read_bytes()
        while content:
            length, = struct.unpack('<Q', content[:8])
            event = Event.FromString(content[12:12 + length])
            content = content[16 + length:]
            if event.session_log.status == SessionLog.START:
                anew.append(event.step)
            for value in event.summary.value:
                is_image = value.HasField('image')
                found.append((event.step, value.tag, None if is_image else value.simple_value))
    return found, anew


@pytest.fixture
def arguments(tmp_path):
    config = write_config(tmp_path, {'tensorboard': True, 'iteration': 4, 'display_interval': 1, 'adam': {'alpha': .01},
                                     'updater.args.ema': .9, 'iteration_decay_start': 2})
    return ['--config', config, '--results_dir', tmp_path / 'out', '--gpu', -1]


def test_events_are_the_log(arguments, tmp_path):
    """A resumed run takes back what came later."""
    pytest.importorskip('tensorboardX', reason='needs the extra `tensorboard`')
    out = tmp_path / 'out'
    assert run(train.main, *arguments) == 0
    found, anew = events_of(out / 'tensorboard')
    log = json.loads((out / 'log.json').read_text())
    for entry in log:
        for name, tag in (('loss_gen', 'loss/gen'), ('loss_dis', 'loss/dis')):
            value, = [v for step, t, v in found if (step, t) == (entry['iteration'], tag)]
            assert value == pytest.approx(entry[name])
    alphas = [v for _, tag, v in found if tag == 'alpha/opt_gen']
    assert alphas == pytest.approx([.01, .01, .005, 0])
    assert [(step, tag) for step, tag, v in found if v is None] == [
        (step, tag) for step in (2, 4) for tag in ('preview', 'preview_ema')]
    assert anew == []
    (out / 'snapshot_iter_4').unlink()
    assert run(train.main, *arguments, '--resume', 'auto') == 0
    found, anew = events_of(out / 'tensorboard')
    assert anew == [3]
    assert [step for step, tag, _ in found if tag == 'loss/gen'] == [1, 2, 3, 4, 3, 4]


def test_what_to_install_is_said(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'tensorboardX', None)
    assert run(train.main, *arguments) == 2
    error = capsys.readouterr().err
    assert 'tensorboard: true needs tensorboardX' in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()
