"""Which set of kernels serves which arrays."""
import ast
from pathlib import Path

from source.kernels import switch
from source.kernels.switch import CPU, REFERENCE, kernel_set, kernels, use_precision
from tests.gpu_road import configured

import chainer
import numpy as np
import pytest

SINGLE, DOUBLE = np.zeros(3, np.float32), np.zeros(3)


@pytest.mark.parametrize('wanted, array, expected', [
    ('device', SINGLE, CPU), ('device', DOUBLE, None), ('reference', SINGLE, REFERENCE),
    ('reference', DOUBLE, REFERENCE), ('reference', np.zeros(3, np.int32), None), ('chainer', SINGLE, None),
    ('chainer', DOUBLE, None)])
def test_sets(monkeypatch, wanted, array, expected):
    with configured(kernel_set=wanted, cpu_kernels=wanted == 'device'):
        assert kernel_set(array) is kernel_set(chainer.Variable(array), None) is expected
        monkeypatch.setattr(switch, 'ALLOWED', False)  # by SNGAN_KERNELS=0
        assert wanted == 'device' or kernel_set(array) is None


def test_functions_that_a_set_lacks_are_chainers():
    with configured(kernel_set='reference'):
        assert kernels('elementwise.add', SINGLE).__name__ == 'source.kernels.reference.elementwise'
        assert kernels('elementwise.nothing', SINGLE) is kernels('nothing.at_all', SINGLE) is None
    with configured(kernel_set='chainer', cpu_kernels=False):
        assert kernels('elementwise.add', SINGLE) is None


def functions(path):
    return {node.name: [a.arg for a in node.args.args] for node in ast.parse(path.read_text(encoding='utf-8')).body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith('_')}


def test_cuda_and_twins_offer_the_same():
    """Every public function of a twin has its launcher, but for those that only a twin needs."""
    folder = Path(switch.__file__).parent
    for path in sorted((folder / 'reference').glob('*.py')):
        if path.stem not in ('__init__', 'precision', 'channel_sum'):  # which unpack_gradients takes in
            twins, launchers = functions(path), functions(folder / 'cuda' / path.name)
            for name, arguments in twins.items():
                if name not in {'philox', 'new_state', 'fold', 'unfold', 'pack_weight', 'unpack_weight_gradient'}:
                    assert launchers.get(name) == arguments, f'{path.stem}.{name}'


def test_precision():
    with pytest.raises(ValueError, match="expected one of float32, tf32, bfloat16, got 'fp16'"):
        use_precision('fp16')
