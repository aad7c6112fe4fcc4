"""Singular values of the weights at the end (Figure 3), and spectral norms during training (Figure 9)."""
from source.experiments.catalogue import METHODS
from source.experiments.figures.page import METHOD_COLOURS, METHOD_LINES, Page, values_of
from source.pictures.spectra_plot import draw_layer, scaled

import numpy as np

OF_THE_PAPER = 'weight_clipping', 'weight', 'spectral'


def draw_singular_values(records, results):
    """Of each method in the setting of its highest mean score; a row of the paper's three, one of all others."""
    best = {}
    for method in METHODS:
        scored = {variant: np.mean(values) for variant in dict.fromkeys(v for v, _ in records)
                  if variant.method == method and (values := values_of(records, variant, 'is_mean'))}
        if scored:
            best[method] = max(scored, key=scored.get)
    spectra = {method: [record['squared_singular_values'] for (v, _), record in records.items()
                        if v == variant and record.get('squared_singular_values')] for method, variant in best.items()}
    rows = [[m for m in spectra if m in OF_THE_PAPER], [m for m in spectra if m not in OF_THE_PAPER]]
    rows = [row for row in rows if row]
    if not rows:
        return None
    layers = [name for name, values in next(iter(spectra.values()))[0].items() if len(values) > 1]
    settings = ', '.join(f'{METHODS[method]} {best[method].setting}' for method in best)
    page = Page({key: record for key, record in records.items() if key[0] in best.values()}, len(rows), len(layers),
                (1.9 * len(layers) + 1, 2.4 * len(rows)),
                'Figure 3: squared singular values of the discriminator\'s weight matrices (normalized ones where the '
                'method normalizes), scaled to a largest of 1, mean over seeds, each method in the setting of its '
                f'highest score ({settings}).', scores=False, sharey=True)
    for axes, methods in zip(page.axes, rows, strict=True):
        for i, (axis, layer) in enumerate(zip(axes, layers, strict=True), 1):
            draw_layer(axis, f'layer {i}', [
                (METHODS[method], np.mean([scaled(s[layer]) for s in spectra[method]], axis=0),
                 METHOD_COLOURS[method], METHOD_LINES.get(method, '-')) for method in methods])
        axes[0].set_ylabel('σ²  (largest = 1)')
        axes[-1].legend(frameon=False, fontsize=8, loc='upper left', bbox_to_anchor=(1, 1))
    for axis in page.axes[-1]:
        axis.set_xlabel('index of σ', fontsize=9)
    return page


def draw_spectral_norms(records, results):
    (variant, seed), record = min(records.items(), key=lambda item: item[0][1])
    norms = {layer: values for layer, values in record.get('spectral_norms', {}).items() if layer.startswith('c')}
    if not norms:
        return None
    page = Page({(variant, seed): record}, 1, 1, (7.5, 3.8),
                'Figure 9: spectral norms, by full decomposition, of the spectrally normalized weights of all '
                'convolutions during training, setting C.', scores=False)
    axis = page.axes[0, 0]
    colours = _graded(len(norms))
    for i, values in enumerate(norms.values()):
        axis.plot(record['log']['iteration'], values, color=colours[i], label=f'conv{i}', linewidth=1.6)
    axis.axhline(1, color='black', linewidth=.6)
    axis.set_xlabel('update')
    axis.set_ylabel('σ(W)')
    axis.grid(alpha=.3)
    axis.legend(frameon=False, loc='center left', bbox_to_anchor=(1, .5))
    return page


def _graded(n):
    from matplotlib import colormaps
    return [colormaps['viridis'](x) for x in np.linspace(0, .92, n)]
