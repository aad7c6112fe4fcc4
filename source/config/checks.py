"""Names and values that a user gives, in a config or on a command line: refused in one line, or converted.

`where` is what names them, a file or an option, for messages.
"""
import difflib
import math

from source.config.schema import REQUIRED


class ConfigError(ValueError):
    """A config file, or a value given for one of its keys, that cannot be used."""


def check_schema(values, schema, where, prefix):
    """Return a section of a config with every key of its schema; `prefix`, as 'adam.', stands before its keys.

    Raises ConfigError for an unknown or missing key and a value of another type.
    """
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f'{where}: {prefix[:-1]}: expected keys and values, found {describe(values)}')
    check_names(values, schema, where, prefix, () if prefix else ('extends',))
    result = {}
    for key, expected in schema.items():
        name = prefix + key
        if isinstance(expected, dict):
            result[key] = check_schema(values.get(key), expected, where, name + '.')
            continue
        expected_type, default = expected
        value = values.get(key)
        if value is None:
            if default is REQUIRED:
                raise ConfigError(f'{where}: {name}: missing; expected {expected_type.__name__}')
            result[key] = default.copy() if isinstance(default, dict) else default
        else:
            result[key] = convert(value, expected_type, where, name)
    return result


def check_ranges(values, ranges, where, prefix):
    """Raises ConfigError for the first number in `values` outside `ranges`, {'key.key': (lowest, highest)}."""
    for name, (lowest, highest) in ranges.items():
        value = values
        for key in name.split('.'):
            value = value.get(key) if value else None
        if value is not None and not lowest <= value <= highest:
            expected = f'at least {lowest}' if highest == math.inf else f'{lowest} to {highest}'
            raise ConfigError(f'{where}: {prefix}{name}: expected {expected}, found {value}')


def check_names(found, known, where, prefix, also=()):
    """Raises ConfigError for the first name in `found` that is not in `known`, suggesting the nearest of both."""
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(str(name), [str(k) for k in (*known, *also)], 1)
            hint = f'did you mean {near[0]!r}?' if near else f'known are {", ".join(sorted(map(str, known)))}'
            shown = name if str(name).isprintable() else repr(name)
            raise ConfigError(f'{where}: {prefix}{shown}: unknown key; {hint}')


def convert(value, expected_type, where, name):
    """Returns value as `expected_type`. Numbers are finite and may be strings, as PyYAML reads 2e-4 as one."""
    is_bool = isinstance(value, bool)
    if isinstance(value, expected_type) and expected_type is not float and is_bool == (expected_type is bool):
        return value
    if expected_type in (int, float) and isinstance(value, (int, float, str)) and not is_bool:
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number) and (expected_type is float or number == int(number)):
            return expected_type(number)
    raise ConfigError(f'{where}: {name}: expected {expected_type.__name__}, found {describe(value)}')


def describe(value):
    """Return what a message says was found: the value and its type, or 'nothing'."""
    return 'nothing' if value is None else f'{repr(value)[:200]} ({type(value).__name__})'
