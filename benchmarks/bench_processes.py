"""Times a training iteration by one process, by several and by parts on one machine's CPU, for example

    python benchmarks/bench_processes.py --out benchmarks/results/processes.json

Each process has one thread. Several processes have the config's batch each, as do as many parts of one process
(`accumulate`) and one batch of the whole size, or share that batch. Memory is the most that each process held, all
together. Needs the extra `mpi`.
"""
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from statistics import median

from benchmarks.mpi import by_processes, environment
from benchmarks.peer_process import ROOT
from source.command_line.argument_parser import ArgumentParser
from source.command_line.standard_streams import standard_streams
from source.config.yaml_utils import load_config

CONFIG = ROOT / 'configs' / 'sn_projection_digits.yml'


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--processes', type=int, default=2, metavar='N',
                        help='processes to compare with one (default: 2)')
    parser.add_argument('--iterations', type=int, default=10, metavar='N',
                        help='generator updates of each run (default: 10)')
    parser.add_argument('--rounds', type=int, default=3, metavar='N', help='of runs, in turn (default: 3)')
    parser.add_argument('--config', default=str(CONFIG), metavar='FILE',
                        help=f'what is trained (default: {CONFIG.name})')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help="overrides a key of the config, as train.py's; may be repeated")
    parser.add_argument('--out', metavar='FILE', help='JSON file to write; default: none')
    return parser.parse_args()


def run_of(n, config, overrides, iterations):
    """The median seconds of an iteration by n processes, and the most bytes that they held, summed."""
    command = [*by_processes(n), '-m', 'benchmarks.peers.processes_step',
               json.dumps({'config': str(config), 'overrides': overrides, 'iterations': iterations})]
    limits = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'NUMBA_NUM_THREADS'), '1')
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(**limits))
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    answer = json.loads(done.stdout.splitlines()[-1])
    return median(answer['seconds']), sum(answer['peak_bytes'])


def measure(config, settings, n, iterations, rounds):
    """{case: its figures}; seconds and bytes are medians over the rounds."""
    values = load_config(config, settings)
    batch, fakes = values['batchsize'], values['updater']['args']['n_gen_samples']
    cases = {'one process': (1, 1, batch, fakes), f'{n} processes, a batch each': (n, 1, batch, fakes),
             f'one process, {n} parts': (1, n, batch, fakes),
             f'one process, a batch {n} times as large': (1, 1, n * batch, n * fakes),
             f'{n} processes, a batch together': (n, 1, batch // n, fakes // n)}
    runs = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (size, parts, b, f) in cases.items():
            overrides = [*settings, f'batchsize={b}', f'accumulate={parts}', f'updater.args.n_gen_samples={f}']
            runs[name].append(run_of(size, config, overrides, iterations))
    one = median(seconds for seconds, _ in runs['one process'])
    figures = {}
    for name, (size, parts, b, f) in cases.items():
        seconds, peaks = zip(*runs[name], strict=True)
        figures[name] = {'batchsize_of_each': b, 'n_gen_samples_of_each': f,
                         'seconds_per_iteration': round(median(seconds), 4),
                         'of_each_round': [round(value, 4) for value in seconds], 'peak_bytes': int(median(peaks)),
                         'images_per_second_against_one_process':
                             round(one / median(seconds) * size * parts * b / batch, 3)}
    return figures


@standard_streams()
def main():
    args = parse_arguments()
    load = os.getloadavg()[0]
    figures = measure(args.config, args.set, args.processes, args.iterations, args.rounds)
    print(json.dumps(figures, indent=1))
    if args.out:
        record = {'command': f'python benchmarks/bench_processes.py --processes {args.processes} --iterations '
                             f'{args.iterations} --rounds {args.rounds}',
                  'config': Path(args.config).name, 'set': args.set,
                  'machine': {'cpus': os.cpu_count(), 'load_before': round(load, 2), 'system': platform.system(),
                              'python': platform.python_version()},
                  'date': datetime.date.today().isoformat(), 'figures': figures}
        Path(args.out).write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
