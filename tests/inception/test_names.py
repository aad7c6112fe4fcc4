"""The table of names against the rules that it follows, block by block."""
from source.inception.names import CONVOLUTIONS

MODULES = dict(zip(
    ['conv', 'conv_1', 'conv_2', 'conv_3', 'conv_4', 'mixed', *(f'mixed_{i}' for i in range(1, 11))],
    ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3', 'Conv2d_3b_1x1', 'Conv2d_4a_3x3', 'Mixed_5b', 'Mixed_5c',
     'Mixed_5d', 'Mixed_6a', 'Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e', 'Mixed_7a', 'Mixed_7b', 'Mixed_7c'],
    strict=True))
BLOCK_35 = {
    'conv': 'branch1x1', 'tower/conv': 'branch5x5_1', 'tower/conv_1': 'branch5x5_2', 'tower_1/conv': 'branch3x3dbl_1',
    'tower_1/conv_1': 'branch3x3dbl_2', 'tower_1/conv_2': 'branch3x3dbl_3', 'tower_2/conv': 'branch_pool'}
BLOCK_17 = {
    'conv': 'branch1x1', 'tower/conv': 'branch7x7_1', 'tower/conv_1': 'branch7x7_2', 'tower/conv_2': 'branch7x7_3',
    'tower_1/conv': 'branch7x7dbl_1', 'tower_1/conv_1': 'branch7x7dbl_2', 'tower_1/conv_2': 'branch7x7dbl_3',
    'tower_1/conv_3': 'branch7x7dbl_4', 'tower_1/conv_4': 'branch7x7dbl_5', 'tower_2/conv': 'branch_pool'}
BLOCK_8 = {
    'conv': 'branch1x1', 'tower/conv': 'branch3x3_1', 'tower/mixed/conv': 'branch3x3_2a',
    'tower/mixed/conv_1': 'branch3x3_2b', 'tower_1/conv': 'branch3x3dbl_1', 'tower_1/conv_1': 'branch3x3dbl_2',
    'tower_1/mixed/conv': 'branch3x3dbl_3a', 'tower_1/mixed/conv_1': 'branch3x3dbl_3b', 'tower_2/conv': 'branch_pool'}
BRANCHES = {
    **dict.fromkeys(['mixed', 'mixed_1', 'mixed_2'], BLOCK_35),
    'mixed_3': {'conv': 'branch3x3', 'tower/conv': 'branch3x3dbl_1', 'tower/conv_1': 'branch3x3dbl_2',
                'tower/conv_2': 'branch3x3dbl_3'},
    **dict.fromkeys(['mixed_4', 'mixed_5', 'mixed_6', 'mixed_7'], BLOCK_17),
    'mixed_8': {'tower/conv': 'branch3x3_1', 'tower/conv_1': 'branch3x3_2', 'tower_1/conv': 'branch7x7x3_1',
                'tower_1/conv_1': 'branch7x7x3_2', 'tower_1/conv_2': 'branch7x7x3_3',
                'tower_1/conv_3': 'branch7x7x3_4'},
    **dict.fromkeys(['mixed_9', 'mixed_10'], BLOCK_8)}


def test_tensorflow_and_pytorch():
    expected = {name: MODULES[name] for name in ('conv', 'conv_1', 'conv_2', 'conv_3', 'conv_4')}
    for block, branches in BRANCHES.items():
        expected.update((f'{block}/{node}', f'{MODULES[block]}.{branch}') for node, branch in branches.items())
    assert {node: module for _, node, module in CONVOLUTIONS} == expected


def test_ours():
    """TensorFlow's, with the single convolution of a branch once more under the branch's own name."""
    for ours, node, _ in CONVOLUTIONS:
        *folders, name = node.split('/')
        is_branch = folders and folders[-1].startswith('mixed')
        assert ours == (f'{node}/{name}' if is_branch else node)
