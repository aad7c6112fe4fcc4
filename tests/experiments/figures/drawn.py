"""What a figure shows, read back from Matplotlib's artists."""
from unittest import mock

from source.experiments.figures import draw_figures
from source.experiments.figures.page import Page
from source.experiments.records import read_record

import numpy as np

METHODS = {  # as the axis of Figure 1 names them, in its order
    'Weight clip.': 'weight_clipping', 'GAN-GP': 'gan_gp', 'WGAN-GP': 'wgan_gp', 'BN': 'batch', 'LN': 'layer',
    'WN': 'weight', 'Orthonormal': 'orthonormal', 'SN': 'spectral', 'None': 'none'}


def page_of(results, name):
    """The `Page` of a figure, drawn as the command draws it."""
    with mock.patch.object(Page, 'save', autospec=True) as save:
        draw_figures(results, results.root / 'figures', [name])
    save.assert_called_once()
    return save.call_args.args[0]


def drawn(results, name):
    return page_of(results, name).axes


def caption(results, name):
    return ' '.join(page_of(results, name).figure.get_supxlabel().split())


def bars_of_figure_10(results):
    axis = drawn(results, 'figure_10')[0, 0]
    methods = [label.get_text() for label in axis.get_xticklabels()]
    return [f'{method} {text.get_text()}' for method, text in zip(methods, axis.texts, strict=True)]


def records_of(results, variant):
    """The records of both seeds of a variant, given by its name."""
    return [read_record(results.record_of(f'{variant}-seed{seed}')) for seed in (0, 1)]


def scores(results, variant, score):
    return np.array([record['scores'][score] for record in records_of(results, variant)])


def line(axis, label):
    found, = [line for line in axis.lines if line.get_label() == label]
    return found


def labels(axis):
    """Those of lines in the legend."""
    return [line.get_label() for line in axis.lines if not line.get_label().startswith('_')]


def assert_band(axis, label, xs, values):
    """A line through the means of `values`, (seeds, points), at `xs`, and a shade of ± their standard deviation."""
    drawn_line = line(axis, label)
    np.testing.assert_allclose(drawn_line.get_xdata(), xs)
    np.testing.assert_allclose(drawn_line.get_ydata(), np.mean(values, axis=0), rtol=1e-4)
    vertices = axis.collections[labels(axis).index(label)].get_paths()[0].vertices
    for x, mean, std in zip(xs, np.mean(values, axis=0), np.std(values, axis=0), strict=True):
        at_x = vertices[np.isclose(vertices[:, 0], x), 1]
        np.testing.assert_allclose([at_x.min(), at_x.max()], [mean - std, mean + std], rtol=1e-4)
        assert std > 0
