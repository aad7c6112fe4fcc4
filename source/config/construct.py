"""Objects from arguments that a config gives: checked against the signature, converted, and constructed."""
import inspect

from source.command_line.one_line_errors import message_of
from source.command_line.user_code import describe_error, is_users
from source.config.checks import ConfigError, check_names, check_ranges, convert


def construct(cls, args, where, key, ranges=None, prefix=None, **given):
    """Return cls(**args, **given), where `args` come from a config and are checked against the constructor's signature.

    Args:
        cls: a class, the user's or ours.
        args: {name: value}; they may not name what is `given`.
        where, key: the file and the config's key that name them, for messages.
        ranges: {name: (lowest, highest)} of numbers in `args`.
        prefix: what stands before an argument's name in messages; by default that of `<key>.args`.
        given: of these, what the constructor does not take is left out.

    Raises:
        ConfigError: an unknown or missing argument, a value of another type than the argument's annotation or default
            or out of its range, and what the constructor raises for what it was given.
    """
    prefix = f'{key}.args.' if prefix is None else prefix
    parameters = inspect.signature(cls).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if not takes_any:
        settable = [n for n, p in parameters.items() if n not in given and not inspect.isfunction(p.default)]
        check_names(args, settable, where, prefix)
    checked = {}
    for name, value in args.items():
        parameter = parameters.get(name)
        expected = _expected_type(parameter)
        keep = expected is None or (value is None and parameter.default is None)
        checked[name] = value if keep else convert(value, expected, where, prefix + name)
    check_ranges(checked, ranges or {}, where, prefix)
    checked.update({k: v for k, v in given.items() if k in parameters or takes_any})
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in checked
               and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if missing:
        raise ConfigError(f'{where}: {prefix}{missing[0]}: missing; {cls.__name__} needs it')
    try:
        return cls(**checked)
    except (ValueError, OSError) as error:
        raise ConfigError(f'{where}: {key}: {" ".join(message_of(error).splitlines())}') from error
    except Exception as error:
        if not is_users(cls):
            raise
        raise ConfigError(f'{where}: {key}: {cls.__name__}: {describe_error(error)}') from error


def _expected_type(parameter):
    if parameter is None:
        return None
    simple = (bool, int, float, str)
    if parameter.annotation in simple:
        return parameter.annotation
    return type(parameter.default) if type(parameter.default) in simple else None


def construct_parts(key, classes, spec, given=None):
    """Return {name: object} of the parts of an updater that its argument `key` names, {name: arguments or None}.

    `classes` is {name: class}; `given`, a function of the name, returns arguments which the config may not name.
    Raises ConfigError as `construct` does, and for a name that is not known.
    """
    if not isinstance(spec or {}, dict):
        raise ConfigError(f'args: {key}: expected names with their arguments, found {spec!r}')
    check_names(spec or {}, classes, 'args', f'{key}.')
    parts = {}
    for name, args in (spec or {}).items():
        if not isinstance(args or {}, dict):
            raise ConfigError(f'args: {key}.{name}: expected arguments with their values, found {args!r}')
        parts[name] = construct(classes[name], args or {}, 'args', f'{key}.{name}', prefix=f'{key}.{name}.',
                                **(given(name) if given else {}))
    return parts
