"""Which functions a CUDA graph can record: those that start kernels and nothing else.

CuPy refuses cuBLAS, cuSOLVER and cuRAND while it records, and a copy from the host would be recorded with what the host
held then. Our own functions keep to kernels; of Chainer's, those below do.
"""
from source.kernels.switch import CUDA, kernel_set

from chainer import function_hook

_MODULES = {f'chainer.functions.{name}' for name in (
    'math.basic_math', 'math.exponential', 'math.sqrt', 'math.square', 'math.sum', 'math.average', 'math.maximum',
    'math.minimum', 'array.broadcast', 'array.cast', 'array.expand_dims', 'array.reshape', 'array.squeeze',
    'array.transpose', 'array.where', 'activation.clipped_relu', 'activation.leaky_relu', 'activation.relu',
    'activation.sigmoid', 'activation.softplus', 'activation.tanh', 'normalization.batch_normalization')}


class Census(function_hook.FunctionHook):
    """Sees every function that runs, forwards and backwards, and knows the first that cannot be recorded."""

    name = 'CapturableCensus'

    def __init__(self):
        self.culprit = None

    def forward_postprocess(self, function, in_data):
        self._see(function)

    def backward_postprocess(self, function, in_data, out_grad):
        self._see(function)

    def _see(self, function):
        module = type(function).__module__
        if not module.startswith('source.') and module not in _MODULES:
            self.culprit = self.culprit or type(function)

    def verdict(self):
        """Why a step with these functions is not captured, or None."""
        culprit = self.culprit
        return culprit and f'{culprit.__module__}.{culprit.__name__} is not known to run on kernels alone'


def reason_of_device(param):
    """Why nothing can be captured on the device of a parameter, or None."""
    if kernel_set(param) is not CUDA:
        return None
    convolution = CUDA.offering('convolution.capturable')
    if convolution is None or not convolution.capturable():
        return "cuDNN's frontend is missing, and CuPy's matrix products cannot be captured"
    return None
