"""Times a training iteration by one process and by several on one machine's CPU, for example

    python benchmarks/bench_processes.py --out benchmarks/results/processes.json

Each process has one thread. Twice: with the config's batch for each process, where several process as many times the
images, and with that batch shared among them. Needs the extra `mpi`.
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
from source.miscs.argument_parser import ArgumentParser
from source.miscs.standard_streams import standard_streams
from source.yaml_utils import load_config

CONFIG = ROOT / 'configs' / 'sn_projection_digits.yml'


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--processes', type=int, default=2, metavar='N', help='to compare with one (default: 2)')
    parser.add_argument('--iterations', type=int, default=10, metavar='N', help='of each run (default: 10)')
    parser.add_argument('--rounds', type=int, default=3, metavar='N', help='of runs, in turn (default: 3)')
    parser.add_argument('--config', default=str(CONFIG), metavar='FILE')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write')
    return parser.parse_args()


def seconds_of(n, config, overrides, iterations):
    """The median seconds of an iteration by n processes."""
    command = [*by_processes(n), '-m', 'benchmarks.peers.processes_step',
               json.dumps({'config': str(config), 'overrides': overrides, 'iterations': iterations})]
    limits = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'NUMBA_NUM_THREADS'), '1')
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(**limits))
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return median(json.loads(done.stdout.splitlines()[-1]))


def measure(config, n, iterations, rounds):
    """{case: its figures}; seconds are medians over the rounds."""
    values = load_config(config)
    batch, fakes = values['batchsize'], values['updater']['args']['n_gen_samples']
    cases = {'one process': (1, batch, fakes), f'{n} processes, a batch each': (n, batch, fakes),
             f'{n} processes, a batch together': (n, batch // n, fakes // n)}
    seconds = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (size, b, f) in cases.items():
            overrides = [f'batchsize={b}', f'updater.args.n_gen_samples={f}']
            seconds[name].append(seconds_of(size, config, overrides, iterations))
    one = median(seconds['one process'])
    figures = {}
    for name, (size, b, f) in cases.items():
        ours = median(seconds[name])
        figures[name] = {'batchsize_of_each': b, 'n_gen_samples_of_each': f, 'seconds_per_iteration': round(ours, 4),
                         'of_each_round': [round(value, 4) for value in seconds[name]],
                         'images_per_second_against_one_process': round(one / ours * b * size / batch, 3)}
    return figures


@standard_streams()
def main():
    args = parse_arguments()
    load = os.getloadavg()[0]
    figures = measure(args.config, args.processes, args.iterations, args.rounds)
    print(json.dumps(figures, indent=1))
    if args.out:
        record = {'command': f'python benchmarks/bench_processes.py --processes {args.processes} --iterations '
                             f'{args.iterations} --rounds {args.rounds}', 'config': Path(args.config).name,
                  'machine': {'cpus': os.cpu_count(), 'load_before': round(load, 2), 'system': platform.system(),
                              'python': platform.python_version()},
                  'date': datetime.date.today().isoformat(), 'figures': figures}
        Path(args.out).write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
