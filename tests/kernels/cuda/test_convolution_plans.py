"""How plans are asked for, chosen, kept and executed, with a stand-in for cuDNN."""
import json

from source.kernels.cuda import convolution_plans, plan_choices
from source.kernels.cuda.convolution_plans import PlanningError

import chainer
import ml_dtypes
import numpy as np
import pytest


def arrays(host, dtype=np.float32, batchsize=2):
    return host.array(np.ones((batchsize, 4, 4, 8), dtype)), host.array(np.ones((8, 3, 3, 8), dtype))


def convolve(host, dtype=np.float32, batchsize=2, **kwargs):
    return convolution_plans.fprop(*arrays(host, dtype, batchsize), pad=(1, 1), **kwargs)


def test_order_of_calls(host, cudnn):
    convolve(host)
    graph, = cudnn.graphs
    assert graph.calls == ['validate', 'build_operation_graph', ('create_execution_plans', 'A', 'FALLBACK'), 'deselect']
    assert graph.kwargs == {'io_data_type': 'FLOAT', 'intermediate_data_type': 'FLOAT', 'compute_data_type': 'FLOAT',
                            'handle': cudnn.handles[0]}
    assert {uid: tensor.dim for uid, tensor in graph.tensors.items()} == {1: [2, 8, 4, 4], 2: [8, 8, 3, 3]}
    assert graph.tensors[1].stride == [128, 1, 32, 8] and graph.output.uid == 3
    assert set(cudnn.streams) == {cudnn.stream.ptr}


@pytest.mark.parametrize('dtype, tf32, io_type, barred', [
    (np.float32, True, 'FLOAT', False), (np.float32, False, 'FLOAT', True),
    (ml_dtypes.bfloat16, False, 'BFLOAT16', False)])
def test_precision(host, cudnn, dtype, tf32, io_type, barred):
    """Tensor cores are barred for float32 alone; what is not deterministic, rounded or compiled always."""
    convolve(host, dtype, tf32=tf32)
    graph, = cudnn.graphs
    assert graph.kwargs['io_data_type'] == io_type and ('TENSOR_CORE' in graph.barred) == barred
    assert {'NONDETERMINISTIC', 'DOWN_CONVERT_INPUTS', 'REDUCED_PRECISION_REDUCTION',
            'RUNTIME_COMPILATION'} <= set(graph.barred)


def test_planned_and_timed_once(host, cudnn):
    """Plan 2 is the fastest of those that run; a second call executes nothing else."""
    first = convolve(host)
    timed = len(cudnn.executed)
    assert set(cudnn.executed) == {1, 2}
    np.testing.assert_array_equal(convolve(host), first)
    assert len(cudnn.graphs) == 1 and cudnn.executed[timed:] == [2]
    convolve(host, batchsize=3)
    convolve(host, relu=True)
    convolve(host, tf32=False)
    assert len(cudnn.graphs) == 4


def test_choice_is_kept(host, cudnn):
    """A later process times nothing, and takes the recorded plan though another were faster now."""
    convolve(host)
    record, = plan_choices._path(convolution_plans._machine()).parent.glob('convolution_plans-*.json')
    stored = json.loads(record.read_text())
    assert stored['machine'] == 'Fake, 1 SM, cuDNN 92800' and list(stored['plans'].values()) == ['eng2']
    record.write_text(json.dumps({**stored, 'plans': dict.fromkeys(stored['plans'], 'eng1')}))
    plan_choices._choices.cache_clear()
    convolution_plans._plans.clear()
    cudnn.executed.clear()
    convolve(host)
    assert cudnn.executed == [1]


def test_processes_keep_each_others_choices(host, cudnn):
    """What another has written since this one read the file is still there after this one's next choice."""
    convolve(host)
    path = plan_choices._path(convolution_plans._machine())
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, 'plans': {**stored['plans'], 'of another': 'eng3'}}))
    convolve(host, batchsize=3)
    plans = json.loads(path.read_text())['plans']
    assert len(plans) == 3 and plans['of another'] == 'eng3' and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize('content', ['', '[]', '{"plans": 3}', '{"plans": {}}'])
def test_damaged_record(host, cudnn, capsys, content):
    path = plan_choices._path(convolution_plans._machine())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    plan_choices._tell.cache_clear()
    convolve(host)
    said = capsys.readouterr().err
    assert said.count('\n') == (content != '{"plans": {}}') and (not said or str(path) in said)
    assert list(json.loads(path.read_text())['plans'].values()) == ['eng2']


def test_recorded_plan_that_is_gone_is_replaced(host, cudnn):
    convolve(host)
    machine = convolution_plans._machine()
    plan_choices._choices(machine).update(dict.fromkeys(plan_choices._choices(machine), 'eng99'))
    convolution_plans._plans.clear()
    convolve(host)
    assert set(plan_choices._choices(machine).values()) == {'eng2'}


def test_workspace_is_shared_and_outlives_growth(host, cudnn):
    convolve(host)
    small = convolution_plans.workspace()
    convolve(host, batchsize=3)
    assert convolution_plans.workspace() is small
    cudnn.workspace_bytes = small.nbytes + 1
    convolve(host, batchsize=4)
    assert convolution_plans.workspace().nbytes == 2 * small.nbytes
    assert any(array is small for array in convolution_plans._outgrown)
    cudnn.stream.ptr = 8
    assert convolution_plans.workspace() is None


def test_executes_in_capture_but_does_not_plan(host, cudnn):
    expected = convolve(host)
    cudnn.stream.capturing = True
    np.testing.assert_array_equal(convolve(host), expected)
    with pytest.raises(PlanningError, match=r'captured.*\(3, 4, 4, 8\).*uncaptured'):
        convolve(host, batchsize=3)
    cudnn.stream.ptr = 8  # another stream has a workspace of its own
    with pytest.raises(PlanningError, match='workspace.*uncaptured'):
        convolve(host)


def test_no_plan(host, cudnn):
    cudnn.refuses = 'No valid engine configs\nfor this and that'
    with pytest.raises(PlanningError, match=r'fprop of images \(2, 4, 4, 8\).* in TF32: No valid engine configs$'):
        convolve(host)


def test_none_that_runs(host, cudnn, monkeypatch):
    monkeypatch.setattr(convolution_plans, '_time', lambda plan, arrays: 1 / 0 if plan.index else 0)
    monkeypatch.setattr(convolution_plans, '_errors', lambda: (Exception,))
    with pytest.raises(PlanningError, match='none of 5 plans.*bfloat16: division by zero'):
        convolve(host, ml_dtypes.bfloat16)


@pytest.mark.gpu
def test_plans_are_cached_on_gpu():
    from source.kernels.cuda import convolution

    import cupy
    if not convolution.capturable():
        pytest.skip('needs cuDNN and its frontend')
    x, w = cupy.ones((2, 8, 8, 16), np.float32), cupy.ones((16, 16, 3, 3), np.float32)
    convolution_plans.forget()
    with chainer.using_config('precision', 'tf32'):
        convolution.convolution_3x3(x, w)
        n_plans = len(convolution_plans._plans)
        convolution.convolution_3x3(x, w)
        assert len(convolution_plans._plans) == n_plans == 1
        convolution.convolution_3x3(x[:1], w)
        assert len(convolution_plans._plans) == 2


@pytest.mark.gpu
def test_float32_is_not_tf32_on_gpu():
    """10 bits of TF32 show in the third decimal; strict float32 is within its own rounding."""
    from source.kernels.cuda import convolution

    import cupy
    random = np.random.RandomState(0)
    x, w = (random.standard_normal(s).astype(np.float32) for s in ((8, 16, 16, 64), (64, 64, 3, 3)))
    from source.kernels.reference.convolution import convolution_3x3 as twin
    expected = twin(x.astype(np.float64), w.astype(np.float64))

    def error(precision):
        with chainer.using_config('precision', precision):
            y = convolution.convolution_3x3(cupy.asarray(x), cupy.asarray(w))
        return np.abs(y.get() - expected).max() / np.abs(expected).max()
    assert error('float32') < 2e-6
    if convolution.capturable():
        assert error('tf32') > 2e-5
