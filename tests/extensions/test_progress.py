import re
from types import SimpleNamespace

from source.extensions.progress import Progress, format_entry


def test_format_entry():
    entry = {'loss_gen': -1.23456, 'loss_dis': 2., 'epoch': 3, 'iteration': 250, 'elapsed_time': 9.5,
             'digits_fid': 1234.5}
    assert format_entry(entry) == 'iteration    250  loss_gen -1.235  loss_dis 2  digits_fid 1234'
    assert format_entry(entry, 'digits').endswith('digits_fid 1234  (a foreign judge)')
    assert format_entry(entry, 'inception') == format_entry(entry)


def test_shows_speed_time_left_and_every_new_entry(capsys, monkeypatch):
    log = SimpleNamespace(log=[{'iteration': 2, 'loss_gen': .5}])
    trainer = SimpleNamespace(updater=SimpleNamespace(iteration=2))
    progress = Progress(8, log)
    progress.finalize()  # which may come before it began
    progress.initialize(trainer)  # of a run resumed at 2: what the log holds has been shown
    for iteration in (3, 4, 5):
        trainer.updater.iteration = iteration
        if iteration == 4:
            log.log.append({'iteration': 4, 'loss_gen': .25})
        progress(trainer)
    progress.bar.refresh()
    progress.finalize()
    out, err = capsys.readouterr()
    assert out == 'iteration      4  loss_gen 0.25\n'
    assert '25%' in err.partition('3/8')[0]  # it starts where the run does
    assert re.search(r'62%\|.*\| 5/8 \[\d+:\d+<\d+:\d+, +[\d.]+(it/s|s/it)\]', err)
