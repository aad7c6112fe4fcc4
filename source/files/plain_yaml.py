"""YAML of plain values, which may be damaged, or anything else."""
from source.files.atomic import atomic_write

import yaml

_OF_VALUES = ValueError, TypeError, LookupError, AttributeError, RecursionError  # PyYAML's, of values that are none
_MOST_VALUES, _DEEPEST = 100_000, 30  # a run on a folder names its classes


class NotYamlError(ValueError):
    """Text that is not YAML; `line`, which counts from 1, is where, or None."""

    def __init__(self, message, line=None):
        super().__init__(message)
        self.line = line


class _Loader(yaml.SafeLoader):
    """YAML as safe_load reads it, where a key stands once."""

    def compose_mapping_node(self, anchor):
        node, seen = super().compose_mapping_node(anchor), set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != 'tag:yaml.org,2002:merge':
                if (key.tag, key.value) in seen:
                    raise yaml.composer.ComposerError(None, None, f'{key.value}: given twice', key.start_mark)
                seen.add((key.tag, key.value))
        return node


def parse_yaml(text):
    """Return the value that a text stands for.

    Raises NotYamlError, which is a ValueError; and a plain ValueError for values within values without end, or for few
    that stand for many.
    """
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        what = ' '.join(str(getattr(error, 'problem', None) or error).split())
        raise NotYamlError(what, mark and mark.line + 1) from None
    except _OF_VALUES as error:
        raise NotYamlError(' '.join(str(error).split())[:200]) from None
    _check_extent(value)
    return value


def _check_extent(value):
    left = [(value, 0)]
    n_seen = 0
    while left:
        value, depth = left.pop()
        n_seen += 1
        if n_seen > _MOST_VALUES or depth > _DEEPEST:
            raise ValueError(f'more than {_MOST_VALUES} values, or {_DEEPEST} within one another')
        if isinstance(value, (dict, list, tuple, set)):
            left += [(item, depth + 1) for item in value]
        if isinstance(value, dict):
            left += [(item, depth + 1) for item in value.values()]


def write_yaml(path, value):
    """Write a dict, its keys in their order, so that `parse_yaml` returns the same."""
    with atomic_write(path) as file:
        file.write(yaml.safe_dump(value, sort_keys=False).encode())
