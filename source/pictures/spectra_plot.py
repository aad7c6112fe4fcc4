"""Figure 3 of snapshots: a panel for each layer, a curve for each snapshot."""
from source.pictures.figure import new_figure, save_figure

import numpy as np

COLUMNS = 5


def plot_spectra(path, spectra):
    """Writes a PNG of {label: what `spectra_of` returns}."""
    from matplotlib import colormaps  # here, as it takes a second to import
    layers = list(dict.fromkeys(name for s in spectra.values() for name, layer in s['layers'].items()
                                if len(layer['values']) > 1))
    columns = min(COLUMNS, len(layers))
    rows = -(-len(layers) // columns)
    figure = new_figure(max(2.1 * columns + .6, 5), 1.9 * rows + .9)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    colours = [colormaps['viridis'](x) for x in np.linspace(0, .8, len(spectra))]
    for axis, layer in zip(axes.flat, layers):
        draw_layer(axis, layer, [(label, np.square(_values(s['layers'][layer])), colour, '-')
                                 for (label, s), colour in zip(spectra.items(), colours) if layer in s['layers']])
    for axis in axes.flat[len(layers):]:
        axis.remove()
    for row in axes:
        row[0].set_ylabel('σ²  (largest = 1)', fontsize=8)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    lines = [f'{label}: ‖f‖_Lip ≤ {s["bound"]:.4g}' if s['bound'] is not None else f'{label}: not finite'
             for label, s in spectra.items()]
    figure.legend(handles, [next(line for line in lines if line.startswith(f'{label}:')) for label in labels],
                  loc='outside upper left', frameon=False, fontsize=8)
    figure.supxlabel('index of σ', fontsize=8)
    save_figure(path, figure, dpi=130)


def draw_layer(axis, title, curves):
    """Squared singular values of a layer, of each (label, values, colour, line), scaled to a largest of 1."""
    for label, values, colour, line in curves:
        axis.plot(np.arange(1, 1 + len(values)), scaled(values), color=colour, label=label, linestyle=line,
                  linewidth=1.6)
    axis.set_title(title, fontsize=10)
    axis.set_ylim(0, 1.05)
    axis.grid(alpha=.3)


def scaled(values):
    """Return values, the largest first, as a float array in which that is 1."""
    return np.array(values) / max(values[0], 1e-30)


def _values(layer):
    return np.array([np.nan if x is None else x for x in layer['values']])
