"""Differentiable augmentation (Zhao et al., 2020; arXiv 2006.10738): images changed before a discriminator sees them.

Each image goes by a row of seven uniform numbers in [0, 1) of its own, which stay where they are: nothing of them is
read on the host, and a captured step may draw them. Sizes and ranges are those of the authors' code,
mit-han-lab/data-efficient-gans.
"""
from source.kernels.switch import channels_first

import chainer
from chainer import FunctionNode, backend

N_DRAWS = 7  # an image: brightness, saturation, contrast, shifts down and right, the cutout's row and column


def augment(x, u, policies):
    """x after these policies, one after the other: a Variable (B, C, H, W), differentiable in x to any order.

    Args:
        x: Variable or array (B, C, H, W) of images in [-1, 1]; 'color' may leave that range.
        u: array (B, 7), on x's device, of uniform numbers in [0, 1); a policy's columns are its own, others or not.
        policies: names of `POLICIES`.
    """
    x = chainer.as_variable(x)
    for name in policies:
        x = POLICIES[name](x, u)
    return x


def read_policies(value):
    """The names in a config's `augmentation`, a tuple: of a list or a string with commas; None and '' mean none.

    Raises ValueError for unknown and repeated names.
    """
    names = [] if value is None or value == '' else value
    names = [name.strip() for name in names.split(',')] if isinstance(names, str) else names
    known = isinstance(names, (list, tuple)) and all(name in list(POLICIES) for name in names)
    if not known or len(set(names)) < len(names):
        raise ValueError(f'augmentation: expected a list of {", ".join(POLICIES)}, each once at most, got {value!r}')
    return tuple(names)


def _color(x, u):
    """Brightness by -0.5 to 0.5, then saturation times 0 to 2, then contrast times 0.5 to 1.5."""
    brightness, saturation, contrast = u[:, :3].T.astype(x.dtype).reshape(3, -1, 1, 1, 1)
    x, = _AboutMean(2 * saturation, axes=3).apply((x + (brightness - .5),))
    return _AboutMean(contrast + .5, axes=(1, 2, 3)).apply((x,))[0]


def _translation(x, u):
    """Down and right by whole pixels, up to an eighth of the size either way; grey, 0, where an image moved from."""
    down, right = ((u[:, k] * (2 * reach + 1)).astype('i') - reach
                   for k, reach in ((3, _part(x.shape[2], 8)), (4, _part(x.shape[3], 8))))
    return _Moved(down, right).apply((x,))[0]


def _cutout(x, u):
    """A rectangle of half the height and width, in part beyond the border where its middle is near it, is grey, 0."""
    rows, columns = (_cut(u[:, k], size) for k, size in ((5, x.shape[2]), (6, x.shape[3])))
    return _Cut(rows[:, :, None, None] & columns[:, None, :, None]).apply((x,))[0]


def _cut(u, size):
    """Where along an axis of this size the rectangle lies, bool (B, size)."""
    extent = _part(size, 2)
    begin = (u * (size + 1 - extent % 2)).astype('i')[:, None] - extent // 2
    place = backend.get_array_module(u).arange(size)
    return (begin <= place) & (place < begin + extent)


def _part(size, divisor):
    return int(size / divisor + .5)


POLICIES = {'color': _color, 'translation': _translation, 'cutout': _cutout}


class _AboutMean(FunctionNode):
    """mean + factor · (x − mean), the mean over these axes of (B, H, W, C): its own transpose."""

    def __init__(self, factor, axes):
        self.factor, self.axes = factor, axes

    def forward(self, inputs):
        x = inputs[0].transpose(0, 2, 3, 1)
        mean = x.mean(self.axes, keepdims=True)
        return channels_first((x - mean) * self.factor + mean),

    def backward(self, indexes, grad_outputs):
        return _AboutMean(self.factor, self.axes).apply(grad_outputs)


class _Moved(FunctionNode):
    """Each image moved by its int `down` (B,) and `right` (B,); the transpose moves back."""

    def __init__(self, down, right):
        self.down, self.right = down, right

    def forward(self, inputs):
        x = inputs[0].transpose(0, 2, 3, 1)
        xp = backend.get_array_module(x)
        height, width = x.shape[1:3]
        rows = (xp.arange(height) - self.down[:, None])[:, :, None]
        columns = (xp.arange(width) - self.right[:, None])[:, None]
        moved = x[xp.arange(len(x))[:, None, None], rows.clip(0, height - 1), columns.clip(0, width - 1)]
        is_inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        return channels_first(xp.where(is_inside[..., None], moved, x.dtype.type(0))),

    def backward(self, indexes, grad_outputs):
        return _Moved(-self.down, -self.right).apply(grad_outputs)


class _Cut(FunctionNode):
    """0 where bool `cut` (B, H, W, 1) says so: its own transpose."""

    def __init__(self, cut):
        self.cut = cut

    def forward(self, inputs):
        x = inputs[0].transpose(0, 2, 3, 1)
        return channels_first(backend.get_array_module(x).where(self.cut, x.dtype.type(0), x)),

    def backward(self, indexes, grad_outputs):
        return _Cut(self.cut).apply(grad_outputs)
