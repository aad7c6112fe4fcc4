from source.functions.batch_normalization import batch_normalize, fixed_batch_normalize

import chainer
import chainer.functions as F
import chainer.links as L


def normalize(link, x, gamma, beta, finetune=False, activation=None, labels=None, bias=None):
    """What batch normalization links do, conditional or not, with the activation that follows them.

    In training mode the batch's statistics are used and the link's moving averages move by `decay`, or with `finetune`
    so that they are the plain mean over all fine-tuning batches; in test mode the moving averages are used. With
    `labels`, int (B,), gamma and beta are tables (n_cat, C). A bias (C,) is added to x first, in training mode alone.
    """
    relu = activation is F.relu
    if chainer.config.train:
        decay = link.decay
        if finetune:
            link.N += 1
            decay = 1. - 1. / link.N
        h = batch_normalize(x, gamma, beta, link.avg_mean, link.avg_var, link.eps, decay, relu, labels, bias)
    else:
        h = fixed_batch_normalize(x, gamma, beta, link.avg_mean, link.avg_var, link.eps, relu, labels)
    return h if relu or activation is None else activation(h)


class BatchNormalization(L.BatchNormalization):
    """Chainer's link for x (B, C, …), joined with the activation that follows it."""

    def forward(self, x, finetune=False, activation=None, bias=None):
        return normalize(self, x, self.gamma, self.beta, finetune, activation, bias=bias)
