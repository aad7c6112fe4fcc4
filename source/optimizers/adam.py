from source.kernels.switch import cpu_kernels_serve

import numpy as np
from chainer.optimizers import adam


class AdamRule(adam.AdamRule):
    """Chainer's rule; on a CPU a float32 parameter is updated in one pass over its memory."""

    def update_core_cpu(self, param):
        hp = self.hyperparam
        is_plain = hp.eta == 1 and not (hp.weight_decay_rate or hp.amsgrad or hp.adabound)
        arrays = param.array, param.grad, self.state['m'], self.state['v']
        if param.grad is None or not is_plain or not cpu_kernels_serve(*arrays) or not _are_contiguous(arrays):
            super().update_core_cpu(param)
            return
        from source.kernels.cpu.adam import adam_update
        adam_update(*(np.ravel(a) for a in arrays), self.alpha_t, 1 - hp.beta1, 1 - hp.beta2, hp.eps)


def _are_contiguous(arrays):
    """Whether parameter and moments can be changed through a flat view; the gradient is only read."""
    param, _, m, v = arrays
    return all(a.flags.c_contiguous for a in (param, m, v))


class Adam(adam.Adam):
    """Chainer's Adam with this module's `AdamRule`; the state it keeps and its snapshots are the same."""

    def create_update_rule(self):
        return AdamRule(self.hyperparam)
