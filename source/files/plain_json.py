"""JSON that may be damaged, or anything else."""
import json


def loads(content):
    """What `json.loads` returns; nesting deeper than Python goes is a ValueError too."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError('nested too deeply') from None


def read_json(path):
    """What a JSON file holds. Raises ValueError, one line, where it holds none; OSError where it cannot be read."""
    with open(path, 'rb') as file:
        return loads(file.read())


def one_line(value):
    """What was found instead of something else, as a message tells it."""
    return 'nothing' if value is None else ' '.join(str(value).split())[:80]
