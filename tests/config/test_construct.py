"""Arguments of configs: checked against signatures, converted, handed over."""
from source.config.construct import construct
from tests.narrow import error_of

import chainer
import pytest


class Thing:
    def __init__(self, size: int, rate=.5, path='', keep=True, extra=None, activation=chainer.functions.relu, *,
                 device=None):
        self.values = (size, rate, path, keep, extra, activation, device)
        if size > 100:
            raise {101: ValueError('101 is too many'), 102: FileNotFoundError('x.txt: no such file')}[size]


def thing_of(args, **given):
    return construct(Thing, args, 'a.yml', 'thing', {'rate': (0, 1)}, **given)


def test_construct_converts_and_passes_on():
    thing = thing_of({'size': '2e1', 'rate': '1e-3', 'extra': [1]}, device='here', unknown='left out')
    assert thing.values == (20, 1e-3, '', True, [1], chainer.functions.relu, 'here')
    assert type(thing.values[0]) is int
    takes_anything = type('Any', (), {'__init__': lambda self, **kwargs: vars(self).update(kwargs)})
    assert vars(construct(takes_anything, {'x': 1}, 'a.yml', 'any', given=2)) == {'x': 1, 'given': 2}


@pytest.mark.parametrize('args, expected', [
    ({'size': 1, 'rat': 1}, "thing.args.rat: unknown key; did you mean 'rate'?"),
    ({'size': None}, 'thing.args.size: expected int, found nothing'),
    ({'size': 1, 'keep': 1}, 'thing.args.keep: expected bool, found 1 (int)'),
    ({'size': 1, 'path': 1}, 'thing.args.path: expected str, found 1 (int)'),
    ({'size': 1, 'rate': 1.5}, 'thing.args.rate: expected 0 to 1, found 1.5'),
    ({'size': 1, 'activation': 'relu'}, 'thing.args.activation: unknown key'),
    ({'size': 1, 'device': 0}, 'thing.args.device: unknown key'),
    ({}, 'thing.args.size: missing; Thing needs it'),
    ({'size': 101}, 'thing: 101 is too many'), ({'size': 102}, 'thing: x.txt: no such file')])
def test_construct_refuses(args, expected):
    assert error_of(thing_of, args, device='here').startswith(f'a.yml: {expected}')
