"""The layers of `definitions` in PyTorch, whose autograd gives reference gradients."""
import torch
from torch.nn import functional as F

tanh = torch.tanh
relu = torch.relu
softplus = F.softplus


def convolve(x, W, b):
    return F.conv2d(x, W, b, padding=W.shape[2] // 2)


def upsample(x):
    return F.interpolate(x, scale_factor=2, mode='nearest')


def pool(x):
    return F.avg_pool2d(x, 2)


def normalize(x, statistics, eps):
    mean, var = statistics or (None, None)
    return F.batch_norm(x, mean, var, training=statistics is None, eps=eps)


def concatenate(xs):
    return torch.cat(xs, 1)
