"""Activations that a convolution or batch normalization can be joined with."""
import chainer.functions as F


class LeakyReLU:
    """x where x > 0, else slope·x (Table 3: slope 0.1); a callable with its slope told."""

    def __init__(self, slope=.1):
        self.slope = slope

    def __call__(self, x):
        return F.leaky_relu(x, self.slope)


def slope_of(activation):
    """What an activation multiplies negative numbers by: 1 for None, 0 for ReLU; None if it is not of that kind."""
    if activation is None:
        return 1.
    if activation is F.relu:
        return 0.
    return getattr(activation, 'slope', None)
