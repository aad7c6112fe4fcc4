"""Spectral normalization for GANs and the projection discriminator, in Chainer. Importing it makes Chainer work."""
from source import chainer_compat  # noqa: F401
