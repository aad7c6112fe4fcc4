"""The two ways to run the 2015 Inception network, by name."""
from typing import NamedTuple


class Mode(NamedTuple):
    """`resize` names a function of `resize.py`; `classes` are the columns of the softmax that are kept."""
    resize: str
    average_counts_padding: bool
    eps: float
    logits_have_bias: bool
    classes: slice


MODES = {
    # What the TensorFlow graph computes, as IS and FID are published: the paper's own numbers too.
    'tf': Mode('resize_tf', False, 1e-3, False, slice(0, 1008)),
    # What the authors' released Chainer code computed from its .h5. The kept probabilities do not sum to 1. Chainer's
    # own default eps was in force, as an .h5 does not hold it.
    'chainer': Mode('resize_align_corners', True, 2e-5, True, slice(1, 1001)),
}


def mode_of(name):
    """The Mode; ValueError for another name."""
    if name not in MODES:
        raise ValueError(f'mode: expected one of {", ".join(MODES)}, got {name!r}')
    return MODES[name]
