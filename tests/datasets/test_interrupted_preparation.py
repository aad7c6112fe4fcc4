"""A preparation that is killed, interrupted, out of room or not alone goes on to the same bytes, or says why not."""
import contextlib
import errno
import functools
import itertools
import json
import os
import signal
import sys
import time

from source.datasets import preparation
from source.datasets.prepare_imagenet import main
from source.miscs.lock import claimed
from tests import children
from tests.datasets.imagenet_tree import arguments_of, refused, report_of
from tests.narrow import files_in, run

import pytest

COMMAND = '''
from source.datasets import preparation
from source.datasets.prepare_imagenet import main
preparation.CHUNK, preparation.SYNC_EVERY = 1, 2
main()
'''


def test_interrupted_it_goes_on(tree, prepared, tmp_path, monkeypatch, capsys):
    """By Ctrl-C, when some images are in the journal and others are written."""
    monkeypatch.setattr(preparation, 'CHUNK', 2)
    monkeypatch.setattr(preparation, 'SYNC_EVERY', 4)
    write, n_written = preparation.PackedWriter.write, itertools.count(1)

    def interrupting(self, ims):
        if next(n_written) == 6:
            signal.raise_signal(signal.SIGINT)
        return write(self, ims)
    with monkeypatch.context() as patch:
        patch.setattr(preparation.PackedWriter, 'write', interrupting)
        assert run(main, *arguments_of(tree, tmp_path, 2)) == 130
    assert capsys.readouterr().err.splitlines()[-1] == 'interrupted; run the same command again to go on'
    assert len((tmp_path / 'train_48.part/journal.jsonl').read_text().splitlines()) == 3
    assert run(main, *arguments_of(tree, tmp_path, 2)) == 0
    assert files_in(tmp_path) == files_in(prepared)


@pytest.mark.long
def test_killed_at_any_moment_it_goes_on(tree, prepared, tmp_path):
    """SIGKILL whenever the journal has another line, till it is through; then every file is what one run makes."""
    journal, kills, status = tmp_path / 'train_48.part/journal.jsonl', 0, None

    def n_lines():
        return len(journal.read_bytes().splitlines()) if journal.exists() else 0
    while status != 0:
        process, before = children.start(sys.executable, '-c', COMMAND, *arguments_of(tree, tmp_path, 2)), n_lines()
        children.wait_until(lambda before=before, process=process: n_lines() > before or process.poll() is not None)
        process.kill()
        status, _, errors = children.finish(process)
        assert status in (0, -signal.SIGKILL), errors
        kills += status != 0
    assert kills > 0
    assert files_in(tmp_path) == files_in(prepared)


class Killed(BaseException):
    pass


def stopped_at(k, patches, arguments):
    """Whether the command was stopped, at the k-th rename or sync."""
    n_calls = itertools.count()

    def call(function, *args):
        if next(n_calls) >= k:
            raise Killed
        return function(*args)
    with patches.context() as patch, contextlib.suppress(Killed):
        for name in ('replace', 'rename', 'fsync'):
            patch.setattr(os, name, functools.partial(call, getattr(os, name)))
        run(main, *arguments)
    return next(n_calls) > k


@pytest.mark.parametrize('step, formats, least', [(1, ['packed'], 20), (7, ['packed', 'folder'], 7)])
def test_stopped_at_every_write_it_goes_on(tree, prepared, tmp_path, monkeypatch, step, formats, least):
    """At each `step`-th of its writes; then the command is run once more."""
    monkeypatch.setattr(preparation, 'CHUNK', 5)
    monkeypatch.setattr(preparation, 'SYNC_EVERY', 15)
    expected = {name: content for name, content in files_in(prepared).items() if 'folder' in formats or '/' not in name}
    expected_report = {**json.loads(expected.pop('train_48_report.json')), 'made_of': None}
    for k in itertools.count(0, step):
        arguments = [*arguments_of(tree, tmp_path / str(k))[:-2], *formats]
        stopped = stopped_at(k, monkeypatch, arguments)
        assert run(main, *arguments) == 0
        found = files_in(tmp_path / str(k))
        assert {**json.loads(found.pop('train_48_report.json')), 'made_of': None} == expected_report
        assert found == expected
        if not stopped:
            break
    assert k >= least * step


def test_a_bounded_number_of_images_is_held(tree, tmp_path, monkeypatch):
    """However slow the disk is: what workers have prepared and nobody has written yet."""
    started, held = [], []
    prepare_chunk, write = preparation.prepare_chunk, preparation.PackedWriter.write

    def counted(*args):
        started.append(1)
        return prepare_chunk(*args)

    def slow(self, ims):
        time.sleep(.01)
        held.append(len(started) - len(held))
        return write(self, ims)
    monkeypatch.setattr(preparation, 'prepare_chunk', counted)
    monkeypatch.setattr(preparation.PackedWriter, 'write', slow)
    monkeypatch.setattr(preparation, 'CHUNK', 1)
    assert run(main, '--train', tree[0], '--out', tmp_path, '--size', 8, '--workers', 2) == 0
    assert len(held) == len(started) == 34 and 1 < max(held) <= 2 * 2 + 1


def test_a_full_disk_or_another_process_is_told_before(tree, tmp_path, capsys, monkeypatch):
    arguments = '--train', tree[0], '--out', tmp_path, '--size', 64
    with monkeypatch.context() as patch:
        patch.setattr(preparation.shutil, 'disk_usage', lambda path: type('', (), {'free': 10 ** 5}))
        assert 'expected room for 0.0 GB of images, found 0.0 GB free' in refused(capsys, *arguments)
    (tmp_path / 'train_64.part').mkdir(exist_ok=True)
    with claimed(tmp_path / 'train_64.part', ''):
        assert 'train_64.part: another process is at work in it' in refused(capsys, *arguments)


def test_a_disk_that_fills_up(tree, prepared, tmp_path):
    """One line that names the file; with room again the same command goes on to the same bytes."""
    limit = 'import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))'
    status, _, errors = children.python('-c', limit + COMMAND, *arguments_of(tree, tmp_path))
    assert status == 2 and 'Traceback' not in errors
    assert errors.splitlines()[-1].endswith(f'{tmp_path}/train_48.part/images.npy: File too large')
    assert [p.name for p in tmp_path.iterdir()] == ['train_48.part']
    assert run(main, *arguments_of(tree, tmp_path)) == 0
    assert files_in(tmp_path) == files_in(prepared)


def test_a_part_folder_that_cannot_be_removed(tree, tmp_path, monkeypatch):
    """As on NFS, which keeps an open lock file in it under another name; all is published by then."""
    def rmdir_of_nfs(path, **_):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
    arguments = '--train', tree[0], '--out', tmp_path, '--size', 8
    with monkeypatch.context() as patch:
        patch.setattr(os, 'rmdir', rmdir_of_nfs)
        assert run(main, *arguments) == 0
    assert report_of(tmp_path, 'train_8')['n_images'] == 30 and (tmp_path / 'train_8.part').exists()
    assert run(main, *arguments) == 0
    assert not (tmp_path / 'train_8.part').exists()
