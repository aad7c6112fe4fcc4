"""Names in snapshots, one by one, and the shapes that the tables give: the authors' snapshots load by them."""
import itertools
import re

from tests.models.cases import N_CLASSES, NETWORKS, arrays_of, build
from tests.models.definitions import DISCRIMINATORS, GENERATORS

import pytest

# {a,b} stands for both, {2..4} for 2, 3, 4.
NAMES = {
    ('resnet_32', 'ResNetGenerator', N_CLASSES): '''
        l1/{W,b}
        block{2..4}/{c1,c2,c_sc}/{W,b}
        block{2..4}/{b1,b2}/{gammas/W,betas/W,avg_mean,avg_var,N}
        b5/{gamma,beta,avg_mean,avg_var,N}
        c5/{W,b}''',
    ('resnet_32', 'ResNetGenerator', 0): '''
        l1/{W,b}
        block{2..4}/{c1,c2,c_sc}/{W,b}
        block{2..4}/{b1,b2}/{gamma,beta,avg_mean,avg_var,N}
        b5/{gamma,beta,avg_mean,avg_var,N}
        c5/{W,b}''',
    ('resnet_64', 'ResNetGenerator', N_CLASSES): '''
        l1/{W,b}
        block{2..5}/{c1,c2,c_sc}/{W,b}
        block{2..5}/{b1,b2}/{gammas/W,betas/W,avg_mean,avg_var,N}
        b6/{gamma,beta,avg_mean,avg_var,N}
        l6/{W,b}''',
    ('resnet', 'ResNetGenerator', N_CLASSES): '''
        l1/{W,b}
        block{2..6}/{c1,c2,c_sc}/{W,b}
        block{2..6}/{b1,b2}/{gammas/W,betas/W,avg_mean,avg_var,N}
        b7/{gamma,beta,avg_mean,avg_var,N}
        l7/{W,b}''',
    ('resnet', 'ResNetGenerator', 0): '''
        l1/{W,b}
        block{2..6}/{c1,c2,c_sc}/{W,b}
        block{2..6}/{b1,b2}/{gamma,beta,avg_mean,avg_var,N}
        b7/{gamma,beta,avg_mean,avg_var,N}
        l7/{W,b}''',
    ('resnet_small', 'ResNetGenerator', N_CLASSES): '''
        l1/{W,b}
        block{2..6}/{c1,c2,c_sc}/{W,b}
        block{2..6}/{b1,b2}/{gammas/W,betas/W,avg_mean,avg_var,N}
        b7/{gamma,beta,avg_mean,avg_var,N}
        l7/{W,b}''',
    ('resnet_256', 'ResNetGenerator', N_CLASSES): '''
        l1/{W,b}
        block{2..7}/{c1,c2,c_sc}/{W,b}
        block{2..7}/{b1,b2}/{gammas/W,betas/W,avg_mean,avg_var,N}
        b8/{gamma,beta,avg_mean,avg_var,N}
        l8/{W,b}''',
    ('snresnet_32', 'SNResNetProjectionDiscriminator', N_CLASSES): '''
        block{1..2}/{c1,c2,c_sc}/{W,b,u}
        block{3..4}/{c1,c2}/{W,b,u}
        l5/{W,u}
        l_y/{W,u}''',
    ('snresnet_32', 'SNResNetProjectionDiscriminator', 0): '''
        block{1..2}/{c1,c2,c_sc}/{W,b,u}
        block{3..4}/{c1,c2}/{W,b,u}
        l5/{W,u}''',
    ('snresnet_64', 'SNResNetProjectionDiscriminator', N_CLASSES): '''
        block{1..5}/{c1,c2,c_sc}/{W,b,u}
        l6/{W,b,u}
        l_y/{W,u}''',
    ('snresnet', 'SNResNetProjectionDiscriminator', N_CLASSES): '''
        block{1..5}/{c1,c2,c_sc}/{W,b,u}
        block6/{c1,c2}/{W,b,u}
        l7/{W,b,u}
        l_y/{W,u}''',
    ('snresnet', 'SNResNetProjectionDiscriminator', 0): '''
        block{1..5}/{c1,c2,c_sc}/{W,b,u}
        block6/{c1,c2}/{W,b,u}
        l7/{W,b,u}''',
    ('snresnet', 'SNResNetConcatDiscriminator', N_CLASSES): '''
        block{1..5}/{c1,c2,c_sc}/{W,b,u}
        block6/{c1,c2}/{W,b,u}
        l7/{W,b,u}
        l_y/{W,u}''',
    ('snresnet_small', 'SNResNetProjectionDiscriminator', N_CLASSES): '''
        block{1..5}/{c1,c2,c_sc}/{W,b,u}
        block6/{c1,c2}/{W,b,u}
        l7/{W,b,u}
        l_y/{W,u}''',
    ('snresnet_256', 'SNResNetProjectionDiscriminator', N_CLASSES): '''
        block{1..6}/{c1,c2,c_sc}/{W,b,u}
        block7/{c1,c2}/{W,b,u}
        l8/{W,b,u}
        l_y/{W,u}''',
}


def expand(line):
    """As a shell expands braces."""
    parts = re.split(r'\{(.*?)\}', line.strip())
    choices = []
    for inside, part in zip(itertools.cycle((False, True)), parts):
        if inside and '..' in part:
            first, last = map(int, part.split('..'))
            choices.append([str(i) for i in range(first, last + 1)])
        else:
            choices.append(part.split(',') if inside else [part])
    return [''.join(choice) for choice in itertools.product(*choices)]


def test_expand():
    assert expand('block{2..3}/{c1,c2}/W') == ['block2/c1/W', 'block2/c2/W', 'block3/c1/W', 'block3/c2/W']


@pytest.mark.parametrize('name, class_name, n_classes', NAMES)
def test_names(name, class_name, n_classes):
    expected = [path for line in NAMES[name, class_name, n_classes].split() for path in expand(line)]
    assert sorted(arrays_of(build(name, class_name, n_classes))) == sorted(expected)


def convolution(before, after, k):
    return {'W': (after, before, k, k), 'b': (after,)}


def normalized(shapes):
    return {**shapes, 'u': (1, shapes['W'][0])}


def batch_norm(size, n_classes):
    scales = {'gammas/W': (n_classes, size), 'betas/W': (n_classes, size)} if n_classes else {
        'gamma': (size,), 'beta': (size,)}
    return {**scales, 'avg_mean': (size,), 'avg_var': (size,), 'N': ()}


def shapes_of_generator(table, ch, n_classes, dim_z=128):
    widths = [ch * units for units in (table.bottom, *map(int, table.blocks.split()))]
    d = table.bottom_width ** 2 * widths[0]
    links = {'l1': {'W': (d, dim_z), 'b': (d,)}}
    for i, (before, after) in enumerate(itertools.pairwise(widths), 2):
        links |= {f'block{i}/c1': convolution(before, after, 3), f'block{i}/c2': convolution(after, after, 3),
                  f'block{i}/c_sc': convolution(before, after, 1), f'block{i}/b1': batch_norm(before, n_classes),
                  f'block{i}/b2': batch_norm(after, n_classes)}
    norm, last = table.tail
    return {**links, norm: batch_norm(widths[-1], 0), last: convolution(widths[-1], 3, 3)}


def shapes_of_discriminator(table, ch, n_classes, dim_emb=None):
    links, before = {}, 3
    for i, units in enumerate(table.blocks.split(), 1):
        after = ch * int(units.rstrip('d'))
        if i == 4 and dim_emb and n_classes:
            before += dim_emb
        hidden = after if i == 1 else before
        links |= {f'block{i}/c1': normalized(convolution(before, hidden, 3)),
                  f'block{i}/c2': normalized(convolution(hidden, after, 3))}
        if 'd' in units or before != after:
            links[f'block{i}/c_sc'] = normalized(convolution(before, after, 1))
        before = after
    links[table.dense] = normalized({'W': (1, before)} | ({} if table.dense == 'l5' else {'b': (1,)}))
    if n_classes:
        links['l_y'] = normalized({'W': (n_classes, dim_emb or before)})
    return links


@pytest.mark.parametrize('n_classes', [0, N_CLASSES])
@pytest.mark.parametrize('name, class_name', NETWORKS)
def test_shapes(name, class_name, n_classes):
    if name in GENERATORS:
        links = shapes_of_generator(GENERATORS[name], 2, n_classes)
    else:
        links = shapes_of_discriminator(DISCRIMINATORS[name], 2, n_classes, 128 if 'Concat' in class_name else None)
    expected = {f'{link}/{key}': shape for link, shapes in links.items() for key, shape in shapes.items()}
    model = build(name, class_name, n_classes, ch=2)
    assert {path: array.shape for path, array in arrays_of(model).items()} == expected


@pytest.mark.parametrize('name, class_name, kwargs, count', [
    # 128·4096 + 4096, three times 2(256·256·9 + 256) + 256·256 + 256 + 4·256, 2·256, 256·3·9 + 3
    ('resnet_32', 'ResNetGenerator', {}, 528384 + 3 * 1246976 + 512 + 6915),
    # 3·128·9 + 128, 128·128·9 + 128, 3·128 + 128; two more and 128·128 + 128; four more; 128
    ('snresnet_32', 'SNResNetProjectionDiscriminator', {}, 151680 + 311680 + 4 * 147584 + 128),
])
def test_number_of_parameters_at_the_papers_width(name, class_name, kwargs, count):
    from importlib import import_module
    package = 'gen_models' if name in GENERATORS else 'dis_models'
    model = getattr(import_module(f'{package}.{name}'), class_name)(**kwargs)
    assert model.count_params() == count
