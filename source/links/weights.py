import chainer


def weights_of(model):
    """(path, W) of every link with a weight, W a Variable; its first axis is that of the outputs.

    W is the weight before any normalization.
    """
    return [(path, link.W) for path, link in model.namedlinks() if isinstance(getattr(link, 'W', None),
                                                                              chainer.Variable)]


def effective_weights(model):
    """(path, matrix) of every link with a weight: what the link computes with, an array (d_out, everything else).

    Normalized weights are as normalized, multipliers included; `u` of spectral normalization stays as it is.
    """
    with chainer.using_config('train', False), chainer.no_backprop_mode():
        return [(path, _effective(link)) for path, link in model.namedlinks()
                if isinstance(getattr(link, 'W', None), chainer.Variable)]


def _effective(link):
    W = getattr(link, 'W_bar', link.W).array
    return W.reshape(len(W), -1)
