"""The ResNets of our configs in PyTorch, of any size, as one would write them for a GPU today."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

EPS = 2e-5  # of batch normalization


class ConditionalBatchNorm2d(nn.Module):
    """`y` None where n_classes is 0."""

    def __init__(self, channels, n_classes):
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels, eps=EPS, affine=n_classes == 0)
        if n_classes:
            self.gammas, self.betas = nn.Embedding(n_classes, channels), nn.Embedding(n_classes, channels)
            nn.init.ones_(self.gammas.weight)
            nn.init.zeros_(self.betas.weight)

    def forward(self, x, y):
        h = self.normalize(x)
        return h if y is None else torch.addcmul(self.betas(y)[:, :, None, None], self.gammas(y)[:, :, None, None], h)


class UpBlock(nn.Module):

    def __init__(self, before, after, n_classes):
        super().__init__()
        self.b1, self.c1 = ConditionalBatchNorm2d(before, n_classes), nn.Conv2d(before, after, 3, padding=1)
        self.b2, self.c2 = ConditionalBatchNorm2d(after, n_classes), nn.Conv2d(after, after, 3, padding=1)
        self.c_sc = nn.Conv2d(before, after, 1)

    def forward(self, x, y):
        h = self.c1(F.interpolate(F.relu(self.b1(x, y)), scale_factor=2, mode='nearest'))
        h = self.c2(F.relu(self.b2(h, y)))
        # A 1×1 convolution commutes with upsampling; here it sees a quarter of the pixels.
        return h + F.interpolate(self.c_sc(x), scale_factor=2, mode='nearest')


class Generator(nn.Module):
    """widths: of the first feature map and of every block's output."""

    def __init__(self, widths, dim_z, bottom_width, n_classes):
        super().__init__()
        self.bottom_width = bottom_width
        self.l1 = nn.Linear(dim_z, bottom_width ** 2 * widths[0])
        self.blocks = nn.ModuleList(UpBlock(a, b, n_classes) for a, b in zip(widths, widths[1:], strict=False))
        self.b, self.c = ConditionalBatchNorm2d(widths[-1], 0), nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, z, y):
        h = self.l1(z).view(len(z), -1, self.bottom_width, self.bottom_width)
        h = h.contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            h = block(h, y)
        return torch.tanh(self.c(F.relu(self.b(h, None))).float())


class DownBlock(nn.Module):

    def __init__(self, before, after, first, halves, norm):
        super().__init__()
        self.first, self.halves = first, halves
        hidden = after if first else before
        self.c1, self.c2 = norm(nn.Conv2d(before, hidden, 3, padding=1)), norm(nn.Conv2d(hidden, after, 3, padding=1))
        self.c_sc = norm(nn.Conv2d(before, after, 1)) if halves or before != after else None

    def forward(self, x):
        h = self.c2(F.relu(self.c1(x if self.first else F.relu(x))))
        shortcut = x
        if self.halves:  # pooling first leaves the 1×1 convolution a quarter of the pixels
            h, shortcut = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        return h + (shortcut if self.c_sc is None else self.c_sc(shortcut))


class Discriminator(nn.Module):
    """blocks: (width of the output, whether it halves height and width) of each; `spectral`: normalized or not."""

    def __init__(self, blocks, n_classes, dense_has_bias, spectral=True):
        super().__init__()
        norm = spectral_norm if spectral else (lambda module: module)
        widths = [3, *(width for width, _ in blocks)]
        self.blocks = nn.Sequential(*(
            DownBlock(before, after, i == 0, halves, norm)
            for i, (before, (after, halves)) in enumerate(zip(widths, blocks, strict=False))))
        self.dense = norm(nn.Linear(widths[-1], 1, bias=dense_has_bias))
        self.l_y = norm(nn.Embedding(n_classes, widths[-1])) if n_classes else None

    def forward(self, x, y):
        phi = F.relu(self.blocks(x.contiguous(memory_format=torch.channels_last))).float().sum((2, 3))
        output = self.dense(phi)
        return output if y is None else output + (self.l_y(y) * phi).sum(1, keepdim=True)
