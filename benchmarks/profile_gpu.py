"""Says where a captured training iteration spends its time on a GPU, kernel by kernel:

    python benchmarks/profile_gpu.py --network cifar --precision tf32 --out profile.json

It needs PyTorch, whose profiler sees the kernels of the whole process, and prints the longest ones, the time between
kernels, and for each convolution how often it runs and how near it comes to the matrix peak.
"""
import importlib.util
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

from benchmarks.bench_gpu import NETWORKS, gpu
from benchmarks.peer_process import ROOT
from benchmarks.peers.gpu_step import build_updater, seconds_of_blocks
from source.command_line.argument_parser import ArgumentParser
from source.command_line.devices import get_device
from source.command_line.one_line_errors import one_line_errors
from source.config.yaml_utils import load_config
from source.kernels.cuda import convolution_plans, launching, plan_timing

import numpy as np

N_LONGEST = 25


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--network', choices=NETWORKS, default='cifar',
                        help='of which a whole iteration is profiled (default: cifar)')
    parser.add_argument('--precision', choices=['float32', 'tf32', 'bfloat16'], default='tf32',
                        help='of products: tf32 (the default), float32, or bfloat16 activations')
    parser.add_argument('--iterations', type=int, default=6, help='iterations that are profiled (default: 6)')
    parser.add_argument('--out', metavar='FILE', help='JSON file to write, with all kernels and convolutions')
    return parser.parse_args()


def multiply_adds(problem):
    n, height, width, k = problem.result
    return n * height * width * k * problem.image[3] * int(np.prod(problem.ksize))


class Executed:
    """Counts the convolutions of uncaptured iterations, and times each as it was chosen."""

    def __init__(self):
        self.counts, self.arrays, self._execute = Counter(), {}, convolution_plans._execute

    def __enter__(self):
        convolution_plans._execute = self._counted
        return self

    def __exit__(self, *_):
        convolution_plans._execute = self._execute

    def _counted(self, problem, arrays):
        self.counts[problem] += 1
        self.arrays[problem] = [(a.shape, a.dtype) for a in arrays]
        self._execute(problem, arrays)

    def timed(self):
        """Rows of what takes the longest in an iteration, first."""
        rows = []
        for problem, count in self.counts.items():
            arrays = [launching.empty(*spec) for spec in self.arrays[problem]]
            for array in arrays:
                array.view(np.uint8)[...] = 0x3c  # numbers near 0.01 in every type
            self._execute(problem, arrays)
            plan = convolution_plans._plans[launching.device(), problem]
            milliseconds = plan_timing.elapsed(plan, arrays, plan_timing.N_TIMINGS)
            rows.append({'problem': str(problem), 'count': count, 'milliseconds': milliseconds,
                         'tera_multiply_adds_per_second': multiply_adds(problem) / milliseconds / 1e9,
                         'plan': plan.name, 'workspace': plan.workspace_bytes})
        return sorted(rows, key=lambda row: -row['count'] * row['milliseconds'])


def short_name(name):
    """A kernel's name without its template's arguments and parameters; cuDNN's in full."""
    if any(library in name for library in ('cudnn', 'cutlass', 'sm90')):
        return name
    return re.split(r'[<(]', name)[0].removeprefix('void ')


def profile(updater, iterations):
    """(name, start, end) of every kernel of some iterations, in microseconds."""
    import torch
    from torch.profiler import ProfilerActivity
    torch.cuda.init()
    with torch.profiler.profile(activities=[ProfilerActivity.CUDA]) as profiler:
        for _ in range(iterations):
            updater.update()
        torch.cuda.synchronize()
    return [(event.name, event.time_range.start, event.time_range.end) for event in profiler.events()
            if event.device_type == torch.autograd.DeviceType.CUDA]


def summed(events, iterations):
    """{kernel: (launches, milliseconds)} of an iteration, its milliseconds, and those of it without any kernel."""
    kernels, idle = defaultdict(lambda: [0, 0.]), 0
    begin = until = min(start for _, start, _ in events)
    for name, start, end in sorted(events, key=lambda event: event[1]):
        kernels[short_name(name)][0] += 1 / iterations
        kernels[short_name(name)][1] += (end - start) / 1e3 / iterations
        idle += max(0, start - until)
        until = max(until, end)
    return kernels, (until - begin) / 1e3 / iterations, idle / 1e3 / iterations


@one_line_errors
def main():
    args = parse_arguments()
    if args.iterations < 1:
        raise ValueError(f'--iterations: expected at least 1, found {args.iterations}')
    if args.out and not Path(args.out).parent.is_dir():
        raise ValueError(f'--out: {args.out}: its folder is missing')
    where = gpu()
    if importlib.util.find_spec('torch') is None:
        raise ValueError('PyTorch is not installed here; its profiler is needed')
    file, overrides = NETWORKS[args.network]
    config = load_config(ROOT / 'configs' / file, [*overrides, f'precision={args.precision}'])
    device = get_device(0)
    updater = build_updater(config, device)
    updater.update()
    with Executed() as executed:
        updater.update()  # the second warm-up, where every plan is there
    for _ in range(4):
        updater.update()
    captured = updater._captured
    if captured.reason is not None:
        raise ValueError(f'the step is not captured: {captured.reason}')
    milliseconds = 1e3 * median(seconds_of_blocks(updater, device, 3, 10))
    kernels, profiled, idle = summed(profile(updater, args.iterations), args.iterations)
    convolutions = executed.timed()
    result = {'gpu': where, 'network': args.network, 'precision': args.precision, 'milliseconds': milliseconds,
              'profiled_milliseconds': profiled, 'idle_milliseconds': idle,
              'launches': sum(n for n, _ in kernels.values()), 'kernels': dict(kernels), 'convolutions': convolutions}
    print(f'{where["name"]}, {args.network}, {args.precision}: {milliseconds:.2f} ms an iteration; profiled '
          f'{profiled:.2f} ms, of which {idle:.2f} ms without a kernel; {result["launches"]:.0f} launches')
    print('\nconvolutions: count × ms = ms of an iteration, Tera multiply-adds/s, workspace MiB')
    for row in convolutions[:N_LONGEST]:
        print(f'{row["count"]:4} × {row["milliseconds"]:.3f} = {row["count"] * row["milliseconds"]:6.2f} '
              f'{row["tera_multiply_adds_per_second"]:6.1f} {row["workspace"] >> 20:5}  {row["problem"]}')
    print(f'{sum(row["count"] for row in convolutions)} convolutions, '
          f'{sum(row["count"] * row["milliseconds"] for row in convolutions):.2f} ms')
    print('\nkernels: launches, ms of an iteration')
    for name, (n, its) in sorted(kernels.items(), key=lambda item: -item[1][1])[:N_LONGEST]:
        print(f'{n:7.1f} {its:8.3f}  {name[:110]}')
    if args.out:
        Path(args.out).write_text(json.dumps(result, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
