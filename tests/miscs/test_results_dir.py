import contextlib
from pathlib import Path

from source.miscs import results_dir
from source.yaml_utils import load_config
from tests.narrow import write_config

import pytest


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


def test_one_that_is_used_is_set_aside_under_the_first_free_name(tmp_path):
    for n, name in enumerate(('config.yml', 'log.json', 'log.jsonl'), 1):
        out = tmp_path / 'out'
        assert not results_dir.is_used(out)
        out.mkdir()
        (out / 'notes.txt').touch()
        assert not results_dir.is_used(out)
        (out / name).touch()
        assert results_dir.is_used(out)
        assert results_dir.set_aside(out) == tmp_path / f'out.old-{n}'
    assert names_in(tmp_path) == [
        'out.old-1', 'out.old-1/config.yml', 'out.old-1/notes.txt', 'out.old-2', 'out.old-2/log.json',
        'out.old-2/notes.txt', 'out.old-3', 'out.old-3/log.jsonl', 'out.old-3/notes.txt']
    with pytest.raises(ValueError, match=r'^\. holds an earlier run and cannot be renamed'):
        results_dir.set_aside('.')


def test_create_makes_parents_and_writes_the_config_with_all_versions(tmp_path):
    config, versions = load_config(write_config(tmp_path)), results_dir.versions()
    results_dir.create(tmp_path / 'a' / 'b', config)
    assert load_config(tmp_path / 'a' / 'b' / 'config.yml') == {**config, 'versions': versions}
    assert config['versions'] == {}
    assert {'python', 'chainer', 'numpy', 'scipy', 'numba'} <= set(versions)
    assert versions['chainer'] == '7.8.1'
    assert all(isinstance(version, str) for version in versions.values())


def test_newest_snapshot_is_the_one_of_the_highest_number(tmp_path):
    assert results_dir.newest_snapshot(tmp_path / 'none') is None
    for name in ('snapshot_iter_9', 'snapshot_iter_10', 'snapshot_iter_2', 'snapshot_iter_99.tmp', 'snapshot_iter_x',
                 '.snapshot_iter_11.abc', 'ResNetGenerator_50.npz'):
        (tmp_path / name).touch()
    assert results_dir.newest_snapshot(tmp_path) == tmp_path / 'snapshot_iter_10'


def test_a_folder_in_the_making_and_one_that_a_killed_process_left(tmp_path):
    with contextlib.suppress(KeyboardInterrupt), results_dir.whole_folder(tmp_path / 'images') as unfinished:
        (unfinished / 'one').touch()
        results_dir.remove_leftovers(tmp_path)
        assert unfinished.exists()
        raise KeyboardInterrupt
    assert names_in(tmp_path) == []
    left = tmp_path / '.images.abcdefgh.part'  # as SIGKILL leaves it: no process holds it
    left.mkdir()
    (left / 'one').touch()
    (tmp_path / '.others.abcdefgh.part').mkdir()
    with results_dir.whole_folder(tmp_path / 'images') as unfinished:
        (unfinished / 'two').touch()
    assert names_in(tmp_path) == ['.others.abcdefgh.part', 'images', 'images/two']


def test_no_empty_folders(tmp_path):
    """Those made within, where there was an error, and no others."""
    (tmp_path / 'kept/mine').mkdir(parents=True)
    with results_dir.no_empty_folders():
        results_dir.make_folder(tmp_path / 'well' / 'done')
    with contextlib.suppress(ZeroDivisionError), results_dir.no_empty_folders():
        for name in ('a/b/c', 'd/e', 'kept/mine', 'kept/f'):
            results_dir.make_folder(tmp_path / name)
        (tmp_path / 'd' / 'file').touch()
        raise ZeroDivisionError
    assert names_in(tmp_path) == ['d', 'd/file', 'kept', 'kept/mine', 'well', 'well/done']


def test_where_no_folder_can_be_made_or_written_to(tmp_path, monkeypatch):
    results_dir.check_folder(tmp_path / 'a' / 'b')
    assert names_in(tmp_path) == []
    (tmp_path / 'file').touch()
    (tmp_path / 'link').symlink_to('nowhere')
    for name in ('file', 'file/a', 'link'):
        with pytest.raises(ValueError, match='expected a folder to write to'):
            results_dir.check_folder(tmp_path / name)
    # Root may write anywhere, so the system's answer is made up.
    monkeypatch.setattr(results_dir.os, 'access', lambda path, mode: Path(path) != tmp_path)
    assert results_dir.make_folder(tmp_path / 'below') == tmp_path / 'below'
    with pytest.raises(ValueError, match='expected a folder to write to: Permission denied$'):
        results_dir.make_folder(tmp_path)
