"""Which set of kernels serves which arrays."""
from source.kernels import switch
from source.kernels.switch import CPU, REFERENCE, kernel_set, kernels, use_precision
from tests.gpu_road import configured

import chainer
import numpy as np
import pytest

SINGLE, DOUBLE = np.zeros(3, np.float32), np.zeros(3)


@pytest.mark.parametrize('wanted, array, expected', [
    ('device', SINGLE, CPU), ('device', DOUBLE, None), ('reference', SINGLE, REFERENCE),
    ('reference', DOUBLE, REFERENCE), ('reference', np.zeros(3, np.int32), None), ('chainer', DOUBLE, None)])
def test_sets(wanted, array, expected):
    with configured(kernel_set=wanted, cpu_kernels=wanted == 'device'):
        assert kernel_set(array) is kernel_set(chainer.Variable(array), None) is expected


def test_chainer_means_no_gpu_kernels():
    with configured(kernel_set='chainer', cpu_kernels=False):
        assert kernel_set(SINGLE) is None and kernels('elementwise.add', SINGLE) is None


def test_environment_turns_all_off(monkeypatch):
    """SNGAN_KERNELS=0."""
    monkeypatch.setattr(switch, 'ALLOWED', False)
    with configured(kernel_set='reference'):
        assert kernel_set(SINGLE) is None


def test_functions_that_a_set_lacks_are_chainers():
    with configured(kernel_set='reference'):
        assert kernels('elementwise.add', SINGLE).__name__ == 'source.kernels.reference.elementwise'
        assert kernels('elementwise.nothing', SINGLE) is kernels('nothing.at_all', SINGLE) is None


def test_cuda_and_twins_offer_the_same():
    """Every public function of a twin has its launcher, but for those that only a twin needs."""
    import ast
    from pathlib import Path
    folder = Path(switch.__file__).parent

    def functions(path):
        body = ast.parse(path.read_text(encoding='utf-8')).body
        return {node.name: [a.arg for a in node.args.args] for node in body
                if isinstance(node, ast.FunctionDef) and not node.name.startswith('_')}
    for path in sorted((folder / 'reference').glob('*.py')):
        if path.stem not in ('__init__', 'precision', 'channel_sum'):  # which unpack_gradients takes in
            twins, launchers = functions(path), functions(folder / 'cuda' / path.name)
            for name, arguments in twins.items():
                if name not in {'philox', 'new_state', 'fold', 'unfold', 'pack_weight', 'unpack_weight_gradient'}:
                    assert launchers.get(name) == arguments, f'{path.stem}.{name}'


def test_precision():
    with pytest.raises(ValueError, match="expected one of float32, tf32, bfloat16, got 'fp16'"):
        use_precision('fp16')
