"""cuDNN's three convolutions of channels-last arrays through its frontend, each planned once and then only launched.

`fprop` is a convolution, `dgrad` its gradient to the image, which is a transposed convolution, `wgrad` that to the
filter. Images are (N, H, W, C), what the convolution makes of them (N, H', W', K), filters (K, kh, kw, C), all of one
type, float32 or bfloat16; sums are float32.

A plan is sought at a problem's first call: of the plans cuDNN proposes those that are not deterministic, round their
inputs, or would have to be compiled are barred, and without TF32 those on tensor cores; the rest are timed on the
arrays at hand. The fastest is used in this process from then on and, through `plan_choices`, in later ones, as another
plan's sums have other bits. Executing never waits for the device and takes no memory but the result's, so it can be
captured into a CUDA graph. Planning can not, nor can the workspace grow then: an uncaptured call comes first.
"""
from typing import NamedTuple

from source.kernels.cuda import launching, plan_choices, plan_timing
from source.kernels.cuda.cudnn_library import frontend

import numpy as np

MOST_WORKSPACE = 1 << 30  # bytes
MOST_CANDIDATES = 24  # that are timed, in cuDNN's order of preference
HOPELESS = 3  # times the best: such a plan is not timed again
_SMALLEST_WORKSPACE = 1 << 20


class Problem(NamedTuple):
    """What a plan is for; `image` and `result` are the shapes on a convolution's two sides."""
    kind: str  # fprop, dgrad or wgrad
    image: tuple
    result: tuple
    ksize: tuple
    stride: int
    pad: tuple
    dtype: str
    tf32: bool
    has_bias: bool = False
    relu: bool = False

    def __str__(self):
        precision = 'TF32' if self.tf32 else self.dtype
        return (f'{self.kind} of images {self.image} and results {self.result}, kernel {self.ksize}, stride '
                f'{self.stride}, padding {self.pad}, in {precision}')


class PlanningError(RuntimeError):
    """A plan or more workspace is needed while a CUDA graph is captured, when neither can be had."""


class NoPlan(Exception):
    """cuDNN has no plan for a problem that may be used and runs."""


def fprop(image, filters, bias=None, relu=False, stride=1, pad=(0, 0), tf32=True):
    """The convolution (N, H', W', K), plus bias (K,) of the same type, through ReLU where `relu` is set."""
    n, height, width, _ = image.shape
    k, *ksize, _ = filters.shape
    shape = (n, *((e + 2 * p - r) // stride + 1 for e, r, p in zip((height, width), ksize, pad)), k)
    result = launching.empty(shape, image.dtype)
    problem = _problem('fprop', image, result, ksize, stride, pad, tf32, bias is not None, relu)
    _execute(problem, (image, filters, result) if bias is None else (image, filters, result, bias))
    return result


def dgrad(result, filters, image_shape, stride=1, pad=(0, 0), tf32=True):
    """The gradient of `fprop` to an image of `image_shape`, from that of its result."""
    image = launching.empty(image_shape, result.dtype)
    _execute(_problem('dgrad', image, result, filters.shape[1:3], stride, pad, tf32), (image, filters, result))
    return image


def wgrad(image, result, ksize, stride=1, pad=(0, 0), tf32=True):
    """The gradient of `fprop` to its filter, from the image and the result's gradient; of their type."""
    filters = launching.empty((result.shape[3], *ksize, image.shape[3]), image.dtype)
    _execute(_problem('wgrad', image, result, ksize, stride, pad, tf32), (image, filters, result))
    return filters


def workspace():
    """The array that executions on the current device and stream share, or None. A captured graph needs it alive."""
    return _workspaces.get(_here())


def forget():
    """Plans everything anew from now on, in tests; recorded choices remain."""
    _plans.clear()
    _workspaces.clear()


def _problem(kind, image, result, ksize, stride, pad, tf32, has_bias=False, relu=False):
    dtype = np.dtype(image.dtype).name
    return Problem(kind, tuple(image.shape), tuple(result.shape), tuple(ksize), stride, tuple(pad), dtype,
                   bool(tf32) and dtype == 'float32', has_bias, bool(relu))


class _Plan:
    """One of the plans of a graph."""

    def __init__(self, graph, index):
        self.graph, self.index = graph, index
        self.select()
        self.workspace_bytes = graph.get_workspace_size_plan_at_index(index)
        self.name = graph.get_plan_name_at_index(index)

    def select(self):
        """Builds the plan, of which a graph may have several, and makes it the one that the graph executes."""
        self.graph.build_plan_at_index(self.index)

    def execute(self, arrays):
        pack = {uid: launching.address(array) for uid, array in enumerate(arrays, 1)}
        self.graph.execute(pack, launching.address(_workspace(self.workspace_bytes)), handle=_handle())


def _execute(problem, arrays):
    key = launching.device(), problem
    if key not in _plans:
        try:
            _plans[key] = _planned(problem, arrays)
        except NoPlan as reason:
            _plans[key] = str(reason)  # an exception would keep the arrays of all who raise it
    if isinstance(_plans[key], str):
        raise NoPlan(_plans[key])
    _plans[key].execute(arrays)


def _planned(problem, arrays):
    if _stream().is_capturing():
        raise PlanningError(f'a CUDA graph is being captured and nothing planned yet: {problem}; run the same step '
                            'once uncaptured')
    try:
        graph = operation_graph(problem, handle=_handle())
        n_plans = propose_plans(graph, problem)
    except _errors() as error:
        raise NoPlan(f'cuDNN proposes no plan: {problem}: {_first_line(error)}') from None
    chosen = plan_choices.recorded(_machine(), problem)
    if chosen is not None:
        for index in range(n_plans):
            if graph.get_plan_name_at_index(index) == chosen:
                plan = _built(graph, index)
                if plan is not None:
                    return plan
    plan = _fastest(problem, graph, n_plans, arrays)
    plan_choices.record(_machine(), problem, plan.name)
    return plan


def operation_graph(problem, **where):
    """The frontend's graph of a problem; image, filter, result and bias have the uids 1 to 4.

    where: `handle`, or `device_property` to plan without a device.
    """
    cudnn = frontend()
    io_type = {'float32': cudnn.data_type.FLOAT, 'bfloat16': cudnn.data_type.BFLOAT16}[problem.dtype]
    graph = cudnn.pygraph(io_data_type=io_type, intermediate_data_type=cudnn.data_type.FLOAT,
                          compute_data_type=cudnn.data_type.FLOAT, **where)
    k, c = problem.result[3], problem.image[3]
    shapes = {'image': problem.image, 'filter': (k, *problem.ksize, c), 'result': problem.result, 'bias': (1, 1, 1, k)}
    uids = {name: uid for uid, name in enumerate(shapes, 1)}

    def operand(name):
        return graph.tensor(dim=_dims(shapes[name]), stride=_strides(shapes[name]), name=name, uid=uids[name])

    sizes = {'stride': [problem.stride] * 2, 'padding': list(problem.pad), 'dilation': [1, 1]}
    if problem.kind == 'fprop':
        output, name = graph.conv_fprop(operand('image'), operand('filter'), **sizes), 'result'
        if problem.has_bias:
            output = graph.bias(output, operand('bias'))
        if problem.relu:
            output = graph.relu(output)
    elif problem.kind == 'dgrad':
        output, name = graph.conv_dgrad(operand('result'), operand('filter'), **sizes), 'image'
    else:
        output, name = graph.conv_wgrad(operand('image'), operand('result'), **sizes), 'filter'
    output.set_output(True).set_data_type(io_type).set_dim(_dims(shapes[name])).set_stride(_strides(shapes[name]))
    output.set_uid(uids[name])
    return graph


def propose_plans(graph, problem):
    """Has cuDNN rank the plans of a graph and bars those that must not be used; returns how many there are in all."""
    cudnn = frontend()
    note = cudnn.numerical_note
    graph.validate()
    graph.build_operation_graph()
    # Mode B first: it alone ranks the plans of transposed convolutions in TF32 that need no workspace for layouts.
    graph.create_execution_plans([cudnn.heur_mode.B, cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
    barred = [note.NONDETERMINISTIC, note.DOWN_CONVERT_INPUTS, note.REDUCED_PRECISION_REDUCTION]
    if problem.dtype == 'float32' and not problem.tf32:
        barred.append(note.TENSOR_CORE)
    graph.deselect_numeric_notes(barred)
    graph.deselect_behavior_notes([cudnn.behavior_note.RUNTIME_COMPILATION])
    graph.deselect_workspace_greater_than(MOST_WORKSPACE)
    return graph.get_execution_plan_count()


def _dims(shape):
    """Of a channels-last shape, in cuDNN's order (N, C, H, W)."""
    n, height, width, channels = shape
    return [n, channels, height, width]


def _strides(shape):
    _, height, width, channels = shape
    return [height * width * channels, 1, width * channels, channels]


def _built(graph, index):
    """The _Plan, or None for one that is barred or cannot be built."""
    try:
        plan = _Plan(graph, index)
    except _errors():
        return None
    return plan if plan.workspace_bytes <= MOST_WORKSPACE else None


def _fastest(problem, graph, n_plans, arrays):
    best, shortest, timed, failure = None, np.inf, set(), None
    for index in range(n_plans):
        if len(timed) == MOST_CANDIDATES:
            break
        if graph.get_plan_name_at_index(index) in timed:  # proposed by another mode as well
            continue
        plan = _built(graph, index)
        if plan is None:
            continue
        try:
            milliseconds = plan_timing.milliseconds(plan, arrays, HOPELESS * shortest)
        except _errors() as error:
            failure = error
            continue
        timed.add(plan.name)
        if milliseconds < shortest:
            best, shortest = plan, milliseconds
    if best is None:
        reason = f': {_first_line(failure)}' if failure else ''
        raise NoPlan(f'none of {n_plans} plans of cuDNN may be used: {problem}{reason}')
    best.select()
    return best


def _errors():
    """What the frontend raises where a plan does not serve."""
    return frontend().cudnnGraphNotSupportedError, RuntimeError, ValueError, NotImplementedError


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_plans = {}  # (device, Problem): _Plan, or why there is none
_handles = {}  # (device, stream): cuDNN's handle
_workspaces = {}  # (device, stream): array
_outgrown = []  # former workspaces: a captured graph may still write there


def _stream():
    import cupy
    return cupy.cuda.get_current_stream()


def _here():
    return launching.device(), _stream().ptr


def _machine():
    """What choices of plans hold for."""
    import cupy
    properties = cupy.cuda.runtime.getDeviceProperties(launching.device())
    name = properties['name']
    name = name.decode() if isinstance(name, bytes) else name
    return f'{name}, {properties["multiProcessorCount"]} SM, cuDNN {frontend().backend_version()}'


def _handle():
    """One of the current device and stream, as captures may use several streams at once."""
    here = _here()
    if here not in _handles:
        _handles[here] = frontend().create_handle()
        frontend().set_stream(_handles[here], here[1])
    return _handles[here]


def _workspace(n_bytes):
    here = _here()
    current = _workspaces.get(here)
    if current is None or current.nbytes < n_bytes:
        if _stream().is_capturing():
            raise PlanningError(f'a CUDA graph is being captured and the workspace would have to grow to {n_bytes} '
                                'bytes; run the same step once uncaptured on the same stream')
        if current is not None:
            _outgrown.append(current)
        # In powers of two, so that what is outgrown adds up to no more than what is used.
        size = max(_SMALLEST_WORKSPACE, 1 << max(n_bytes - 1, 1).bit_length())
        current = _workspaces[here] = launching.empty((size,), np.uint8)
    return current
