"""Reads the data in a pickle as symbols: nothing is imported, nothing is called, no object is made.

`datasets/plain_pickle.py` restricts Python's own unpickler to NumPy arrays. The pickles of PyTorch name classes that
are not here and must not be imported, so this one interprets the opcodes itself, over bytes that bound its memory.
"""
import io
import pickle
import pickletools
from dataclasses import dataclass, field

from source.weight_files.checks import one_line


@dataclass(frozen=True)
class Name:
    """What the pickle would import."""
    module: str
    name: str

    def __str__(self):
        return f'{self.module}.{self.name}'


@dataclass(frozen=True)
class Call:
    """What the pickle would call; `items` is what it would put into the result."""
    function: Name
    args: tuple
    items: dict = field(default_factory=dict)


@dataclass(frozen=True)
class PersistentId:
    """What the pickle leaves to the program that reads it."""
    value: object


_MARK = object()
_CONSTANTS = {'NONE': None, 'NEWTRUE': True, 'NEWFALSE': False}
_VALUES = {'INT', 'BININT', 'BININT1', 'BININT2', 'LONG', 'LONG1', 'LONG4', 'FLOAT', 'BINFLOAT', 'UNICODE',
           'BINUNICODE', 'SHORT_BINUNICODE', 'BINUNICODE8', 'STRING', 'BINSTRING', 'SHORT_BINSTRING', 'BINBYTES',
           'SHORT_BINBYTES', 'BINBYTES8'}
_TUPLES = {'EMPTY_TUPLE': 0, 'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
_LIMIT = 1 << 20  # opcodes; a network of a thousand tensors has some fifty thousand


def read_data_pickle(file, callable_names):
    """Read one pickle from a binary file and stop behind it; it may hold no 'module.name' but `callable_names`.

    Dicts, lists, tuples, numbers and strings are read as themselves; Name, Call and PersistentId stand for the rest.
    Keys are strings or integers. Raises pickle.UnpicklingError for every other name, opcode or key, and where it is
    cut or makes no sense. A tuple may hold another many times, and so be far larger to hash or print than the file is.
    """
    machine = _Machine(callable_names)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if count == _LIMIT:
                raise pickle.UnpicklingError(f'it has more than {_LIMIT} opcodes')
            machine.step(opcode.name, argument)
        return machine.result()
    except pickle.UnpicklingError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise pickle.UnpicklingError(f'it is no whole pickle ({one_line(error)})') from None


def loads(content, callable_names):
    """Read a pickle from bytes, as read_data_pickle."""
    return read_data_pickle(io.BytesIO(content), callable_names)


class _Machine:
    def __init__(self, callable_names):
        self.allowed, self.stack, self.memo = frozenset(callable_names), [], {}

    def result(self):
        value, = self.stack
        return value

    def step(self, opcode, argument):
        stack = self.stack
        if opcode in _VALUES:
            stack.append(argument)
        elif opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode])
        elif opcode in _TUPLES:
            n = _TUPLES[opcode]
            stack.append(tuple(self._pop() for _ in range(n))[::-1])
        elif opcode in ('PROTO', 'FRAME', 'STOP'):
            pass
        else:
            handler = self._HANDLERS.get(opcode)
            if handler is None:
                raise pickle.UnpicklingError(f'it uses {opcode}, which no file of plain tensors needs')
            handler(self, argument)

    def _pop(self):
        if self.stack[-1] is _MARK:
            raise ValueError('a value is missing')
        return self.stack.pop()

    def _pop_to_mark(self):
        values = []
        while self.stack[-1] is not _MARK:
            values.append(self.stack.pop())
        self.stack.pop()
        return values[::-1]

    def _name(self, module, name):
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError('it asks for what is no name')
        if f'{module}.{name}' not in self.allowed:
            raise pickle.UnpicklingError(
                f'it asks for {one_line(f"{module}.{name}")}, which no file of plain tensors needs')
        self.stack.append(Name(module, name))

    def _global(self, argument):
        self._name(*argument.split(' ', 1))

    def _stack_global(self, _):
        name, module = self._pop(), self._pop()
        self._name(module, name)

    def _reduce(self, _):
        args, function = self._pop(), self._pop()
        if not isinstance(function, Name) or not isinstance(args, tuple):
            raise ValueError('it calls what is not a function')
        self.stack.append(Call(function, args))

    def _build(self, _):
        self._pop()  # attributes, such as the versions of a state dict's modules

    def _binpersid(self, _):
        self.stack.append(PersistentId(self._pop()))

    def _mark(self, _):
        self.stack.append(_MARK)

    def _empty_dict(self, _):
        self.stack.append({})

    def _empty_list(self, _):
        self.stack.append([])

    def _dict(self, _):
        self.stack.append(dict(_pairs(self._pop_to_mark())))

    def _list(self, _):
        self.stack.append(self._pop_to_mark())

    def _tuple(self, _):
        self.stack.append(tuple(self._pop_to_mark()))

    def _append(self, _):
        value = self._pop()
        self._top(list).append(value)

    def _appends(self, _):
        values = self._pop_to_mark()
        self._top(list).extend(values)

    def _setitem(self, _):
        value, key = self._pop(), self._pop()
        self._items().update(_pairs([key, value]))

    def _setitems(self, _):
        pairs = _pairs(self._pop_to_mark())
        self._items().update(pairs)

    def _top(self, kind):
        if not isinstance(self.stack[-1], kind):
            raise ValueError(f'it fills what is no {kind.__name__}')
        return self.stack[-1]

    def _items(self):
        return self.stack[-1].items if isinstance(self.stack[-1], Call) else self._top(dict)

    def _put(self, index):
        self.memo[index] = self.stack[-1]

    def _memoize(self, _):
        self._put(len(self.memo))

    def _get(self, index):
        self.stack.append(self.memo[index])

    _HANDLERS = {
        'GLOBAL': _global, 'STACK_GLOBAL': _stack_global, 'REDUCE': _reduce, 'BUILD': _build, 'BINPERSID': _binpersid,
        'MARK': _mark, 'EMPTY_DICT': _empty_dict, 'EMPTY_LIST': _empty_list, 'DICT': _dict, 'LIST': _list,
        'TUPLE': _tuple, 'APPEND': _append, 'APPENDS': _appends, 'SETITEM': _setitem, 'SETITEMS': _setitems,
        'PUT': _put, 'BINPUT': _put, 'LONG_BINPUT': _put, 'MEMOIZE': _memoize, 'GET': _get, 'BINGET': _get,
        'LONG_BINGET': _get}


def _pairs(values):
    for key in values[::2]:
        if not isinstance(key, (str, int)):
            raise ValueError(f'it has a key of type {type(key).__name__}')
    return list(zip(values[::2], values[1::2], strict=True))
