"""The paper's experiments: which cells (network × method × setting × options) each table and figure is made of."""
import math
from dataclasses import dataclass

METHODS = {  # of Figure 1, in its order, and what the text calls vanilla; the names are those of configs/methods/
    'weight_clipping': 'Weight clip.',
    'gan_gp': 'GAN-GP',
    'wgan_gp': 'WGAN-GP',
    'batch': 'BN',
    'layer': 'LN',
    'weight': 'WN',
    'orthonormal': 'Orthonormal',
    'spectral': 'SN',
    'none': 'None',
}
SETTINGS = {'A': 5, 'B': 1, 'C': 1, 'D': 5, 'E': 5, 'F': 5}  # Table 1, with n_dis
RELATIVE_SIZES = .5, 1., 2., 4., 8.  # of the final layer, Figure 4
N_DIS = 1, 2, 5, 10, 20  # Figure 11, after so many generator updates:
UPDATES_OF_FIGURE_11 = 10000
UPDATES_OF_FIGURE_10 = 100  # of the cells it has for itself, each of which is trained alone


@dataclass(frozen=True)
class Variant:
    """A method on a network under a setting of Table 1 (None: the network's own), with `options` (see cell.py)."""

    network: str
    method: str
    setting: str | None = None
    options: tuple = ()  # of (name, value)

    @property
    def name(self):
        parts = [self.network, self.method, self.setting, *(_option_name(*option) for option in self.options)]
        return '-'.join(part for part in parts if part)

    def iterations(self, iteration):
        """The generator updates of this variant under a budget of `iteration`."""
        options = dict(self.options)
        return min(round(iteration * options.get('updates', 1)), options.get('at_most', math.inf))


def _option_name(name, value):
    return name if value is True else value if isinstance(value, str) else f'{name}_{value:g}'


@dataclass(frozen=True)
class Experiment:
    """A table or figure: its `title` and the variants it needs."""

    title: str
    variants: tuple


def _cnn(method, setting, **options):
    """A variant of the standard CNN; an option that is the setting's own, or no change, is left out."""
    own = {'n_dis': SETTINGS[setting], 'final_scale': 1.}
    return Variant('cnn', method, setting, tuple((k, v) for k, v in options.items() if own.get(k) != v))


def _resnet(network, method, **options):
    return Variant(network, method, None, tuple(options.items()))


def _grid(methods):
    return tuple(_cnn(method, setting) for method in methods for setting in SETTINGS)


REPARAMETRIZED = tuple(  # the CNN rows of Table 7; WGAN-GP's own setting is A
    _cnn('wgan_gp', 'A', **options) for options in ({}, *({'norm': norm, 'use_gamma': True}
                                                         for norm in ('frobenius', 'weight', 'spectral'))))
SN_AND_ORTHONORMAL = 'spectral', 'orthonormal'


def _on_gulrajani(network):
    return tuple(_resnet(network, 'wgan_gp', **options) for options in (
        {}, {'norm': 'spectral', 'use_gamma': True}, {'norm': 'spectral', 'use_gamma': True, 'scale': 1.5}))


EXPERIMENTS = {
    'table2': Experiment('Scores of every method in its best setting (Table 2)', _grid(METHODS)),
    'table2_further': Experiment('Rows of Table 2 with hinge loss, twice the updates, and ResNets', (
        _cnn('spectral', 'C', loss_type='hinge'), _cnn('spectral', 'B', updates=2.),
        _cnn('orthonormal', 'C', updates=2.), _cnn('spectral', 'B', loss_type='hinge', updates=2.),
        *(_resnet('resnet', method) for method in SN_AND_ORTHONORMAL))),
    'figure_1': Experiment('Inception score of every method in settings A to F', _grid(METHODS)),
    'figure_2': Experiment('FID of every method in settings A to F', _grid(METHODS)),
    'figure_3': Experiment('Squared singular values of every layer, by method', _grid(METHODS)),
    'figure_4': Experiment('Scores against the relative size of the final layer, setting C', tuple(
        _cnn(method, 'C', final_scale=size) for method in SN_AND_ORTHONORMAL for size in RELATIVE_SIZES)),
    'figure_5': Experiment('Learning curves with classes concatenated, SN and orthonormal', tuple(
        _resnet('resnet_concat', method) for method in SN_AND_ORTHONORMAL)),
    'figure_6': Experiment('Samples of WGAN-GP, WN and SN in settings A to F',
                           _grid(('wgan_gp', 'weight', 'spectral'))),
    'figure_9': Experiment('Spectral norms of all layers during training, SN, setting C', (_cnn('spectral', 'C'),)),
    'figure_10': Experiment('Seconds per 100 updates, n_dis 5', tuple(
        _cnn(method, 'A', timed=True, at_most=UPDATES_OF_FIGURE_10)
        for method in ('wgan_gp', 'weight', 'spectral', 'none'))),
    'figure_11': Experiment('Scores against n_dis after 10,000 updates, WN and SN, otherwise setting D', tuple(
        _cnn(method, 'D', n_dis=n_dis, at_most=UPDATES_OF_FIGURE_11)
        for method in ('weight', 'spectral') for n_dis in N_DIS)),
    'figure_12': Experiment('Samples of GAN-GP, LN and BN in settings A to F', _grid(('gan_gp', 'layer', 'batch'))),
    'figure_13': Experiment('Learning curves without classes and with projection, SN and orthonormal', tuple(
        _resnet(network, method) for network in ('resnet', 'resnet_projection') for method in SN_AND_ORTHONORMAL)),
    'figure_15': Experiment('Critic losses on train and held-out data, and scores: WGAN-GP, with WN, with SN', tuple(
        variant for variant in REPARAMETRIZED if ('norm', 'frobenius') not in variant.options)),
    'table7': Experiment('WGAN-GP with reparametrized weights (Table 7)',
                         (*REPARAMETRIZED, *_on_gulrajani('resnet_wgan_gp'))),
    'table8': Experiment('AC-WGAN-GP with reparametrized weights (Table 8)', _on_gulrajani('resnet_ac_wgan_gp')),
}


def variants_of(names):
    """The variants that experiments need, each once, in their order; raises ValueError for an unknown name."""
    for name in names:
        if name not in EXPERIMENTS:
            raise ValueError(f'no experiment {name!r}; known are {", ".join(EXPERIMENTS)}')
    return list(dict.fromkeys(variant for name in names for variant in EXPERIMENTS[name].variants))
