"""Times training iterations, sampling and Inception features on a GPU, ours against PyTorch's and plain Chainer's:

    python benchmarks/bench_gpu.py --row cifar_tf32 --out benchmarks/results/gpu_h200.json

Each run is a process of its own, and the sides take turns: ours, peer, ours, peer, ... Rows that are not measured keep
their figures in the file that is written. Where commands are cut off after some minutes, call it again with --continue,
until that says that nothing is unfinished: the runs made so far are kept beside the results.
"""
import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.bench_step import read_results
from benchmarks.peer_process import ROOT, run_peer
from benchmarks.peers.gpu_step import spec_of
from benchmarks.unfinished import Unfinished
from source.command_line.argument_parser import ArgumentParser
from source.command_line.devices import n_gpus
from source.command_line.one_line_errors import one_line_errors
from source.config.yaml_utils import load_config

NETWORKS = {  # name: (config, overrides)
    'cifar': ('sn_cifar10.yml', []),
    'imagenet': ('sn_projection_imagenet.yml', ['batchsize=64', 'updater.args.n_gen_samples=128']),
}
TORCH = {f'torch {mode}': mode for mode in ('eager', 'compiled', 'graphed')}
ROWS = {  # name: (what, network, precision, sides)
    'cifar_tf32': ('step', 'cifar', 'tf32', ['ours', *TORCH]),
    'cifar_bfloat16': ('step', 'cifar', 'bfloat16', ['ours', *TORCH]),
    'imagenet_tf32': ('step', 'imagenet', 'tf32', ['ours', *TORCH]),
    'imagenet_bfloat16': ('step', 'imagenet', 'bfloat16', ['ours', *TORCH, 'matrix_peak']),
    'sn_share_cifar': ('step', 'cifar', 'tf32', ['ours', 'ours without normalization']),
    'sn_share_imagenet': ('step', 'imagenet', 'tf32', ['ours', 'ours without normalization']),
    'plain_chainer_cifar': ('step', 'cifar', 'tf32', ['ours', 'chainer']),
    'uncaptured_cifar': ('step', 'cifar', 'tf32', ['ours', 'ours uncaptured']),
    'one_stream_cifar': ('step', 'cifar', 'tf32', ['ours', 'ours on one stream']),
    'one_stream_imagenet': ('step', 'imagenet', 'tf32', ['ours', 'ours on one stream']),
    'sampling': ('sampling', 'cifar', 'tf32', ['ours', 'torch eager', 'torch compiled']),
    'inception': ('inception', None, 'tf32', ['ours', 'torch eager', 'torch compiled']),
}
N_IMAGES, SAMPLING_BATCH = 50000, 500
COUNTS = 'rounds', 'iterations', 'blocks'


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--row', nargs='+', choices=ROWS, default=list(ROWS), metavar='NAME',
                        help=f'of {", ".join(ROWS)}; default: all')
    parser.add_argument('--rounds', type=int, default=3, metavar='K', help='runs of each side (default: 3)')
    parser.add_argument('--iterations', type=int, default=20, help='of a timed block (default: 20)')
    parser.add_argument('--blocks', type=int, default=5, help='timed in a run (default: 5)')
    parser.add_argument('--limit', type=int, default=240, metavar='SECONDS',
                        help='that a run may take; what takes longer is an error of its side (default: 240)')
    parser.add_argument('--torch_python', default=sys.executable, metavar='PATH',
                        help='Python interpreter that has torch; default: this one')
    parser.add_argument('--out', metavar='FILE',
                        help='JSON file; default: benchmarks/results/gpu_<name of the GPU>.json')
    parser.add_argument('--continue', action='store_true', dest='goes_on',
                        help='go on with the rows, and within them the runs, that an earlier command did not reach')
    return parser.parse_args()


def gpu():
    """Name and driver of the first GPU. Raises ValueError where there is none."""
    try:
        line = subprocess.run(['nvidia-smi', '--query-gpu=name,driver_version,memory.total,clocks.max.sm', '--format='
                               'csv,noheader'], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        line = ''
    if not line or not n_gpus():
        raise ValueError('no GPU that CuPy can use: the figures of a GPU are measured on one')
    return dict(zip(('name', 'driver', 'memory', 'clock'), map(str.strip, line.split(',')), strict=True))


def run_side(side, row, args):
    what, network, precision, _ = row

    def run(module, request):
        return run_peer(side, module, request, 16, args.torch_python, args.limit)
    if what == 'inception':
        module = 'gpu_inception' if side == 'ours' else 'torch_gpu_inception'
        return run(module, {'n': N_IMAGES, 'batchsize': SAMPLING_BATCH, 'mode': TORCH.get(side)})
    file, overrides = NETWORKS[network]
    iterations = 2 if side == 'chainer' else args.iterations
    request = {'what': what, 'precision': precision, 'warm_up': 2 if side == 'chainer' else 6, 'blocks': args.blocks,
               'iterations': iterations, 'n': N_IMAGES, 'batchsize': SAMPLING_BATCH}
    norm = 'none' if side == 'ours without normalization' else 'spectral'
    config = load_config(ROOT / 'configs' / file, [
        *overrides, f'precision={precision}', f'models.discriminator.args.norm={norm}',
        f'capture={"false" if side in ("ours uncaptured", "chainer") else "true"}'])
    if side == 'matrix_peak':
        return run('torch_gpu_step', {**request, 'what': 'matrix_peak'})
    if side in TORCH:
        return run('torch_gpu_step', {**request, 'mode': TORCH[side], 'spec': spec_of(config)})
    kernel_set = 'chainer' if side == 'chainer' else 'device'
    answer = run('gpu_step', {**request, 'config': config, 'kernel_set': kernel_set,
                              'one_stream': side == 'ours on one stream'})
    if what == 'step' and side.startswith('ours') and side != 'ours uncaptured' and not answer['captured']:
        print(f'{side}: not captured: {answer["why_not"]}', file=sys.stderr)
    return answer


def seconds_of(answer):
    seconds = answer.get('seconds')
    return median(seconds) if isinstance(seconds, list) else seconds


def measure(name, args, runs, keep, say):
    """The row's result; runs, {side: answers so far}, are made complete, and `keep` is called after each."""
    row = ROWS[name]
    what, network, precision, sides = row
    for i in range(args.rounds):
        for side in sides:
            if len(runs[side]) > i:
                continue
            try:
                answer = run_side(side, row, args)
            except ValueError as error:  # a peer that does not run here is told, and the others go on
                if side == 'ours':
                    raise
                answer = {'error': str(error)}
            runs[side].append(answer)
            keep()
            say(f'  round {i + 1}, {side}: {answer.get("error") or seconds_of(answer) or answer}')
    result = {'what': what, 'network': network, 'precision': precision, 'runs': runs, 'ratios': {}}
    for side in sides[1:]:
        ratios = [seconds_of(its) / seconds_of(ours) for ours, its in zip(runs['ours'], runs[side], strict=True)
                  if seconds_of(its)]
        if ratios:
            result['ratios'][side] = median(ratios)
    if 'ours without normalization' in sides:
        result['spectral_normalization_share'] = 1 - result['ratios']['ours without normalization']
    if 'matrix_peak' in sides and 'error' not in runs['matrix_peak'][0]:
        file, overrides = NETWORKS[network]
        rate = spec_of(load_config(ROOT / 'configs' / file, overrides))['multiply_adds'] / median(
            map(seconds_of, runs['ours']))
        peak = max(run['multiply_adds_per_second'] for run in runs['matrix_peak'])
        result['arithmetic_rate'] = {'multiply_adds_per_second': rate, 'share_of_matrix_peak': rate / peak}
    return result


@one_line_errors
def main():
    args = parse_arguments()
    for name in (*COUNTS, 'limit'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name}: expected at least 1, found {getattr(args, name)}')
    where = gpu()
    out = args.out or f'benchmarks/results/gpu_{re.sub(r"[^a-z0-9]+", "_", where["name"].lower()).strip("_")}.json'
    results, failed = read_results(out), []
    rows = {name: ROWS[name][3] for name in args.row}
    unfinished = Unfinished(out, {'gpu': where['name'], **{key: getattr(args, key) for key in COUNTS}})
    (unfinished.resume if args.goes_on else unfinished.begin)(rows)
    for name in [name for name in unfinished.rows if name in rows]:
        print(name, flush=True)
        try:
            measured = measure(name, args, unfinished.rows[name], unfinished.write,
                               lambda line: print(line, flush=True))
        except ValueError as error:  # the machine may be lent for this once: the other rows are measured all the same
            print(f'{name}: {error}', file=sys.stderr, flush=True)
            failed.append(name)
            continue
        results[name] = {'gpu': where, 'date': datetime.date.today().isoformat(), **measured}
        Path(out).write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
        unfinished.finish(name)
        for side, ratio in results[name]['ratios'].items():
            print(f'{name}: {side} takes {ratio:.2f} times our time')
    if failed:
        raise ValueError(f'not measured: {", ".join(failed)}')


if __name__ == '__main__':
    main()
