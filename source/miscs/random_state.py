def serialize_random_state(serializer, rng):
    """Reads or writes a NumPy `RandomState` in place, as four entries of a Chainer serializer."""
    name, keys, position, has_gauss, gauss = rng.get_state()
    keys = serializer('keys', keys)
    position = serializer('position', position)
    has_gauss = serializer('has_gauss', has_gauss)
    gauss = serializer('gauss', gauss)
    rng.set_state((name, keys, int(position), int(has_gauss), float(gauss)))
