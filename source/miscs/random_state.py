import numpy as np


def serialize_random_state(serializer, rng):
    """Reads or writes a NumPy `RandomState` in place, as four entries of a Chainer serializer.

    Raises ValueError for a state that is none: NumPy itself would read beyond the end of its keys.
    """
    name, keys, position, has_gauss, gauss = rng.get_state()
    keys = np.asarray(serializer('keys', keys))
    position = int(serializer('position', position))
    has_gauss = serializer('has_gauss', has_gauss)
    gauss = serializer('gauss', gauss)
    if not 0 <= position <= keys.size:
        raise ValueError(f'a random state is at position 0 to {keys.size}, found {position}')
    rng.set_state((name, keys, position, int(has_gauss), float(gauss)))
