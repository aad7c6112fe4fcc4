"""A training iteration in PyTorch on a GPU: eager, compiled, or all six updates in one CUDA graph.

Run by `bench_gpu.py`, in an interpreter that has torch, with a request in JSON on standard input. Without a GPU it runs
on the CPU, which proves that it runs, not how fast.
"""
import contextlib
import json
import sys
import time

from benchmarks.peers.torch_gpu_networks import Discriminator, Generator

import torch
from torch.nn import functional as F
from torch.nn.utils import parametrize


class Trainer:
    """Our Updater's iteration on random images, with inputs in buffers that stay.

    Args:
        spec: widths and options of both networks, as `bench_gpu.py` reads them off ours.
        mode: 'eager', 'compiled' (max-autotune, without CUDA graphs) or 'graphed' (compiled, then captured whole).
        precision: 'float32', 'tf32' or 'bfloat16' (autocast).
    """

    def __init__(self, spec, mode, precision, spectral=True):
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != 'float32'
        torch.backends.cudnn.benchmark = True
        self.spec, self.mode, self.precision = spec, mode, precision
        n_classes = spec['n_classes']
        self.gen = self._placed(Generator(spec['gen_widths'], spec['dim_z'], spec['bottom_width'], n_classes))
        self.dis = self._placed(Discriminator(spec['dis_blocks'], n_classes, spec['dense_has_bias'], spectral))
        on_gpu = self.device.type == 'cuda'
        self.opt_gen, self.opt_dis = (
            torch.optim.Adam(network.parameters(), alpha, tuple(spec['betas']), fused=True, capturable=on_gpu)
            for network, alpha in ((self.gen, spec['alphas']['gen']), (self.dis, spec['alphas']['dis'])))
        losses = self.generator_loss, self.discriminator_loss
        if mode != 'eager':
            losses = (torch.compile(loss, mode='max-autotune-no-cudagraphs') for loss in losses)
        self._loss_gen, self._loss_dis = losses
        self._make_buffers()

    def _placed(self, network):
        return network.train().to(self.device, memory_format=torch.channels_last)

    def _make_buffers(self):
        spec, to = self.spec, {'device': self.device}
        n, B = spec['n_gen_samples'], spec['batchsize']

        def labels(n):
            return torch.zeros(n, dtype=torch.long, **to) if spec['n_classes'] else None
        self.z_gen, self.y_gen = torch.zeros(n, spec['dim_z'], **to), labels(n)
        self.batches = [(torch.zeros(B, 3, spec['size'], spec['size'], dtype=torch.uint8, **to), labels(B),
                         torch.zeros(B, spec['dim_z'], **to), labels(B)) for _ in range(spec['n_dis'])]
        self.ims = torch.randint(256, (1000, 3, spec['size'], spec['size']), dtype=torch.uint8, **to)
        self.graph = None

    def fill(self):
        """The next iteration's inputs, into the buffers: drawn on the device, so that this side never waits for any."""
        for tensor in [self.z_gen, *(batch[2] for batch in self.batches)]:
            tensor.normal_()
        for tensor in [self.y_gen, *(y for batch in self.batches for y in (batch[1], batch[3]))]:
            if tensor is not None:
                tensor.random_(self.spec['n_classes'])
        for ims, *_ in self.batches:
            torch.index_select(self.ims, 0, torch.randint(len(self.ims), (len(ims),), device=self.device), out=ims)

    def _autocast(self):
        if self.precision != 'bfloat16':
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)

    def generator_loss(self, z, y):
        with self._autocast():
            dis_fake = self.dis(self.gen(z, y), y)
        return -dis_fake.float().mean()

    def discriminator_loss(self, ims, y_real, z, y_fake):
        x_real = ims.float() / 128 - 1
        x_real = x_real + torch.rand_like(x_real) / 128
        with self._autocast():
            with torch.no_grad():
                x_fake = self.gen(z, y_fake)
            # At once: the weights are normalized once, as parametrize.cached would have it.
            y = None if y_real is None else torch.cat([y_real, y_fake])
            dis_real, dis_fake = self.dis(torch.cat([x_real, x_fake]), y).split([len(ims), len(z)])
        return (F.relu(1 - dis_real) + F.relu(1 + dis_fake)).float().mean()

    def iterate(self):
        self.dis.requires_grad_(False)
        self._minimize(self.opt_gen, self._loss_gen, self.z_gen, self.y_gen)
        self.dis.requires_grad_(True)
        for batch in self.batches:
            self._minimize(self.opt_dis, self._loss_dis, *batch)

    def _minimize(self, optimizer, loss_function, *inputs):
        optimizer.zero_grad(set_to_none=True)
        with parametrize.cached():
            loss_function(*inputs).backward()
        optimizer.step()

    def update(self):
        self.fill()
        if self.mode == 'graphed' and self.device.type == 'cuda':
            if self.graph is None:
                self._capture()
            self.graph.replay()
        else:
            self.iterate()

    def _capture(self):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.iterate()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.iterate()

    def synchronize(self):
        if self.device.type == 'cuda':
            torch.cuda.synchronize()


def sample(trainer, n, batchsize):
    """Seconds for n generated images as uint8 on the host."""
    gen, spec = trainer.gen.eval(), trainer.spec
    function = gen if trainer.mode == 'eager' else torch.compile(
        gen, mode='max-autotune' if trainer.device.type == 'cuda' else 'default')

    def batch():
        z = torch.randn(batchsize, spec['dim_z'], device=trainer.device)
        y = torch.randint(spec['n_classes'], (batchsize,), device=trainer.device) if spec['n_classes'] else None
        with torch.no_grad(), trainer._autocast():
            return (function(z, y) * 127.5 + 127.5).clamp(0, 255).to(torch.uint8).cpu()
    batch()
    start = time.perf_counter()
    for _ in range(-(-n // batchsize)):
        batch()
    return time.perf_counter() - start


def matrix_peak(precision, seconds=2.):
    """Multiply-adds a second of the best of a few square matrix products."""
    dtype = torch.bfloat16 if precision == 'bfloat16' else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = precision != 'float32'
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    best = 0.
    for n in (4096, 8192, 16384) if device == 'cuda' else (512,):
        a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
        torch.mm(a, b)
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / 3:
            for _ in range(10):
                torch.mm(a, b)
            if device == 'cuda':
                torch.cuda.synchronize()
            count += 10
        best = max(best, n ** 3 * count / (time.perf_counter() - start))
    return best


def answer(request):
    if request['what'] == 'matrix_peak':
        return {'multiply_adds_per_second': matrix_peak(request['precision'])}
    torch.manual_seed(0)
    trainer = Trainer(request['spec'], request['mode'], request['precision'], request.get('spectral', True))
    if request['what'] == 'sampling':
        return {'seconds': sample(trainer, request['n'], request['batchsize'])}
    for _ in range(request['warm_up']):
        trainer.update()
    trainer.synchronize()
    seconds = []
    for _ in range(request['blocks']):
        start = time.perf_counter()
        for _ in range(request['iterations']):
            trainer.update()
        trainer.synchronize()
        seconds.append((time.perf_counter() - start) / request['iterations'])
    peak = torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0
    return {'seconds': seconds, 'peak_bytes': peak}


def main():
    request = json.load(sys.stdin)
    print(json.dumps({**answer(request), 'versions': {'python': sys.version.split()[0], 'torch': torch.__version__}}))


if __name__ == '__main__':
    main()
