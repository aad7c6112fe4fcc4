"""Weights as the configuration of a forward pass wants them.

They get no gradient under `constant_weights`, as the discriminator's in the generator's update, and one that is kept
apart under `further_gradients`.
"""
import chainer

chainer.global_config.constant_weights = False
chainer.global_config.further_gradients = None


def as_configured(weight):
    """The weight itself, or under `chainer.using_config('constant_weights', True)` a Variable without gradient.

    Within `FurtherGradients.gathered` it is the weight's stand-in.
    """
    if weight is None:
        return None
    if chainer.config.constant_weights:
        return chainer.Variable(weight.array, requires_grad=False)
    further = chainer.config.further_gradients
    return weight if further is None else further.stand_in(weight)
