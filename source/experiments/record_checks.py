"""What a record must be, before a table or a figure is made from it: files are copied, cut and edited."""
from source.experiments.catalogue import Variant


def _text(value):
    return isinstance(value, str)


def _whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _none_or(kind):
    return lambda value: value is None or kind(value)


def _dict_of(kind):
    return lambda value: isinstance(value, dict) and all(map(kind, value.values()))


def _list_of(kind):
    return lambda value: isinstance(value, list) and all(map(kind, value))


_LISTS = 'lists of numbers', _dict_of(_list_of(_none_or(_number)))
NEEDED = {'name': ('text', _text), 'options': ('options by name', _dict_of(lambda value: True)),
          'seed': ('a whole number', _whole), 'budget': ('settings by name', _dict_of(lambda value: True)),
          'status': ('text', _text)}
OF_A_CELL = {'network': ('text', _text), 'method': ('text', _text), 'setting': ('text', _none_or(_text))}
OF_ITS_BUDGET = {'dataset': ('text', _text), 'feature_network': ('text', _text),
                 **dict.fromkeys(('iteration', 'ch', 'batchsize'), ('a whole number', _whole))}
OPTIONAL = {'scores': ('numbers by name', _dict_of(_none_or(_number))), 'seconds': ('a number', _number),
            'iterations_done': ('a whole number', _whole),
            'seconds_per_100_updates': ('a number', _none_or(_number)), 'protocol': ('text', _none_or(_text)),
            'feature_network': ('text', _none_or(_text)), 'network_sha256': ('text', _none_or(_text)),
            'threads': ('a whole number', _none_or(_whole)), 'device': ('text', _text),
            'curve': _LISTS, 'log': _LISTS, 'spectral_norms': _LISTS,
            'squared_singular_values': ('lists of numbers', _dict_of(_list_of(_number)))}


def check_record(record):
    """Returns what a record's file holds; raises ValueError, which names the entry, where it is no record.

    A record without `scores` has none: {}.
    """
    if not isinstance(record, dict):
        raise ValueError(f'expected entries by name, found {_short(record)}')
    _check(record, NEEDED, '', needed=True)
    _check(record, OPTIONAL, '', needed=False)
    if 'method' in record:
        _check(record, OF_A_CELL, '', needed=True)
        _check(record['budget'], OF_ITS_BUDGET, 'budget.', needed=True)
        _check_name(record)
    record = {'scores': {}, **record}
    for name, of in (('curve', 'curve'), ('log', 'log'), ('spectral_norms', 'log')):
        if record.get(name):
            expected = record.get(of, {}).get('iteration')
            wrong = [each for each, values in record[name].items() if expected is None or len(values) != len(expected)]
            if wrong or None in expected:
                raise ValueError(f'{name}: expected a number for each of {of}.iteration in {(wrong or [of])[0][:50]!r}')
    return record


def _check_name(record):
    """By its name a record is found among the cells of a figure, which draws it as what its other entries say."""
    try:
        variant = Variant(record['network'], record['method'], record['setting'], tuple(record['options'].items()))
        expected = f'{variant.name}-seed{record["seed"]}'
    except (TypeError, ValueError):
        raise ValueError(f'options: expected texts, numbers or true, found {_short(record["options"])}') from None
    if record['name'] != expected:
        raise ValueError(f'name: expected {expected}, as its other entries say, found {record["name"]}')


def _check(values, kinds, prefix, needed):
    for name, (what, is_right) in kinds.items():
        if name not in values and not needed:
            continue
        if name not in values or not is_right(values[name]):
            found = _short(values[name]) if name in values else 'nothing'
            raise ValueError(f'{prefix}{name}: expected {what}, found {found}')


def _short(value):
    return repr(value)[:50]
