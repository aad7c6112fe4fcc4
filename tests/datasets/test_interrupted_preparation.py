"""A preparation that is killed, interrupted, out of room or not alone goes on to the same bytes, or says why not."""
import errno
import functools
import itertools
import json
import os
import signal
import time
from types import SimpleNamespace

from source.datasets import preparation
from source.datasets.preparation_report import are_entries
from source.datasets.prepare_imagenet import main
from source.files.lock import claimed
from tests import children
from tests.datasets.imagenet_tree import WNIDS, arguments_of, refused, report_of, write_tree
from tests.narrow import files_in, run

import pytest

COMMAND = '''
from source.datasets import preparation
from source.datasets.prepare_imagenet import main
preparation.CHUNK, preparation.SYNC_EVERY = 1, 2
main()
'''


@pytest.mark.long
def test_killed_at_any_moment_it_goes_on(tree, prepared, tmp_path):
    """SIGKILL whenever the journal has another line of two images, till all are in it."""
    killed = 'from source.files.journal import Journal\nadd = Journal.add\n' \
             'Journal.add = lambda *args: (add(*args), os.kill(os.getpid(), 9))'
    for expected in [-signal.SIGKILL] * 17 + [0]:
        status, _, errors = children.python('-c', f'import os\n{killed}{COMMAND}', *arguments_of(tree, tmp_path, 2))
        assert status == expected, errors
    assert files_in(tmp_path) == files_in(prepared)


def status_of(k, patches, arguments):
    """Of the command that is interrupted at its k-th rename or sync."""
    n_calls = itertools.count()

    def call(function, *args):
        if next(n_calls) >= k:
            raise KeyboardInterrupt
        return function(*args)
    with patches.context() as patch:
        for name in ('replace', 'rename', 'fsync'):
            patch.setattr(os, name, functools.partial(call, getattr(os, name)))
        return run(main, *arguments)


@pytest.mark.parametrize('step, formats, n_writes', [(1, ['packed'], 24), (7, ['packed', 'folder'], 57)])
def test_interrupted_at_any_write_it_goes_on(tree, prepared, tmp_path, monkeypatch, capsys, step, formats, n_writes):
    """At each `step`-th of its writes; then the command is run once more."""
    def whole(folder):
        files = {name: content for name, content in files_in(folder).items() if 'folder' in formats or '/' not in name}
        return {**files, 'train_48_report.json': {**json.loads(files['train_48_report.json']), 'made_of': None}}
    monkeypatch.setattr(preparation, 'CHUNK', 5)
    monkeypatch.setattr(preparation, 'SYNC_EVERY', 15)
    for k in range(0, n_writes + step, step):
        arguments = [*arguments_of(tree, tmp_path / str(k), 2)[:-2], *formats]
        status = status_of(k, monkeypatch, arguments)
        assert status == (130 if k < n_writes else 0)
        interrupted = 'interrupted; run the same command again to go on\n'
        assert capsys.readouterr().err == (interrupted if status == 130 else '')
        assert run(main, *arguments) == 0
        assert whole(tmp_path / str(k)) == whole(prepared)


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
    with claimed(preparation.make_folder(tmp_path / 'train_64.part'), ''):
        assert 'train_64.part: another process is at work in it' in refused(capsys, *arguments)
    monkeypatch.setattr(preparation.shutil, 'disk_usage', lambda path: SimpleNamespace(free=10 ** 5))
    assert 'expected room for 0.0 GB of images, found 0.0 GB free' in refused(capsys, *arguments)


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


# What a journal may say that others, or a broken disk, have changed: a wrong number would misplace every label.
WHOLE = [{'n_files': 4, 'n_rows': 3, 'box_bytes': 9, 'skipped': [['a', 'why']], 'changed': [['b', 'grey']]},
         {'n_files': 6, 'n_rows': 5, 'box_bytes': 9, 'skipped': [], 'changed': []}]


@pytest.mark.parametrize('k, changes', [
    (0, {'n_rows': 4}), (0, {'n_rows': 2}), (1, {'n_rows': 6}), (0, {'n_files': 5}), (1, {'n_files': 7, 'n_rows': 6}),
    (1, {'n_files': 4, 'n_rows': 3}), (0, {'skipped': []}), (0, {'skipped': [['a', 'why'], ['b', 'why']]}),
    (0, {'skipped': [['a', 3]]}), (0, {'skipped': {}}), (0, {'changed': [['a']]}), (0, {'box_bytes': -1}),
    (1, {'n_rows': 5.}), (0, {'n_files': True, 'n_rows': 0}), *((0, {name: None}) for name in WHOLE[0])])
def test_entries_of_a_journal_that_do_not_fit(k, changes):
    assert are_entries([], 6) and are_entries(WHOLE[:1], 6) and are_entries(WHOLE, 6)
    changed = {name: value for name, value in {**WHOLE[k], **changes}.items() if value is not None}  # None: without it
    assert not are_entries([*WHOLE[:k], changed, *WHOLE[k + 1:]], 6)


def test_a_preparation_does_not_go_on_from_entries_that_do_not_fit(tmp_path, monkeypatch, capsys):
    arguments = '--train', tmp_path / 'raw', '--out', tmp_path / 'out', '--size', 8
    write_tree(tmp_path / 'raw', 3, WNIDS[:2], {}, {})
    monkeypatch.setattr(preparation.PackedWriter, 'finish', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(main, *arguments)
    journal = tmp_path / 'out' / 'train_8.part' / 'journal.jsonl'
    journal.write_text(journal.read_text().replace('"n_rows": 6', '"n_rows": 5'))
    assert f'{journal}: expected the journal of an interrupted preparation, found entries that are none; remove ' in (
        refused(capsys, *arguments))
