"""How plans are asked for, chosen, kept and executed, with a stand-in for cuDNN."""
import json

from source.kernels.cuda import convolution_plans, plan_choices, plan_timing
from source.kernels.cuda.convolution_plans import NoPlan, PlanningError

import ml_dtypes
import numpy as np
import pytest


def convolve(host, dtype=np.float32, batchsize=2, **kwargs):
    image, filters = host.array(np.ones((batchsize, 4, 4, 8), dtype)), host.array(np.ones((8, 3, 3, 8), dtype))
    return convolution_plans.fprop(image, filters, pad=(1, 1), **kwargs)


def record():
    return plan_choices._path(convolution_plans._machine())


@pytest.mark.parametrize('dtype, tf32, io_type, barred', [
    (np.float32, True, 'FLOAT', []), (np.float32, False, 'FLOAT', ['TENSOR_CORE']),
    (ml_dtypes.bfloat16, False, 'BFLOAT16', [])])
def test_what_cudnn_is_asked(host, cudnn, dtype, tf32, io_type, barred):
    """Tensor cores are barred for float32 alone; what is not deterministic, rounded or compiled always."""
    convolve(host, dtype, tf32=tf32)
    graph, = cudnn.graphs
    assert list(graph.told.items()) == [
        ('validate', None), ('build_operation_graph', None), ('create_execution_plans', ['B', 'A', 'FALLBACK']),
        ('deselect_numeric_notes', ['NONDETERMINISTIC', 'DOWN_CONVERT_INPUTS', 'REDUCED_PRECISION_REDUCTION', *barred]),
        ('deselect_behavior_notes', ['RUNTIME_COMPILATION']), ('deselect_workspace_greater_than', 1 << 30)]
    assert graph.kwargs == {'io_data_type': io_type, 'intermediate_data_type': 'FLOAT', 'compute_data_type': 'FLOAT',
                            'handle': cudnn.handles[0]}
    assert {uid: tensor.dim for uid, tensor in graph.tensors.items()} == {1: [2, 8, 4, 4], 2: [8, 8, 3, 3]}
    assert graph.tensors[1].stride == [128, 1, 32, 8] and graph.result.uid == 3
    assert set(cudnn.streams) == {cudnn.stream.ptr}


def test_planned_and_timed_once(host, cudnn):
    """Plan 2 is the fastest of those that run; a second call executes nothing else."""
    first = convolve(host)
    timed = len(cudnn.executed)
    assert {plan: cudnn.executed.count(plan) for plan in set(cudnn.executed)} == {1: 12, 2: 13, 5: 2}
    assert host.launches.count('spin') == 5  # so that the device never waits for the host
    np.testing.assert_array_equal(convolve(host), first)
    assert len(cudnn.graphs) == 1 and cudnn.executed[timed:] == [2]
    for other in ({'batchsize': 3}, {'relu': True}, {'tf32': False}):
        convolve(host, **other)
    assert len(cudnn.graphs) == 4


def test_choices_are_kept(host, cudnn):
    """A later process times nothing and takes the recorded plan, though slower; what others have written stays."""
    convolve(host)
    stored = json.loads(record().read_text())
    assert stored['machine'] == 'Fake, 1 SM, cuDNN 92800' and list(stored['plans'].values()) == ['eng2']
    record().write_text(json.dumps({**stored, 'plans': dict.fromkeys(stored['plans'], 'eng1')}))
    plan_choices._choices.cache_clear()
    convolution_plans.forget()
    cudnn.executed.clear()
    convolve(host)
    assert cudnn.executed == [1]
    choices = plan_choices._choices(convolution_plans._machine())
    choices.update(dict.fromkeys(choices, 'eng99'))  # a plan that is gone is replaced
    convolution_plans.forget()
    convolve(host)
    assert set(choices.values()) == {'eng2'}
    record().write_text(json.dumps({**stored, 'plans': {**stored['plans'], 'of another': 'eng3'}}))
    convolve(host, batchsize=3)
    plans = json.loads(record().read_text())['plans']
    assert len(plans) == 3 and plans['of another'] == 'eng3' and list(record().parent.iterdir()) == [record()]


@pytest.mark.parametrize('content', ['', '[]', '{"plans": 3}', '{"plans": {}}'])
def test_damaged_record(host, cudnn, capsys, content):
    record().parent.mkdir(parents=True, exist_ok=True)
    record().write_text(content)
    plan_choices._tell.cache_clear()
    convolve(host)
    said = capsys.readouterr().err
    assert said.count('\n') == (content != '{"plans": {}}') and (not said or str(record()) in said)
    assert list(json.loads(record().read_text())['plans'].values()) == ['eng2']


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


def test_no_plan(host, cudnn, monkeypatch):
    """It is told, as often as it is asked for, but sought once."""
    monkeypatch.setattr(plan_timing, 'milliseconds', lambda plan, arrays, limit: 1 / 0 if plan.index else 0)
    with monkeypatch.context() as patch:
        patch.setattr(convolution_plans, '_errors', lambda: (Exception,))
        for _ in range(2):
            with pytest.raises(NoPlan, match='none of 7 plans.*bfloat16: division by zero'):
                convolve(host, ml_dtypes.bfloat16)
    assert len(cudnn.graphs) == 1
    assert [plan for plan in convolution_plans._plans.values() if not isinstance(plan, str)] == []  # no traceback
    cudnn.refuses = 'No valid engine configs\nfor this and that'
    with pytest.raises(NoPlan, match=r'fprop of images \(2, 4, 4, 8\).* in TF32: No valid engine configs$'):
        convolve(host)
