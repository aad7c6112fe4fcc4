"""Stands in for the module `cudnn`: records what it is asked for, and convolves what the pointers point to, in float64.

A graph has these plans: 0 is barred, 1 slow, 2 fast, 3 cannot run, 4 wants too much memory, 5 is hopeless, 6 is 1 once
more.
"""
import ctypes
import functools
from types import SimpleNamespace

import chainer
import chainer.functions as F
import ml_dtypes
import numpy as np

OPERATIONS = {'conv_fprop', 'conv_dgrad', 'conv_wgrad', 'bias', 'relu'}
MILLISECONDS = {1: 1.5, 2: 1., 3: .1, 4: .1, 5: 3.5, 6: 1.5}
DTYPES = {'FLOAT': np.dtype(np.float32), 'BFLOAT16': np.dtype(ml_dtypes.bfloat16)}


class FakeCudnn:
    data_type = SimpleNamespace(**{name: name for name in DTYPES})
    numerical_note = SimpleNamespace(**{name: name for name in (
        'NONDETERMINISTIC', 'DOWN_CONVERT_INPUTS', 'REDUCED_PRECISION_REDUCTION', 'TENSOR_CORE')})
    behavior_note = SimpleNamespace(RUNTIME_COMPILATION='RUNTIME_COMPILATION')
    heur_mode = SimpleNamespace(A='A', B='B', FALLBACK='FALLBACK')
    cudnnGraphNotSupportedError = type('NotSupported', (Exception,), {})

    def __init__(self):
        self.graphs, self.handles, self.streams, self.executed, self.milliseconds = [], [], [], [], 0.
        self.workspace_bytes, self.refuses = 100, None

    def backend_version(self):
        return 92800

    def create_handle(self):
        self.handles.append(object())
        return self.handles[-1]

    def set_stream(self, handle, stream):
        assert handle in self.handles
        self.streams.append(stream)

    def pygraph(self, **kwargs):
        self.graphs.append(FakeGraph(self, kwargs))
        return self.graphs[-1]


class FakeTensor(SimpleNamespace):
    """`set_dim(…)` and the like set `dim`."""

    def __getattr__(self, name):
        if not name.startswith('set_'):
            raise AttributeError(name)

        def set_attribute(value):
            setattr(self, name.removeprefix('set_'), value)
            return self
        return set_attribute

    def channels_last(self):
        n, channels, height, width = self.dim
        assert self.stride == [height * width * channels, 1, width * channels, channels]
        return n, height, width, channels


class FakeGraph:
    """`told`: what calls have told it, in order: all but the operations."""

    def __init__(self, cudnn, kwargs):
        self.cudnn, self.kwargs, self.tensors, self.operations, self.result, self.told = cudnn, kwargs, {}, [], None, {}

    def tensor(self, uid, **attributes):
        return self.tensors.setdefault(uid, FakeTensor(uid=uid, **attributes))

    def _operation(self, kind, *operands, **sizes):
        self.operations.append((kind, operands, sizes))
        self.result = FakeTensor()
        return self.result

    def _tell(self, name, value=None):
        self.told[name] = value
        if name == 'validate' and self.cudnn.refuses:
            raise self.cudnn.cudnnGraphNotSupportedError(self.cudnn.refuses)

    def __getattr__(self, name):
        return functools.partial(self._operation if name in OPERATIONS else self._tell, name)

    def get_execution_plan_count(self):
        return 7

    def get_plan_name_at_index(self, index):
        return f'eng{index % 5 if index == 6 else index}'

    def build_plan_at_index(self, index):
        if index == 0:
            raise self.cudnn.cudnnGraphNotSupportedError('plan 0 is barred')
        self.selected = index

    def get_workspace_size_plan_at_index(self, index):
        return self.told['deselect_workspace_greater_than'] + 1 if index == 4 else self.cudnn.workspace_bytes

    def execute(self, pack, workspace, handle):
        assert handle in self.cudnn.handles and type(workspace) is int and workspace and self.result.output is True
        assert all(type(pointer) is int and pointer % 16 == 0 for pointer in pack.values())
        if self.selected == 3:
            raise RuntimeError('CUDNN_STATUS_EXECUTION_FAILED')
        self.cudnn.executed.append(self.selected)
        self.cudnn.milliseconds += MILLISECONDS[self.selected]
        result = None
        for kind, operands, sizes in self.operations:
            arrays = [self._array(pack, operand).astype(np.float64) for operand in operands if hasattr(operand, 'name')]
            if kind == 'bias':
                result = result + arrays[0]
            elif kind == 'relu':
                result = np.maximum(result, 0)
            else:
                result = convolved(kind, *arrays, sizes, self.result.channels_last())
        self._array(pack, self.result)[...] = result

    def _array(self, pack, tensor):
        shape, dtype = tensor.channels_last(), DTYPES[getattr(tensor, 'data_type', self.kwargs['io_data_type'])]
        if dtype.itemsize == 2 or 'TENSOR_CORE' not in self.told['deselect_numeric_notes']:
            assert shape[3] * dtype.itemsize % 16 == 0, 'channels do not fill reads of tensor cores'
        buffer = (ctypes.c_char * (int(np.prod(shape)) * dtype.itemsize)).from_address(pack[tensor.uid])
        return np.frombuffer(buffer, dtype).reshape(shape)


def convolved(kind, first, second, sizes, shape):
    """By Chainer; gradients are those of a convolution of zeros."""
    image = np.zeros(shape) if kind == 'conv_dgrad' else first
    filters = np.zeros(shape) if kind == 'conv_wgrad' else second
    image, filters = (chainer.Variable(a.transpose(0, 3, 1, 2)) for a in (image, filters))
    y = F.convolution_2d(image, filters, stride=sizes['stride'], pad=sizes['padding'])
    if kind != 'conv_fprop':
        y.grad = (first if kind == 'conv_dgrad' else second).transpose(0, 3, 1, 2)
        y.backward()
    result = {'conv_fprop': y.array, 'conv_dgrad': image.grad, 'conv_wgrad': filters.grad}[kind]
    return result.transpose(0, 2, 3, 1)
