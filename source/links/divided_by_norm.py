"""The mixin of weight normalization and Frobenius normalization, whose links stand in files of their own."""
from source.links.constant_weights import as_configured

import chainer.functions as F
from chainer import variable


class DividedByNorm:
    """Offers `W_bar` = normalize(W), which a subclass's `_normalize` computes, in place of `W`.

    With `use_gamma` there is a trained multiplier `gamma` (Appendix E). It starts at the norm that W is divided by, so
    that `W_bar` starts as W; its shape is that of the norms, with the axes summed over kept.
    """

    _normalize = None  # a function of the weight's Variable
    _norm_axes = None  # of W's ndim: the axes that each norm is taken over

    def _init_norm(self, use_gamma=False):
        self.use_gamma = use_gamma
        if use_gamma:
            with self.init_scope():
                self.gamma = variable.Parameter(self._norms)
            self._initialize_gamma()

    def _norms(self, array):
        if self.W.array is None:  # a snapshot is being loaded into a lazy link, and will bring gamma's value
            return
        array[...] = (self.W.array ** 2).sum(axis=self._norm_axes(self.W.ndim), keepdims=True) ** .5

    def _initialize_gamma(self):
        if self.use_gamma and self.gamma.array is None and self.W.array is not None:
            axes = self._norm_axes(self.W.ndim)
            self.gamma.initialize(tuple(1 if i in axes else n for i, n in enumerate(self.W.shape)))

    @property
    def W_bar(self):
        """Variable of W's shape, normalized, times gamma if there is one."""
        self._initialize_gamma()
        W_bar = type(self)._normalize(as_configured(self.W))
        if self.use_gamma:
            W_bar = W_bar * F.broadcast_to(as_configured(self.gamma), W_bar.shape)
        return W_bar
