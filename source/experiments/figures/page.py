"""A figure's page: its axes, and a caption that says what was run; and the colours all figures share."""
import textwrap

from source.experiments.records import describe_budget
from source.pictures.figure import new_figure, save_figure

SETTING_COLOURS = {'A': '#1f3b73', 'B': '#3f7cc4', 'C': '#9cc9ec', 'D': '#f4a142', 'E': '#e0452f', 'F': '#7d1128'}
METHOD_COLOURS = {
    'weight_clipping': '#2e9e5b', 'gan_gp': '#8a6d3b', 'wgan_gp': '#222222', 'batch': '#8e5fc2', 'layer': '#e08a1e',
    'weight': '#2b6cc4', 'orthonormal': '#18a4ad', 'spectral': '#d62728', 'none': '#9a9a9a'}
METHOD_LINES = {'weight_clipping': (0, (4, 1)), 'weight': (0, (6, 2)), 'orthonormal': (0, (6, 2)),
                'gan_gp': (0, (1, 1)), 'batch': (0, (3, 1, 1, 1)), 'none': (0, (2, 2))}


class Page:
    """`axes`, rows × columns of them, over a caption.

    Args:
        records: {(variant, seed): record} of what is drawn.
        rows, columns: of axes.
        size: width and height of all axes together, in inches.
        caption: what is shown; data set, budget and seeds are added to it.
        scores: whether scores are, so that the caption must say by which network.
    """

    def __init__(self, records, rows, columns, size, caption, scores=True, **options):
        self.size, self.caption = size, f'{caption} {described(records, scores)}'
        self.figure = new_figure(*size)
        self.axes = self.figure.subplots(rows, columns, squeeze=False, **options)
        self.add_to_caption('')
        for axis in self.axes.flat:
            axis.spines[['top', 'right']].set_visible(False)

    def add_to_caption(self, sentence):
        """Ends the caption with a sentence; the page grows by the lines it takes."""
        self.caption = f'{self.caption} {sentence}'.rstrip()
        width, height = self.size
        text = textwrap.fill(self.caption, int(width * 17))
        self.figure.set_size_inches(width, height + .2 + .16 * text.count('\n'))
        self.figure.supxlabel(text, x=.01, ha='left', fontsize=8, color='#444')

    def save(self, path):
        save_figure(path, self.figure, dpi=130)


def described(records, scores=True):
    """Data set, budget, seeds, and what scored, of all records, as sentences."""
    record = min(records.values(), key=lambda r: r['budget']['iteration'])
    seeds = sorted({seed for _, seed in records})
    network = record['budget']['feature_network']
    own = '' if network == 'inception' or not scores else (
        f' Scores are by the network "{network}", not by Inception: not to be compared with the paper\'s numbers.')
    return f'Run on {describe_budget(record)}, seed{"s" * (len(seeds) > 1)} {", ".join(map(str, seeds))}.{own}'


def score_label(records, score):
    """The label of an axis of scores."""
    network = next(iter(records.values()))['budget']['feature_network']
    if network == 'inception':
        return {'is_mean': 'Inception score', 'fid': 'FID'}[score]
    return {'is_mean': f'inception score by "{network}"', 'fid': f'FID by "{network}"'}[score]


def values_of(records, variant, score):
    """The scores of a variant's finished seeds, a list."""
    return [record['scores'][score] for (v, _), record in records.items()
            if v == variant and record['scores'].get(score) is not None]


def failures_of(records, variant):
    """'diverged' or 'crashed', for each seed of a variant that did not finish."""
    return [record['status'].partition(':')[0] for (v, _), record in records.items()
            if v == variant and record['status'] != 'finished']
