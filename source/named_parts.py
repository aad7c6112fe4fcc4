"""Parts of the updater that a config names, as {name: arguments}."""
import inspect

from source.yaml_utils import check_names, convert


def make_parts(key, classes, spec, given=None):
    """{name: classes[name](**arguments)} for a spec {name: {argument: value} or None}.

    Args:
        key: the config's key, for messages.
        classes: {name: class}.
        spec: what the config says; None is nothing.
        given: a function of the name that returns arguments which the config may not name.

    Raises:
        ValueError: an unknown name or argument, or a value that is not of the argument's annotated type.
    """
    if not isinstance(spec or {}, dict):
        raise ValueError(f'args: {key}: expected names with their arguments, found {spec!r}')
    check_names(spec or {}, classes, 'args', f'{key}.')
    parts = {}
    for name, args in (spec or {}).items():
        if not isinstance(args or {}, dict):
            raise ValueError(f'args: {key}.{name}: expected arguments with their values, found {args!r}')
        fixed = given(name) if given else {}
        parameters = {n: p for n, p in inspect.signature(classes[name]).parameters.items() if n not in fixed}
        check_names(args or {}, parameters, 'args', f'{key}.{name}.')
        checked = {n: convert(v, parameters[n].annotation, 'args', f'{key}.{name}.{n}')
                   for n, v in (args or {}).items()}
        try:
            parts[name] = classes[name](**checked, **fixed)
        except ValueError as error:
            raise ValueError(f'args: {key}.{name}: {error}') from None
    return parts
