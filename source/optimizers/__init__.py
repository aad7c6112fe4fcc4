"""Chainer's Adam, on the kernels."""
from source.optimizers.adam import Adam

__all__ = ['Adam']
