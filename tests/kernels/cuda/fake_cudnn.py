"""Stands in for the module `cudnn`: records what it is asked for, and convolves what the pointers point to, in float64.

A graph has five plans: 0 is barred, 1 slow, 2 fast, 3 cannot run, 4 wants too much memory.
"""
import ctypes
from types import SimpleNamespace

import ml_dtypes
import numpy as np

MILLISECONDS = {1: 3., 2: 1., 3: .1, 4: .1}
DTYPES = {'FLOAT': np.dtype(np.float32), 'BFLOAT16': np.dtype(ml_dtypes.bfloat16)}


class NotSupported(Exception):
    pass


class FakeCudnn:
    data_type = SimpleNamespace(**{name: name for name in DTYPES})
    numerical_note = SimpleNamespace(**{name: name for name in (
        'NONDETERMINISTIC', 'DOWN_CONVERT_INPUTS', 'REDUCED_PRECISION_REDUCTION', 'TENSOR_CORE')})
    behavior_note = SimpleNamespace(RUNTIME_COMPILATION='RUNTIME_COMPILATION')
    heur_mode = SimpleNamespace(A='A', FALLBACK='FALLBACK')
    cudnnGraphNotSupportedError = NotSupported

    def __init__(self):
        self.graphs, self.handles, self.streams, self.executed, self.milliseconds = [], [], [], [], None
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


class FakeTensor:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def set_output(self, value):
        self.is_output = value
        return self

    def set_data_type(self, data_type):
        self.data_type = data_type
        return self

    def set_dim(self, dim):
        self.dim = dim
        return self

    def set_stride(self, stride):
        self.stride = stride
        return self

    def set_uid(self, uid):
        self.uid = uid
        return self


class FakeGraph:
    def __init__(self, cudnn, kwargs):
        self.cudnn, self.kwargs, self.calls, self.barred = cudnn, kwargs, [], []
        self.tensors, self.operations, self.output = {}, [], None

    def tensor(self, **attributes):
        self.tensors[attributes['uid']] = FakeTensor(**attributes)
        return self.tensors[attributes['uid']]

    def _operation(self, *operation):
        self.operations.append(operation)
        self.output = FakeTensor()
        return self.output

    def conv_fprop(self, image, weight, **sizes):
        return self._operation('fprop', image, weight, sizes)

    def conv_dgrad(self, loss, filter, **sizes):
        return self._operation('dgrad', loss, filter, sizes)

    def conv_wgrad(self, image, loss, **sizes):
        return self._operation('wgrad', image, loss, sizes)

    def bias(self, x, bias):
        return self._operation('bias', x, bias)

    def relu(self, x):
        return self._operation('relu', x)

    def validate(self):
        self.calls.append('validate')
        if self.cudnn.refuses:
            raise NotSupported(self.cudnn.refuses)

    def build_operation_graph(self):
        self.calls.append('build_operation_graph')

    def create_execution_plans(self, modes):
        self.calls.append(('create_execution_plans', *modes))

    def deselect_numeric_notes(self, notes):
        self.calls.append('deselect')
        self.barred += notes

    def deselect_behavior_notes(self, notes):
        self.barred += notes

    def deselect_workspace_greater_than(self, n_bytes):
        self.most_workspace = n_bytes

    def get_execution_plan_count(self):
        return 5

    def get_plan_name_at_index(self, index):
        return f'eng{index}'

    def build_plan_at_index(self, index):
        if index == 0:
            raise NotSupported('plan 0 is barred')

    def get_workspace_size_plan_at_index(self, index):
        return self.most_workspace + 1 if index == 4 else self.cudnn.workspace_bytes

    def execute_plan_at_index(self, pack, workspace, index, handle):
        assert handle in self.cudnn.handles and type(workspace) is int and workspace
        assert all(type(pointer) is int and pointer % 16 == 0 for pointer in pack.values())
        if index == 3:
            raise RuntimeError('CUDNN_STATUS_EXECUTION_FAILED')
        self.cudnn.executed.append(index)
        self.cudnn.milliseconds = MILLISECONDS[index]
        arrays = {uid: self._view(pack[uid], tensor) for uid, tensor in self.tensors.items()}
        result = None
        for kind, first, *rest in self.operations:
            if kind == 'bias':
                result = result + arrays[rest[0].uid]
            elif kind == 'relu':
                result = np.maximum(result, 0)
            else:
                operands = arrays[first.uid], arrays[rest[0].uid]
                result = CONVOLUTIONS[kind](*operands, rest[1], _channels_last(self.output))
        self._view(pack[self.output.uid], self.output, write=result)

    def _view(self, pointer, tensor, write=None):
        shape = _channels_last(tensor)
        _, height, width, channels = shape
        assert tensor.stride == [height * width * channels, 1, width * channels, channels]
        dtype = DTYPES[getattr(tensor, 'data_type', self.kwargs['io_data_type'])]
        buffer = (ctypes.c_char * (int(np.prod(shape)) * dtype.itemsize)).from_address(pointer)
        array = np.frombuffer(buffer, dtype).reshape(shape)
        if write is not None:
            array[...] = write.astype(dtype)
        return array.astype(np.float64)


def _channels_last(tensor):
    n, c, h, w = tensor.dim
    return n, h, w, c


def _taps(filters_shape, sizes, result_shape):
    _, kh, kw, _ = filters_shape
    (stride, _), (height, width) = sizes['stride'], result_shape[1:3]
    for a in range(kh):
        for b in range(kw):
            yield a, b, slice(a, a + stride * height, stride), slice(b, b + stride * width, stride)


def _padded(image, sizes):
    (top, left), (stride, _) = sizes['padding'], sizes['stride']
    return np.pad(image, ((0, 0), (top, top + stride + 8), (left, left + stride + 8), (0, 0)))


def _fprop(image, filters, sizes, shape):
    padded = _padded(image, sizes)
    return sum(padded[:, rows, columns] @ filters[:, a, b].T
               for a, b, rows, columns in _taps(filters.shape, sizes, shape))


def _dgrad(loss, filters, sizes, shape):
    padded = _padded(np.zeros(shape), sizes)
    for a, b, rows, columns in _taps(filters.shape, sizes, loss.shape):
        padded[:, rows, columns] += loss @ filters[:, a, b]
    top, left = sizes['padding']
    return padded[:, top:top + shape[1], left:left + shape[2]]


def _wgrad(image, loss, sizes, shape):
    padded, filters = _padded(image, sizes), np.zeros(shape)
    for a, b, rows, columns in _taps(shape, sizes, loss.shape):
        filters[:, a, b] = np.einsum('nhwk,nhwc->kc', loss, padded[:, rows, columns])
    return filters


CONVOLUTIONS = {'fprop': _fprop, 'dgrad': _dgrad, 'wgrad': _wgrad}
