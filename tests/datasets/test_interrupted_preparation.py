"""A preparation that is killed, interrupted, out of room or not alone goes on to the same bytes, or says why not."""
import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import time

from source.datasets import preparation
from source.datasets.prepare_imagenet import main
from source.miscs.lock import claimed
from tests.datasets.imagenet_tree import arguments_of, refused, report_of
from tests.narrow import files_in, run

import numpy as np
import pytest


def test_repeated_it_leaves_everything(tree, prepared, capsys):
    before = files_in(prepared)
    times = {p: p.stat().st_mtime_ns for p in prepared.glob('train*')}
    assert run(main, '--train', tree[0], '--out', prepared, '--size', 48, '--formats', 'packed', 'folder') == 0
    assert '30 images of 4 classes' in capsys.readouterr().out
    assert files_in(prepared) == before
    assert {p: p.stat().st_mtime_ns for p in prepared.glob('train*')} == times


COMMAND = '''
import sys
from unittest import mock
from source.datasets import preparation
from source.datasets.prepare_imagenet import main
preparation.CHUNK, preparation.SYNC_EVERY = 2, 4
print('ready', flush=True)
main()
'''


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(tree, prepared, tmp_path):
    """SIGKILL at random moments, till it is through; then every file is what one run makes."""
    rng, kills, code = np.random.default_rng(0), 0, None
    while code != 0 and kills < 40:
        with subprocess.Popen([sys.executable, '-c', COMMAND, *map(str, arguments_of(tree, tmp_path, 2))], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout.readline() == 'ready\n'
            try:
                process.wait(rng.uniform(0., .04 * (kills + 1)))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        code = process.returncode
    assert code == 0 and kills > 2
    assert files_in(tmp_path) == files_in(prepared)


class Killed(BaseException):
    pass


def runs_with_a_stop(arguments, folder, patches, step):
    """Runs the command again and again in a folder of its own, stopped at the k-th rename or sync, k growing by `step`;
    then once more to its end. Yields these folders till one run was not stopped.
    """
    k, stopped = 0, True
    while stopped:
        out, n, stopped = folder / str(k), itertools.count(), False

        def stopping(function, k=k, n=n):
            def wrapped(*args):
                if next(n) >= k:
                    raise Killed
                return function(*args)
            return wrapped
        with patches.context() as patch:
            for name in ('replace', 'rename', 'fsync'):
                patch.setattr(os, name, stopping(getattr(os, name)))
            try:
                run(main, *arguments, '--out', out)
            except Killed:
                stopped = True
        assert run(main, *arguments, '--out', out) == 0
        yield out
        k += step


@pytest.mark.parametrize('step, formats, least', [(1, ['packed'], 20), (7, ['packed', 'folder'], 7)])
def test_stopped_at_every_write_it_goes_on(tree, prepared, tmp_path, monkeypatch, step, formats, least):
    monkeypatch.setattr(preparation, 'CHUNK', 5)
    monkeypatch.setattr(preparation, 'SYNC_EVERY', 15)
    arguments = ['--train', tree[0], '--size', 48, '--workers', 1, '--formats', *formats]
    expected = {name: content for name, content in files_in(prepared).items() if 'folder' in formats or '/' not in name}
    del expected['train_48_report.json']
    n = 0
    for out in runs_with_a_stop(arguments, tmp_path, monkeypatch, step):
        found = files_in(out)
        report, n = json.loads(found.pop('train_48_report.json')), n + 1
        assert found == expected
        assert {**report, 'made_of': None} == {**report_of(prepared), 'made_of': None}
    assert n > least


def test_interrupted_by_the_user(tree, tmp_path):
    arguments = ['--train', tree[0], '--out', tmp_path, '--size', 400, '--workers', 1]
    process = subprocess.Popen([sys.executable, '-c', COMMAND + 'raise SystemExit(99)', *map(str, arguments)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / 'train_400.part/journal.jsonl').exists() and process.poll() is None:
        time.sleep(.002)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    if process.returncode == 130:
        assert error.splitlines()[-1] == 'interrupted; run the same command again to go on'
        assert 'Traceback' not in error
    else:
        assert process.returncode == 99  # it was through before the signal came


def test_a_bounded_number_of_images_is_held(tree, tmp_path, monkeypatch):
    """However slow the disk is: what workers have prepared and nobody has written yet."""
    started, written, held = [], [], []
    prepare_chunk, write = preparation.prepare_chunk, preparation.PackedWriter.write

    def counted(*args):
        started.append(1)
        return prepare_chunk(*args)

    def slow(self, ims):
        time.sleep(.01)
        held.append(len(started) - len(written))
        written.append(1)
        return write(self, ims)
    monkeypatch.setattr(preparation, 'prepare_chunk', counted)
    monkeypatch.setattr(preparation.PackedWriter, 'write', slow)
    monkeypatch.setattr(preparation, 'CHUNK', 1)
    assert run(main, '--train', tree[0], '--out', tmp_path, '--size', 8, '--workers', 2) == 0
    assert len(written) == len(started) == 34 and 1 < max(held) <= 2 * 2 + 1


def test_a_full_disk_is_told_before(tree, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(preparation.shutil, 'disk_usage', lambda path: type('', (), {'free': 10 ** 5}))
    assert 'expected room for 0.0 GB of images, found 0.0 GB free' in refused(
        capsys, '--train', tree[0], '--out', tmp_path, '--size', 64)


def test_a_disk_that_fills_up(tree, prepared, tmp_path):
    """One line that names the file; with room again the same command goes on to the same bytes."""
    limit = 'import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))'
    arguments = list(map(str, arguments_of(tree, tmp_path)))
    process = subprocess.run([sys.executable, '-c', limit + COMMAND, *arguments], capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.splitlines()[-1].endswith(f'{tmp_path}/train_48.part/images.npy: File too large')
    assert 'Traceback' not in process.stderr and [p.name for p in tmp_path.iterdir()] == ['train_48.part']
    assert run(main, *arguments) == 0
    assert files_in(tmp_path) == files_in(prepared)


def test_a_part_folder_that_cannot_be_removed(tree, tmp_path, monkeypatch):
    """As on NFS, which keeps an open lock file in it under another name; all is published by then."""
    rmdir = os.rmdir

    def of_nfs(path, **options):
        if str(path).endswith('train_8.part'):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))
        rmdir(path, **options)
    arguments = ['--train', tree[0], '--out', tmp_path, '--size', 8]
    with monkeypatch.context() as patch:
        patch.setattr(os, 'rmdir', of_nfs)
        assert run(main, *arguments) == 0
    assert report_of(tmp_path, 'train_8')['n_images'] == 30 and (tmp_path / 'train_8.part').exists()
    assert run(main, *arguments) == 0
    assert not (tmp_path / 'train_8.part').exists()


def test_only_one_at_a_time(tree, tmp_path, capsys):
    (tmp_path / 'train_8.part').mkdir()
    with claimed(tmp_path / 'train_8.part', ''):
        assert 'train_8.part: another process is at work in it' in refused(
            capsys, '--train', tree[0], '--out', tmp_path, '--size', 8)
