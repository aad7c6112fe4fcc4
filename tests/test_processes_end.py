"""Several processes end together, whatever ends one of them, and the first alone writes."""
import os
import signal

from source.miscs.results_dir import iteration_of, newest_snapshot
from source.processes import ALONE, start_processes
from tests import children
from tests.narrow import files_in
from tests.several_processes import DATASET, HALF, ROOT, WHOLE, config, mpiexec, outputs, train

import pytest


def test_bad_input_is_told_once(tmp_path):
    status, stdout, stderr = outputs(2, ROOT / 'train.py', '--config', 'none.yml')
    assert status == 2
    assert stdout == ''
    assert stderr.count('train.py: error: none.yml: cannot be read as a config file') == 1
    assert 'Traceback' not in stderr


FAILING = DATASET + '''
    def load_ims(self, indices, rng=None):
        return self.ims[indices]


import os
PlainImages.n_calls = 0
plain = PlainImages.get_examples


def failing(self, indices, rng):
    PlainImages.n_calls += 1
    if PlainImages.n_calls == 6 and os.environ['OMPI_COMM_WORLD_RANK'] == '1':  # the first is before training
        %s
    return plain(self, indices, rng)


PlainImages.get_examples = failing
'''


@pytest.mark.parametrize('what, expected', [
    ("raise OSError(5, 'Input/output error', 'n01/a.JPEG')",
     'process 1 of 2: train.py: error: n01/a.JPEG: Input/output error; training stopped at iteration 2'),
    pytest.param("raise KeyError('a bug')", "KeyError: 'a bug'", marks=pytest.mark.long),
    pytest.param('raise SystemExit(0)', 'process 1 of 2: train.py: error: sys.exit(0) was called; training stopped at '
                 'iteration 2', marks=pytest.mark.long),
    pytest.param('os.kill(os.getpid(), 9)', '', marks=pytest.mark.long)])
def test_one_that_dies_ends_the_others_with_its_message(tmp_path, what, expected):
    path = config(tmp_path, HALF, 'half.yml')
    (tmp_path / 'plain.py').write_text(FAILING.replace('%s', what))
    status, _, stderr = outputs(2, ROOT / 'train.py', '--config', path, '--results_dir', tmp_path / 'out', '--gpu', -1)
    assert status != 0
    assert expected in stderr
    assert iteration_of(newest_snapshot(tmp_path / 'out')) == 2


@pytest.mark.long
@pytest.mark.parametrize('rank, what, expected', [
    (0, "raise ValueError('a.JPEG: damaged')", 'half.yml: dataset: a.JPEG: damaged'),
    (1, "raise KeyError('a bug')", "KeyError: 'a bug'"), (1, 'raise SystemExit(0)', 'sys.exit(0) was called before')])
def test_one_that_cannot_begin_ends_the_others(tmp_path, rank, what, expected):
    path = config(tmp_path, HALF, 'half.yml')
    (tmp_path / 'plain.py').write_text(DATASET.replace('def __init__(self):', f"""def __init__(self):
        import os
        if os.environ['OMPI_COMM_WORLD_RANK'] == '{rank}':
            {what}"""))
    status, _, stderr = outputs(2, ROOT / 'train.py', '--config', path, '--results_dir', tmp_path / 'out', '--gpu', -1)
    assert status != 0
    assert expected in stderr
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('rank', [1, pytest.param(0, marks=pytest.mark.long)])
def test_a_signal_to_one_stops_all_in_the_same_iteration(tmp_path, rank):
    path = config(tmp_path, {**HALF, 'iteration': 100000, 'snapshot_interval': 100000}, 'half.yml')
    (tmp_path / 'plain.py').write_text(DATASET + f'''
import os
if os.environ['OMPI_COMM_WORLD_RANK'] == '{rank}':
    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))
''')
    out = tmp_path / 'out'
    process = mpiexec(2, ROOT / 'train.py', '--config', path, '--results_dir', out, '--gpu', -1)
    children.wait_until((out / 'log.jsonl').exists, process)
    os.kill(int((tmp_path / 'pid').read_text()), signal.SIGTERM)
    status, stdout, stderr = children.finish(process)
    assert status == 0, stderr
    assert stdout.count('stopped by') == 1
    assert newest_snapshot(out) is not None


@pytest.mark.long
def test_first_alone_writes(tmp_path):
    """One process writes what one process would, and once."""
    train(1, config(tmp_path, WHOLE, 'whole.yml'), tmp_path / 'one')
    stdout = train(2, config(tmp_path, HALF, 'half.yml'), tmp_path / 'two')
    assert set(files_in(tmp_path / 'one')) == set(files_in(tmp_path / 'two'))
    assert len((tmp_path / 'two' / 'log.jsonl').read_text().splitlines()) == 4
    assert [line.split()[1] for line in stdout.splitlines() if line.startswith('iteration ')] == ['1', '2', '3', '4']


def test_without_mpiexec_there_is_one(monkeypatch):
    for name in list(os.environ):
        if name.startswith(('OMPI_', 'PMI')):
            monkeypatch.delenv(name)
    assert start_processes(-1) == (ALONE, -1)


def test_mpi_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv('OMPI_COMM_WORLD_SIZE', '2')
    monkeypatch.setitem(__import__('sys').modules, 'mpi4py', None)
    expected = r"mpiexec started this process, but .*mpi4py.*pip install -c \S*constraints.txt -e '\S*\[mpi\]'"
    with pytest.raises(ValueError, match=expected):
        start_processes(-1)


DIFFERING = '''
import os, runpy, sys
sys.argv += ['--resume', sys.argv.pop(1).replace('RANK', os.environ['OMPI_COMM_WORLD_RANK'])]
runpy.run_path(sys.argv.pop(1), run_name='__main__')
'''


@pytest.mark.long
def test_processes_that_read_different_snapshots_stop(tmp_path):
    """As where each finds another newest one that is whole."""
    path = config(tmp_path, HALF, 'half.yml')
    train(1, path, tmp_path / 'out')
    for rank, iteration in enumerate((2, 4)):
        (tmp_path / 'out' / f'snapshot_iter_{iteration}').rename(tmp_path / f'snapshot_iter_{rank}')
    (tmp_path / 'differing.py').write_text(DIFFERING)
    status, _, stderr = outputs(2, tmp_path / 'differing.py', tmp_path / 'snapshot_iter_RANK', ROOT / 'train.py',
                                '--config', path, '--results_dir', tmp_path / 'again', '--gpu', -1)
    assert status != 0
    assert 'the processes differ in the snapshot that each can read: ' in stderr
