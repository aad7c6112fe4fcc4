"""Running the cells of a comparison, each in a process of its own, until all have a record or time is up."""
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from source.command_line.commands_to_copy import called
from source.experiments.records import read_record, write_csv
from source.experiments.run_cell import check_job, record_crash, write_job
from source.files.folders import make_folder
from source.files.lock import claimed
from source.training.stop_request import StopRequest

LEFT = 3  # the exit status of a worker that left a snapshot to go on from
POLL_SECONDS = .1
THREAD_VARIABLES = 'NUMBA_NUM_THREADS', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'
PENALTY_COST = 1.5  # a discriminator update with a gradient penalty costs about so much of one without


def run_cells(cells, results, worker, processes=1, threads=None, deadline=None, data_dir=None, retry_crashed=False,
              tell=print):
    """Trains every cell that has no record yet.

    Args:
        cells: in the order to be started.
        results: a `Results`.
        worker: the command of a worker, a list of strings; the cell's folder and `--deadline T` are added.
        processes: cells at the same time; timed ones run alone all the same, after all others.
        threads: of each; by default the cores shared out.
        deadline: `time.time()` after which no iteration and no cell is started.
        data_dir: folder of the data.
        retry_crashed: whether cells recorded as crashed are tried again.
        tell: is given a line whenever a cell ends.

    Returns:
        The number of cells without a record.

    Raises:
        ValueError: a record or a begun cell of another budget, or a comparison that is running in this folder already.
        KeyboardInterrupt: SIGINT or SIGTERM came; all workers have left their snapshots.
    """
    with claimed(make_folder(results.root / 'cells'),
                 f'{results.root}: another run of {called("experiments.py")} is at work in this folder'):
        done = {cell: record for cell in cells if (record := _record(results, cell)) is not None}
        if retry_crashed:
            done = {cell: record for cell, record in done.items() if not record['status'].startswith('crashed')}
        for cell in cells:
            if cell not in done:
                check_job(results, cell)
        threads = threads or max(1, len(os.sched_getaffinity(0)) // processes)
        sweep = _Sweep(cells, results, worker, threads, deadline, data_dir, tell, done)
        try:
            sweep.run(processes)
        finally:
            sweep.stop()
            write_csv(results, cells)
        return len(cells) - len(sweep.done)


class _Sweep:
    def __init__(self, cells, results, worker, threads, deadline, data_dir, tell, done):
        self.cells, self.results, self.worker, self.threads = cells, results, worker, threads
        self.deadline, self.data_dir, self.tell, self.done = deadline, data_dir, tell, done
        self.waiting = sorted((cell for cell in cells if cell not in done), key=lambda cell: cell.timed)
        self.running = {}  # cell: process
        self.processes = 1

    def run(self, processes):
        self.processes = processes
        with StopRequest().listening() as asked:  # noted, not raised amid the bookkeeping of a process
            while self._goes_on():
                time.sleep(POLL_SECONDS)
                if asked.look():
                    raise KeyboardInterrupt

    def _goes_on(self):
        """Takes note of what ended and starts what may be; whether anything runs then."""
        for cell, process in list(self.running.items()):
            if process.poll() is not None:
                del self.running[cell]
                self._ended(cell, process.returncode)
        while self.waiting and self._may_start(self.waiting[0]) and not self._late():
            cell = self.waiting.pop(0)
            self.running[cell] = self._start(cell)
        return bool(self.running)

    def _may_start(self, cell):
        if cell.timed or any(other.timed for other in self.running):
            return not self.running
        return len(self.running) < self.processes

    def stop(self):
        """Asks what still runs to leave a snapshot and waits for it; another signal kills it."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        with StopRequest().listening() as asked:
            while any(process.poll() is None for process in self.running.values()):
                time.sleep(POLL_SECONDS)
                if asked.look():
                    for process in self.running.values():
                        process.kill()

    def _late(self):
        return self.deadline is not None and time.time() >= self.deadline

    def _start(self, cell):
        folder = write_job(self.results, cell, self.data_dir, self.threads)
        self.results.record(cell).unlink(missing_ok=True)  # of a crash: whoever stops now shall find none
        command = [*self.worker, str(folder)]
        if self.deadline is not None:
            command += ['--deadline', str(self.deadline)]
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(self.threads))}
        with open(folder / 'output.txt', 'ab') as output:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)

    def _ended(self, cell, status):
        record = _record(self.results, cell)
        if record is None and status > 0 and status != LEFT:
            record = record_crash(self.results.folder(cell), _last_line(self.results.folder(cell) / 'output.txt'))
        if record is None:
            why = 'left to go on from' if status in (0, LEFT) else f'killed by signal {-status}; left to go on from'
            self.tell(f'{cell.name}: {why}')
            return
        self.done[cell] = record
        write_csv(self.results, self.cells)
        self.tell(f'[{len(self.done):>{len(str(len(self.cells)))}}/{len(self.cells)}] {cell.name}: '
                  f'{outcome(record)}; {self._time_left()}')

    def _time_left(self):
        timed = [(cell, record['seconds']) for cell, record in self.done.items() if record.get('seconds')]
        left = sum(cost(cell) for cell in self.cells if cell not in self.done)
        if not timed or not left:
            return f'{len(self.cells) - len(self.done)} left'
        rate = sum(seconds for _, seconds in timed) / sum(cost(cell) for cell, _ in timed)
        return f'about {duration(rate * left / self.processes)} left'


def cost(cell):
    """How much work a cell is, in units of which only ratios mean something: forward and backward passes."""
    variant, options = cell.variant, dict(cell.variant.options)
    n_dis = options.get('n_dis', 1 if variant.setting in ('B', 'C') else 5)
    return cell.iteration * (1 + n_dis * (PENALTY_COST if variant.method.endswith('gan_gp') else 1))


def outcome(record):
    """A record in a few words."""
    if record['status'] != 'finished':
        return record['status']
    scores = ', '.join(f'{name} {record["scores"][key]:.4g}' for name, key in (('IS', 'is_mean'), ('FID', 'fid'))
                       if record['scores'].get(key) is not None)
    return f'{scores or "finished"}, {record["seconds"]:.0f} s'


def duration(seconds):
    """'2 h 05 min', '3 min', '20 s'."""
    if seconds < 60:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60)
    return f'{minutes // 60} h {minutes % 60:02} min' if minutes >= 60 else f'{minutes} min'


def _record(results, cell):
    path = results.record(cell)
    return read_record(path, cell) if path.exists() else None


def _last_line(path):
    lines = [line for line in Path(path).read_text(errors='replace').splitlines() if line.strip()]
    return lines[-1].strip() if lines else 'no output'


def worker_command():
    """The command that trains one cell here."""
    return [sys.executable, str(Path(__file__).resolve().parents[2] / 'experiments.py'), 'cell']
