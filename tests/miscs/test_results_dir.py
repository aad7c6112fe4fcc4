from pathlib import Path

from source.miscs import results_dir
from source.yaml_utils import load_config
from tests.narrow import files_in, write_config

import pytest


def test_is_used(tmp_path):
    assert not results_dir.is_used(tmp_path / 'none')
    assert not results_dir.is_used(tmp_path)
    (tmp_path / 'notes.txt').touch()
    assert not results_dir.is_used(tmp_path)
    for name in ('config.yml', 'log.json'):
        (tmp_path / name).touch()
        assert results_dir.is_used(tmp_path)
        (tmp_path / name).unlink()


def test_set_aside_takes_the_first_free_name(tmp_path):
    for n in (1, 2):
        out = tmp_path / 'out'
        out.mkdir()
        (out / 'log.json').write_text(str(n))
        assert results_dir.set_aside(out) == tmp_path / f'out.old-{n}'
        assert not out.exists()
    assert files_in(tmp_path) == {'out.old-1/log.json': b'1', 'out.old-2/log.json': b'2'}


def test_set_aside_of_a_folder_without_a_name():
    with pytest.raises(ValueError, match=r'^\. holds an earlier run and cannot be renamed'):
        results_dir.set_aside('.')


def test_create_makes_parents_and_writes_the_config(tmp_path):
    config = load_config(write_config(tmp_path))
    results_dir.create(tmp_path / 'a' / 'b', config)
    written = load_config(tmp_path / 'a' / 'b' / 'config.yml')
    assert written == {**config, 'versions': results_dir.versions()}
    assert config['versions'] == {}


def test_versions_name_every_package_a_result_depends_on():
    versions = results_dir.versions()
    assert {'python', 'chainer', 'numpy', 'scipy', 'numba'} <= set(versions)
    assert versions['chainer'] == '7.8.1'
    assert all(isinstance(version, str) for version in versions.values())


def test_newest_snapshot_is_the_one_of_the_highest_number(tmp_path):
    assert results_dir.newest_snapshot(tmp_path) is None
    assert results_dir.newest_snapshot(tmp_path / 'none') is None
    for name in ('snapshot_iter_9', 'snapshot_iter_10', 'snapshot_iter_2', 'snapshot_iter_99.tmp', 'snapshot_iter_x',
                 '.snapshot_iter_11.abc', 'ResNetGenerator_50.npz'):
        (tmp_path / name).touch()
    assert results_dir.newest_snapshot(tmp_path) == tmp_path / 'snapshot_iter_10'


def test_a_folder_in_the_making_and_one_that_a_killed_process_left(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _make_half(tmp_path / 'images')
    assert list(tmp_path.iterdir()) == []
    left = tmp_path / '.images.abcdefgh.part'  # as SIGKILL leaves it: no process holds it
    left.mkdir()
    (left / 'one').touch()
    (tmp_path / '.others.abcdefgh.part').mkdir()
    with results_dir.whole_folder(tmp_path / 'images') as unfinished:
        (unfinished / 'two').touch()
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob('*')) == [
        '.others.abcdefgh.part', 'images', 'images/two']


def _make_half(path):
    with results_dir.whole_folder(path) as unfinished:
        (unfinished / 'one').touch()
        results_dir.remove_leftovers(path.parent)
        assert unfinished.exists()
        raise KeyboardInterrupt


def test_no_empty_folders(tmp_path):
    """Those made within, where there was an error, and no others."""
    for name in ('mine', 'kept/mine'):
        (tmp_path / name).mkdir(parents=True)
    with results_dir.no_empty_folders():
        results_dir.make_folder(tmp_path / 'well' / 'done')
    with pytest.raises(ZeroDivisionError):
        _make_and_fail(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob('*')) == [
        'd', 'd/file', 'kept', 'kept/mine', 'mine', 'well', 'well/done']


def _make_and_fail(folder):
    with results_dir.no_empty_folders():
        for name in ('a/b/c', 'd/e', 'mine', 'kept/mine', 'kept/f'):
            results_dir.make_folder(folder / name)
        (folder / 'd' / 'file').touch()
        raise ZeroDivisionError


def test_a_folder_that_is_there_and_cannot_be_written_to(tmp_path, monkeypatch):
    """Root may write anywhere, so the system's answer is made up."""
    monkeypatch.setattr(results_dir.os, 'access', lambda path, mode: Path(path) != tmp_path)
    assert results_dir.make_folder(tmp_path / 'below') == tmp_path / 'below'
    with pytest.raises(ValueError, match='expected a folder to write to: Permission denied$'):
        results_dir.make_folder(tmp_path)


def test_where_a_folder_could_be_made(tmp_path):
    results_dir.check_folder(tmp_path / 'a' / 'b')
    assert list(tmp_path.iterdir()) == []
    (tmp_path / 'file').touch()
    (tmp_path / 'link').symlink_to('nowhere')
    for name in ('file', 'file/a', 'link'):
        with pytest.raises(ValueError, match='expected a folder to write to'):
            results_dir.check_folder(tmp_path / name)
