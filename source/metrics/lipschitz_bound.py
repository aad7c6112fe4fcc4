"""The bound of a discriminator's Lipschitz constant by its weights' spectral norms (Miyato et al., 2018, eq. 7)."""
import math


def lipschitz_factors(sigmas, projection=False):
    """{part: factor} of the bound ‖f‖_Lip ≤ Π σ(W), from {layer: σ of its matrix}.

    Layers are named by their paths, as 'c1' or 'block1/c2'. A layer outside blocks is a factor of its own. A residual
    block x + c2(c1(x)) is at most 1 + σ(c1)·σ(c2), and with a convolution as shortcut σ(c_sc) + σ(c1)·σ(c2).
    With `projection` the dense layer's factor is σ(l) + σ(l_y), as l(φ) + ⟨embed(y), φ⟩ is at most that; otherwise
    the embedding l_y of labels counts nothing, and an auxiliary classifier, l_ac, never does.

    As in the paper activations count 1 and convolutions σ of their weights as matrices: their own norm may be up to
    √(kh·kw) times that. Pooling counts 1.
    """
    factors = {}
    blocks = {}
    for layer, sigma in sigmas.items():
        block, slash, name = layer.rpartition('/')
        if slash:
            blocks.setdefault(block, {})[name] = sigma
            factors.setdefault(block, None)
        elif layer not in ('l_y', 'l_ac'):
            factors[layer] = sigma
    for block, inside in blocks.items():
        shortcut = inside.pop('c_sc', 1.)
        factors[block] = shortcut + math.prod(inside.values())
    if projection and 'l_y' in sigmas:
        dense = [layer for layer in factors if layer.startswith('l')][-1]
        factors[dense] += sigmas['l_y']
    # Parts in the order data takes: blocks by number, the dense layer last.
    return dict(sorted(factors.items(), key=lambda item: (item[0].startswith('l'), _number(item[0]))))


def lipschitz_bound(sigmas, projection=False):
    """The product of `lipschitz_factors`."""
    return math.prod(lipschitz_factors(sigmas, projection).values())


def _number(name):
    digits = ''.join(c for c in name if c.isdigit())
    return int(digits) if digits else 0
