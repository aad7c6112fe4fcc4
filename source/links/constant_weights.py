"""Forward passes whose weights get no gradient, as the discriminator's in the generator's update."""
import chainer

chainer.global_config.constant_weights = False


def as_configured(weight):
    """The weight itself, or under `chainer.using_config('constant_weights', True)` a Variable without gradient."""
    if weight is None or not chainer.config.constant_weights:
        return weight
    return chainer.Variable(weight.array, requires_grad=False)
