from source.kernels.adam_state import ALPHA, BETA1, BETA2, EPS, T
from source.kernels.switch import cpu_kernels_serve, kernels

import numpy as np
from chainer.optimizers import adam


class AdamRule(adam.AdamRule):
    """Chainer's rule; on a CPU a float32 parameter is updated in one pass over its memory."""

    def update_core_cpu(self, param):
        arrays = param.array, param.grad, self.state['m'], self.state['v']
        if param.grad is None or not self.is_plain or not cpu_kernels_serve(*arrays) or not _are_contiguous(arrays):
            super().update_core_cpu(param)
            return
        from source.kernels.cpu.adam import adam_update
        hp = self.hyperparam
        adam_update(*(np.ravel(a) for a in arrays), self.alpha_t, 1 - hp.beta1, 1 - hp.beta2, hp.eps)

    @property
    def is_plain(self):
        hp = self.hyperparam
        return hp.eta == 1 and not (hp.weight_decay_rate or hp.amsgrad or hp.adabound)


def _are_contiguous(arrays):
    """Whether parameter and moments can be changed through a flat view; the gradient is only read."""
    param, _, m, v = arrays
    return all(a.flags.c_contiguous for a in (param, m, v))


class Adam(adam.Adam):
    """Chainer's Adam with this module's `AdamRule`; the state it keeps and its snapshots are the same.

    On the GPU's road all parameters are moved at once, by a kernel that reads step count and hyperparameters from an
    array beside them and counts on itself, so that a captured step follows them.
    """

    _state, _state_says = None, None  # what the kernel reads, and the numbers that it holds by now

    def create_update_rule(self):
        return AdamRule(self.hyperparam)

    def update(self, lossfun=None, *args, further=None, **kwds):
        """`further`: `FurtherGradients`, which are added; only where `takes_further_gradients`."""
        kernel = self.joint_kernel() if lossfun is None else None
        if kernel is None:
            if further is not None:
                raise ValueError('further gradients are for the kernel that moves all parameters at once')
            super().update(lossfun, *args, **kwds)
            return
        self.reallocate_cleared_grads()
        self.call_hooks('pre')
        params = [param for param in self.target.params() if param.array is not None]
        self.sync()
        for param in params:
            state = param.update_rule.state
            # Chainer leaves on the host what it loads before the first update.
            if state is None or not all(map(param.device.is_array_supported, (state['m'], state['v']))):
                param.update_rule._init_states(param)
        kernel.update([param.array for param in params], [_contiguous(param.grad) for param in params],
                      *([param.update_rule.state[key] for param in params] for key in 'mv'), self._state,
                      further and [_contiguous(further.of(param)) for param in params])
        self.count(1)
        self.reallocate_cleared_grads()
        self.call_hooks('post')

    def count(self, n_updates):
        """Counts updates that the kernel has made, or, in a captured step, will make."""
        self.t += n_updates
        for param in self.target.params():
            param.update_rule.t += n_updates
        self._state_says[T] += n_updates

    def sync(self):
        """Writes to the kernel's array what is not there yet: at first all of it, then the learning rate's changes."""
        hp = self.hyperparam
        wanted = {T: self.t, ALPHA: hp.alpha, BETA1: hp.beta1, BETA2: hp.beta2, EPS: hp.eps}
        xp = next(self.target.params()).device.xp
        if self._state is None or not isinstance(self._state, xp.ndarray):
            self._state, self._state_says = xp.zeros(6, np.float64), {}
        for place, value in wanted.items():
            if self._state_says.get(place) != value:
                self._state[place:place + 1].fill(value)
                self._state_says[place] = value

    def takes_further_gradients(self):
        """Whether they can be added on the way: nobody else looks at gradients, or changes them."""
        return self.joint_kernel() is not None and not hooks_of(self)

    def joint_kernel(self):
        """The kernel for all parameters at once, or None where there is none or one of them wants its own way."""
        params = [param for param in self.target.params() if param.array is not None]
        kernel = kernels('adam.update', *(param.array for param in params)) if params else None
        return kernel if kernel is not None and all(map(self._is_ordinary, params)) else None

    def _is_ordinary(self, param):
        rule = param.update_rule
        return (type(rule) is AdamRule and rule.enabled and rule.is_plain and rule.t == self.t
                and rule.hyperparam.parent is self.hyperparam and set(vars(rule.hyperparam)) == {'_parent'}
                and not hooks_of(rule)
                and param._loss_scale is None and param.dtype.kind == 'f' and param.array.flags.c_contiguous)


def hooks_of(hooked):
    """Names of the hooks of an optimizer or of an update rule."""
    hookable = hooked._hookable  # None before an optimizer's set-up
    return [] if hookable is None else [*hookable._pre_update_hooks, *hookable._post_update_hooks]


def _contiguous(array):
    return array if array is None or array.flags.c_contiguous else array.copy(order='C')
