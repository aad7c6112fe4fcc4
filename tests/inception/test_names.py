"""The table of names against the rules that it follows, block by block."""
from source.inception.names import CONVOLUTIONS

STEM = ['Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3', 'Conv2d_3b_1x1', 'Conv2d_4a_3x3']
BLOCKS = ['5b', '5c', '5d', '6a', '6b', '6c', '6d', '6e', '7a', '7b', '7c']  # mixed, mixed_1, ...
# Of each branch TensorFlow's name, and PyTorch's of its convolutions in turn.
BLOCK_35 = {'': '1x1', '/tower': '5x5_1 5x5_2', '/tower_1': '3x3dbl_1 3x3dbl_2 3x3dbl_3', '/tower_2': '_pool'}
BLOCK_17 = {'': '1x1', '/tower': '7x7_1 7x7_2 7x7_3', '/tower_1': '7x7dbl_1 7x7dbl_2 7x7dbl_3 7x7dbl_4 7x7dbl_5',
            '/tower_2': '_pool'}
BLOCK_8 = {'': '1x1', '/tower': '3x3_1', '/tower/mixed': '3x3_2a 3x3_2b', '/tower_1': '3x3dbl_1 3x3dbl_2',
           '/tower_1/mixed': '3x3dbl_3a 3x3dbl_3b', '/tower_2': '_pool'}
BRANCHES = [*[BLOCK_35] * 3, {'': '3x3', '/tower': '3x3dbl_1 3x3dbl_2 3x3dbl_3'}, *[BLOCK_17] * 4,
            {'/tower': '3x3_1 3x3_2', '/tower_1': '7x7x3_1 7x7x3_2 7x7x3_3 7x7x3_4'}, BLOCK_8, BLOCK_8]


def numbered(name, i):
    return f'{name}_{i}' if i else name


def test_tensorflow_and_pytorch():
    expected = {numbered('conv', i): module for i, module in enumerate(STEM)}
    for k, (block, branches) in enumerate(zip(BLOCKS, BRANCHES, strict=True)):
        for folder, names in branches.items():
            for i, name in enumerate(names.split()):
                expected[f'{numbered("mixed", k)}{folder}/{numbered("conv", i)}'] = f'Mixed_{block}.branch{name}'
    assert {node: module for _, node, module in CONVOLUTIONS} == expected and len(CONVOLUTIONS) == 94


def test_ours():
    """TensorFlow's, with the single convolution of a branch once more under the branch's own name."""
    for ours, node, _ in CONVOLUTIONS:
        *folders, name = node.split('/')
        is_branch = folders and folders[-1].startswith('mixed')
        assert ours == (f'{node}/{name}' if is_branch else node)
