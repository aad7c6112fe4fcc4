"""Times the Inception feature network on the CPU, ours against torch-fidelity's on PyTorch, for example

    python benchmarks/bench_inception.py --torch_python ~/torch/bin/python --out benchmarks/results/inception_cpu.json

Each run is a process of its own, and the sides take turns: ours, peer, ours, peer, ... Weights and images are random.
"""
import datetime
import json
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.bench_step import machine
from benchmarks.peer_process import run_peer
from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors

AT_LEAST = 3  # batches a run, however long they take
SIDES = {  # name: (module, what its request says)
    'ours': ('inception_ours', {'cpu_kernels': True}),
    'torch-fidelity': ('inception_torch_fidelity', {'channels_last': False}),
    'torch-fidelity channels-last': ('inception_torch_fidelity', {'channels_last': True}),
    'chainer': ('inception_ours', {'cpu_kernels': False}),
}


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--peer', nargs='+', choices=list(SIDES)[1:], default=list(SIDES)[1:3],
                        help='torch-fidelity as it is or with its weights channels last, or chainer, our network with '
                             'the kernels off; default: both of torch-fidelity')
    parser.add_argument('--size', type=int, default=32, help='of the images, in pixels (default: 32)')
    parser.add_argument('--batchsize', type=int, default=50, help='images in a batch (default: 50)')
    parser.add_argument('--rounds', type=int, default=3, metavar='K', help='runs of each side (default: 3)')
    parser.add_argument('--seconds', type=float, default=10,
                        help=f'of a run, warm-up left out; at least {AT_LEAST} batches (default: 10)')
    parser.add_argument('--threads', type=int, default=2, help='threads of every side (default: 2)')
    parser.add_argument('--torch_python', default=sys.executable, metavar='PATH',
                        help='Python interpreter that has torch and torch-fidelity; default: this one')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write, as benchmarks/results/inception_cpu.json')
    return parser.parse_args()


def run_side(side, args):
    """One run in a process of its own; returns its images per second, peak of memory, and versions."""
    module, request = SIDES[side]
    answer = run_peer(side, module, {**request, 'size': args.size, 'batchsize': args.batchsize,
                                     'seconds': args.seconds, 'at_least': AT_LEAST}, args.threads, args.torch_python)
    return {'images_per_second': args.batchsize / median(answer['seconds']), 'peak_bytes': answer['peak_bytes'],
            'batches': [round(seconds, 5) for seconds in answer['seconds']]}, answer['versions']


def compare(sides, args, say):
    """{side: its medians over all runs, and the runs} and {side: versions}, the sides' runs taken in turn."""
    runs, versions = {side: [] for side in sides}, {}
    for i in range(args.rounds):
        for side in sides:
            run, versions[side] = run_side(side, args)
            runs[side].append(run)
            say(f'round {i + 1}, {side}: {run["images_per_second"]:.2f} images/s, '
                f'{run["peak_bytes"] / 2 ** 20:.0f} MiB')
    return {side: {'images_per_second': median(run['images_per_second'] for run in its),
                   'peak_bytes': median(run['peak_bytes'] for run in its), 'runs': its}
            for side, its in runs.items()}, versions


def against(side, figures):
    """How many times a side's speed ours is: the median of the rounds' ratios, and each of them."""
    ratios = [ours['images_per_second'] / its['images_per_second']
              for ours, its in zip(figures['ours']['runs'], figures[side]['runs'], strict=True)]
    return {'speed_ratio': median(ratios), 'ratios_of_rounds': ratios,
            'memory_ratio': figures['ours']['peak_bytes'] / figures[side]['peak_bytes']}


@one_line_errors
def main():
    args = parse_arguments()
    for name, lowest in (('size', 1), ('batchsize', 1), ('rounds', 1), ('seconds', 0), ('threads', 1)):
        if not getattr(args, name) >= lowest:
            raise ValueError(f'--{name}: expected at least {lowest}, found {getattr(args, name)}')
    program = 'import importlib.util, torch; assert importlib.util.find_spec("torch_fidelity")'
    if args.peer != ['chainer'] and subprocess.run([args.torch_python, '-c', program], capture_output=True).returncode:
        raise ValueError(f'--torch_python: {args.torch_python} has no torch or no torch-fidelity')
    sides = ['ours', *dict.fromkeys(args.peer)]
    where = machine()
    if where['load_before'] > .5:
        print(f'warning: the machine is busy (load {where["load_before"]}), which slows the sides unequally',
              file=sys.stderr)
    figures, versions = compare(sides, args, lambda line: print(line, flush=True))
    results = {
        'what': f'features and logits of {args.batchsize} images of {args.size}x{args.size}', 'unit': 'images/s, bytes',
        'threads': args.threads, 'machine': where, 'versions': versions, 'date': datetime.date.today().isoformat(),
        'command': f'python benchmarks/bench_inception.py {command_line(args)}',
        'against': {side: against(side, figures) for side in sides[1:]}, 'figures': figures}
    for side, comparison in results['against'].items():
        print(f'ours {figures["ours"]["images_per_second"]:.1f} images/s, {side} '
              f'{figures[side]["images_per_second"]:.1f}: {comparison["speed_ratio"]:.2f} times as fast, '
              f'{comparison["memory_ratio"]:.2f} times the memory')
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')


def command_line(args):
    """The arguments that made the figures, without this machine's paths."""
    words = ['--peer', *args.peer, '--size', args.size, '--batchsize', args.batchsize, '--rounds', args.rounds,
             '--seconds', f'{args.seconds:g}', '--threads', args.threads]
    if args.torch_python != sys.executable:
        words += ['--torch_python', 'PATH']
    return shlex.join(map(str, words))


if __name__ == '__main__':
    main()
