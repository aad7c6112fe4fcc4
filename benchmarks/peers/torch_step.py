"""A training iteration in PyTorch: the networks and the updates of our configs, as one would write them there.

Run by `bench_step.py`, in an interpreter that has torch, with a request in JSON on standard input.
"""
import json
import sys

from benchmarks.timing import Stopwatch, measure, peak_bytes

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

EPS = 2e-5  # of batch normalization


class ConditionalBatchNorm2d(nn.Module):

    def __init__(self, channels, n_classes):
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels, eps=EPS, affine=False)
        self.gammas, self.betas = nn.Embedding(n_classes, channels), nn.Embedding(n_classes, channels)
        nn.init.ones_(self.gammas.weight)
        nn.init.zeros_(self.betas.weight)

    def forward(self, x, y):
        return torch.addcmul(self.betas(y)[:, :, None, None], self.gammas(y)[:, :, None, None], self.normalize(x))


class UnconditionalBatchNorm2d(nn.BatchNorm2d):

    def __init__(self, channels):
        super().__init__(channels, eps=EPS)

    def forward(self, x, y=None):
        return super().forward(x)


def batch_norm(channels, n_classes):
    return ConditionalBatchNorm2d(channels, n_classes) if n_classes else UnconditionalBatchNorm2d(channels)


class UpBlock(nn.Module):

    def __init__(self, before, after, n_classes):
        super().__init__()
        self.b1, self.c1 = batch_norm(before, n_classes), nn.Conv2d(before, after, 3, padding=1)
        self.b2, self.c2 = batch_norm(after, n_classes), nn.Conv2d(after, after, 3, padding=1)
        self.c_sc = nn.Conv2d(before, after, 1)

    def forward(self, x, y):
        h = F.relu(self.b1(x, y), inplace=True)
        h = self.c1(F.interpolate(h, scale_factor=2, mode='nearest'))
        h = self.c2(F.relu(self.b2(h, y), inplace=True))
        # A 1×1 convolution commutes with upsampling; here it sees a quarter of the pixels.
        return h + F.interpolate(self.c_sc(x), scale_factor=2, mode='nearest')


class ResNetGenerator(nn.Module):
    """32 px for bottom_width 4 (Table 4)."""

    def __init__(self, ch, dim_z, bottom_width, n_classes):
        super().__init__()
        self.bottom_width = bottom_width
        self.l1 = nn.Linear(dim_z, bottom_width ** 2 * ch)
        self.blocks = nn.ModuleList(UpBlock(ch, ch, n_classes) for _ in range(3))
        self.b5, self.c5 = UnconditionalBatchNorm2d(ch), nn.Conv2d(ch, 3, 3, padding=1)

    def forward(self, z, y, memory_format):
        h = self.l1(z).view(len(z), -1, self.bottom_width, self.bottom_width).contiguous(memory_format=memory_format)
        for block in self.blocks:
            h = block(h, y)
        return torch.tanh(self.c5(F.relu(self.b5(h), inplace=True)))


class DownBlock(nn.Module):

    def __init__(self, before, after, first, halves):
        super().__init__()
        self.first, self.halves = first, halves
        self.c1 = spectral_norm(nn.Conv2d(before, after if first else before, 3, padding=1))
        self.c2 = spectral_norm(nn.Conv2d(after if first else before, after, 3, padding=1))
        self.c_sc = spectral_norm(nn.Conv2d(before, after, 1)) if halves or before != after else None

    def forward(self, x):
        h = self.c2(F.relu(self.c1(x if self.first else F.relu(x)), inplace=True))
        shortcut = x
        if self.halves:  # pooling first leaves the 1×1 convolution a quarter of the pixels
            h, shortcut = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        return h + (shortcut if self.c_sc is None else self.c_sc(shortcut))


class SNResNetProjectionDiscriminator(nn.Module):
    """32 px (Table 4)."""

    def __init__(self, ch, n_classes):
        super().__init__()
        self.blocks = nn.Sequential(DownBlock(3, ch, True, True), DownBlock(ch, ch, False, True),
                                    DownBlock(ch, ch, False, False), DownBlock(ch, ch, False, False))
        self.l5 = spectral_norm(nn.Linear(ch, 1, bias=False))
        self.l_y = spectral_norm(nn.Embedding(n_classes, ch)) if n_classes else None

    def forward(self, x, y):
        phi = F.relu(self.blocks(x)).sum((2, 3))
        output = self.l5(phi)
        return output if self.l_y is None else output + (self.l_y(y) * phi).sum(1, keepdim=True)


class CNNGenerator(nn.Module):
    """The standard CNN (Table 3)."""

    def __init__(self, ch, dim_z, bottom_width, n_classes):
        super().__init__()
        self.bottom_width = bottom_width
        self.l1 = nn.Linear(dim_z, bottom_width ** 2 * 8 * ch)
        layers = []
        for before, after in ((8, 4), (4, 2), (2, 1)):
            layers += [nn.ConvTranspose2d(ch * before, ch * after, 4, 2, 1), UnconditionalBatchNorm2d(ch * after),
                       nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(ch, 3, 3, padding=1), nn.Tanh())

    def forward(self, z, y, memory_format):
        h = self.l1(z).view(len(z), -1, self.bottom_width, self.bottom_width)
        return self.layers(h.contiguous(memory_format=memory_format))


class SNCNNDiscriminator(nn.Module):
    """The standard CNN (Table 3), for 32 px."""

    def __init__(self, ch, n_classes):
        super().__init__()
        layers, before = [], 3
        for units, k in ((1, 3), (1, 4), (2, 3), (2, 4), (4, 3), (4, 4), (8, 3)):
            layers += [spectral_norm(nn.Conv2d(before, ch * units, k, k - 2 if k == 4 else 1, 1)),
                       nn.LeakyReLU(.1, inplace=True)]
            before = ch * units
        self.layers = nn.Sequential(*layers, nn.Flatten(), spectral_norm(nn.Linear(before * 16, 1)))

    def forward(self, x, y):
        return self.layers(x)


NETWORKS = {network.__name__: network for network in (
    ResNetGenerator, SNResNetProjectionDiscriminator, CNNGenerator, SNCNNDiscriminator)}


def generator_loss(loss_type, dis_fake):
    return F.softplus(-dis_fake).mean() if loss_type == 'dcgan' else -dis_fake.mean()


def discriminator_loss(loss_type, dis_fake, dis_real):
    if loss_type == 'dcgan':
        return F.softplus(-dis_real).mean() + F.softplus(dis_fake).mean()
    return F.relu(1 - dis_real).mean() + F.relu(1 + dis_fake).mean()


class Trainer:
    """Our Updater's iteration, on random uint8 images.

    Args:
        config: of the networks, Adam and the updater, as `load_config` returns it.
        channels_last: whether activations and weights are NHWC in memory.
    """

    def __init__(self, config, channels_last=False):
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        gen, dis = (config['models'][kind] for kind in ('generator', 'discriminator'))
        self.dim_z, self.n_classes = gen['args']['dim_z'], gen['args']['n_classes']
        names = 'ch', 'dim_z', 'bottom_width', 'n_classes'
        self.gen = self._build(NETWORKS[gen['name']](**{name: gen['args'][name] for name in names}))
        self.dis = self._build(NETWORKS[dis['name']](dis['args']['ch'], self.n_classes))
        adam = config['adam']
        alpha_dis = adam['alpha'] if adam.get('alpha_dis') is None else adam['alpha_dis']
        self.opt_gen, self.opt_dis = (
            torch.optim.Adam(network.parameters(), alpha, (adam['beta1'], adam['beta2']), fused=True)
            for network, alpha in ((self.gen, adam['alpha']), (self.dis, alpha_dis)))
        args = config['updater']['args']
        self.n_dis, self.n_gen_samples, self.loss_type = args['n_dis'], args['n_gen_samples'], args['loss_type']
        self.batchsize, size = config['batchsize'], 8 * gen['args']['bottom_width']
        self.ims = torch.randint(256, (1000, 3, size, size), dtype=torch.uint8)
        self.labels = torch.randint(max(self.n_classes, 1), (len(self.ims),))

    def _build(self, network):
        return network.train().to(memory_format=self.memory_format)

    def real_batch(self):
        indices = torch.randint(len(self.ims), (self.batchsize,))
        x = self.ims[indices].float().div_(128).sub_(1)
        x += torch.rand_like(x) / 128
        return x.contiguous(memory_format=self.memory_format), self.labels[indices]

    def generate(self, n):
        y = torch.randint(self.n_classes, (n,)) if self.n_classes else None
        return self.gen(torch.randn(n, self.dim_z), y, self.memory_format), y

    def update(self):
        self.update_generator()
        for _ in range(self.n_dis):
            self.update_discriminator()

    def update_generator(self):
        self.dis.requires_grad_(False)
        x_fake, y_fake = self.generate(self.n_gen_samples)
        self._minimize(self.opt_gen, generator_loss(self.loss_type, self.dis(x_fake, y_fake)))
        self.dis.requires_grad_(True)

    def update_discriminator(self):
        x_real, y_real = self.real_batch()
        dis_real = self.dis(x_real, y_real)
        with torch.no_grad():
            x_fake, y_fake = self.generate(self.batchsize)
        dis_fake = self.dis(x_fake, y_fake)
        self._minimize(self.opt_dis, discriminator_loss(self.loss_type, dis_fake, dis_real))

    def _minimize(self, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def main():
    request = json.load(sys.stdin)
    torch.set_num_threads(request['threads'])
    torch.manual_seed(0)
    trainer, stopwatch = Trainer(request['config'], request['channels_last']), Stopwatch()
    for method in ('update_generator', 'update_discriminator'):
        stopwatch.wrap(trainer, method, method)
    for optimizer in (trainer.opt_gen, trainer.opt_dis):
        stopwatch.wrap(optimizer, 'step', 'adam')
    records = measure({'step': trainer.update}, stopwatch, request['seconds'], request['at_least'])
    print(json.dumps({'records': records, 'peak_bytes': peak_bytes(), 'versions': {
        'python': sys.version.split()[0], 'torch': torch.__version__}}))


if __name__ == '__main__':
    main()
