"""Times one training iteration on the CPU, ours against PyTorch's or plain Chainer's, for example

    python benchmarks/bench_step.py --network resnet32_64 digits --torch_python ~/torch/bin/python

Each run is a process of its own, and the sides take turns: ours, peer, ours, peer, ... Networks that are not measured
keep their figures in the file that is written.
"""
import datetime
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.peer_process import ROOT, run_peer
from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.config.yaml_utils import load_config

AT_LEAST = 3  # iterations a run, however long they take
NETWORKS = {  # name: (config, overrides of its keys)
    'resnet32_64': ('sn_cifar10.yml', [
        'models.generator.args.ch=64', 'models.discriminator.args.ch=64', 'batchsize=32',
        'updater.args.n_gen_samples=64']),
    'resnet32_paper': ('sn_cifar10.yml', []),
    'cnn32': ('sn_cnn_cifar10.yml', []),
    'digits': ('sn_projection_digits.yml', []),
}
SIDES = {  # name: (module, what its request says)
    'ours': ('chainer_step', {'cpu_kernels': True, 'switch_off_spectral_normalization': True}),
    'chainer': ('chainer_step', {'cpu_kernels': False, 'switch_off_spectral_normalization': False}),
    'torch NCHW': ('torch_step', {'channels_last': False}),
    'torch channels-last': ('torch_step', {'channels_last': True}),
}
PARTS = 'generator_update', 'discriminator_update', 'adam'
PEERS = {'torch': ('torch NCHW', 'torch channels-last'), 'chainer': ('chainer',)}


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--network', nargs='+', choices=NETWORKS, default=list(NETWORKS), metavar='NAME',
                        help=f'of {", ".join(NETWORKS)}; default: all')
    parser.add_argument('--peer', nargs='+', choices=PEERS, default=['torch'],
                        help='torch (the faster of its two memory layouts) or chainer, our links with the kernels off; '
                             'default: torch')
    parser.add_argument('--rounds', type=int, default=3, metavar='K', help='runs of each side (default: 3)')
    parser.add_argument('--seconds', type=float, default=15,
                        help=f'a run, warm-up left out; at least {AT_LEAST} iterations (default: 15)')
    parser.add_argument('--threads', type=int, default=2, help='threads of every side (default: 2)')
    parser.add_argument('--torch_python', default=sys.executable, metavar='PATH',
                        help='Python interpreter that has torch; default: this one')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write, as benchmarks/results/cpu_step.json')
    return parser.parse_args()


def run_side(side, config, args):
    """One run in a process of its own; returns its medians, its peak of memory and all its iterations' seconds."""
    module, request = SIDES[side]
    answer = run_peer(side, module, {**request, 'config': config, 'seconds': args.seconds, 'at_least': AT_LEAST},
                      args.threads, args.torch_python)
    return summarized(answer, config['updater']['args']['n_dis'])


def summarized(answer, n_dis):
    records = answer['records']
    steps = records['step']
    run = {
        'iteration': median(step['iteration'] for step in steps),
        'generator_update': median(step['update_generator'] for step in steps),
        'discriminator_update': median(step['update_discriminator'] / n_dis for step in steps),
        'adam': median(step['adam'] for step in steps),
        'peak_bytes': answer['peak_bytes'],
        'iterations': [round(step['iteration'], 5) for step in steps],
    }
    if 'without_spectral_normalization' in records:
        run['without_spectral_normalization'] = median(
            step['iteration'] for step in records['without_spectral_normalization'])
        # Of each pair, as the machine's speed drifts.
        run['spectral_normalization_share'] = median(
            1 - without['iteration'] / step['iteration']
            for step, without in zip(steps, records['without_spectral_normalization'], strict=True))
    return run, answer['versions']


def compare(config, sides, args, say):
    """{side: its medians over all runs, and the runs} and {side: versions}, the sides' runs taken in turn."""
    runs, versions = {side: [] for side in sides}, {}
    for i in range(args.rounds):
        for side in sides:
            run, versions[side] = run_side(side, config, args)
            runs[side].append(run)
            say(f'  round {i + 1}, {side}: {run["iteration"]:.3f} s, {run["peak_bytes"] / 2 ** 20:.0f} MiB')
    return {side: {**{k: median(run[k] for run in its) for k in its[0] if k != 'iterations'}, 'runs': its}
            for side, its in runs.items()}, versions


def against(peer, figures):
    """How we compare with the faster variant of a peer."""
    best = min(PEERS[peer], key=lambda side: figures[side]['iteration'])
    ours, its = figures['ours'], figures[best]
    ratios = [a['iteration'] / b['iteration'] for a, b in zip(ours['runs'], its['runs'], strict=True)]
    return {'best': best, 'ratio': median(ratios), 'ratios_of_rounds': ratios,
            'memory_ratio': ours['peak_bytes'] / its['peak_bytes'],
            **{f'{part}_ratio': ours[part] / its[part] for part in PARTS}}


def machine():
    try:
        lines = subprocess.run(['lscpu'], capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        lines = []
    model = next((line.split(':', 1)[1].strip() for line in lines if line.startswith('Model name')), None)
    return {'model': model or platform.processor() or platform.machine(), 'cores': os.cpu_count(),
            'load_before': round(os.getloadavg()[0], 2), 'system': f'{platform.system()} {platform.machine()}'}


def table(results, names, peers):
    rows = [('network', 'ours [s]', *(f'{peer} [s]' for peer in peers), *(f'ratio {peer}' for peer in peers),
             *(f'memory {peer}' for peer in peers), 'generator [s]', 'discriminator [s]', 'Adam', 'SN')]
    for name in names:
        figures, compared = results[name]['figures'], results[name]['against']
        ours = figures['ours']
        rows.append((name, f'{ours["iteration"]:.3f}',
                     *(f'{figures[compared[peer]["best"]]["iteration"]:.3f}' for peer in peers),
                     *(f'{compared[peer]["ratio"]:.2f}' for peer in peers),
                     *(f'{compared[peer]["memory_ratio"]:.2f}' for peer in peers),
                     f'{ours["generator_update"]:.3f}', f'{ours["discriminator_update"]:.3f}',
                     f'{ours["adam"] / ours["iteration"]:.1%}', f'{ours["spectral_normalization_share"]:.1%}'))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join('  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in rows)


def read_results(path):
    """What the file holds already, {} where there is none; raises OSError where it cannot be written."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = path.read_text(encoding='utf-8') if path.exists() else ''
        results = json.loads(held) if held else {}  # empty where a command ended before its first result
    except json.JSONDecodeError as error:
        raise ValueError(f'{path}: no results of this command: {error}') from None
    path.open('a').close()
    return results


@one_line_errors
def main():
    args = parse_arguments()
    for name, lowest in (('rounds', 1), ('seconds', 0), ('threads', 1)):
        if not getattr(args, name) >= lowest:
            raise ValueError(f'--{name}: expected at least {lowest}, found {getattr(args, name)}')
    imports_torch = [args.torch_python, '-c', 'import torch']
    if 'torch' in args.peer and subprocess.run(imports_torch, capture_output=True).returncode:
        raise ValueError(f'--torch_python: {args.torch_python} has no torch')
    results = read_results(args.out) if args.out else {}
    peers = list(dict.fromkeys(args.peer))
    names = list(dict.fromkeys(args.network))
    sides = ['ours', *(side for peer in peers for side in PEERS[peer])]
    where = machine()
    if where['load_before'] > .5:
        print(f'warning: the machine is busy (load {where["load_before"]}), which slows threads that wait for each '
              'other, as those of PyTorch, far more than others', file=sys.stderr)
    for name in names:
        print(f'{name}:', flush=True)
        file, overrides = NETWORKS[name]
        config = load_config(ROOT / 'configs' / file, overrides)
        figures, versions = compare(config, sides, args, lambda line: print(line, flush=True))
        results[name] = {
            'config': f'configs/{file}', 'overrides': overrides, 'unit': 's, and bytes', 'threads': args.threads,
            'machine': where, 'versions': versions, 'date': datetime.date.today().isoformat(),
            'command': f'python benchmarks/bench_step.py {command_line(args)}',
            'against': {peer: against(peer, figures) for peer in peers}, 'figures': figures}
        if args.out:
            Path(args.out).write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
    print(table(results, names, peers))


def command_line(args):
    """The arguments that made the figures, without this machine's paths."""
    words = ['--network', *args.network, '--peer', *args.peer, '--rounds', args.rounds,
             '--seconds', f'{args.seconds:g}', '--threads', args.threads]
    if args.torch_python != sys.executable:
        words += ['--torch_python', 'PATH']
    return shlex.join(map(str, words))


if __name__ == '__main__':
    main()
