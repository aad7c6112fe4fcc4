import chainer


def weights_of(model):
    """(path, W) of every link with a weight, W a Variable; its first axis is that of the outputs.

    W is the weight before any normalization.
    """
    return [(path, link.W) for path, link in model.namedlinks() if isinstance(getattr(link, 'W', None),
                                                                              chainer.Variable)]
