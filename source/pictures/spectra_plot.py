"""Figure 3 of snapshots: a panel for each layer, a curve for each snapshot."""
from source.experiments.figures.spectra import draw_layer
from source.files.atomic import atomic_write

import numpy as np

COLUMNS = 5


def plot_spectra(path, spectra):
    """Writes a PNG of {label: what `spectra_of` returns}."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here, as it takes a second to import
    from matplotlib.figure import Figure
    layers = list(dict.fromkeys(name for s in spectra.values() for name, layer in s['layers'].items()
                                if len(layer['values']) > 1))
    columns = min(COLUMNS, len(layers))
    rows = -(-len(layers) // columns)
    figure = Figure(figsize=(max(2.1 * columns + .6, 5), 1.9 * rows + .9), layout='constrained')
    FigureCanvasAgg(figure)
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
    with atomic_write(path) as file:
        figure.savefig(file, dpi=130, format='png')


def _values(layer):
    return np.array([np.nan if x is None else x for x in layer['values']])
