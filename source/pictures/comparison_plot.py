"""A bar plot of published and measured scores, a panel for each data set and score."""
from source.pictures.figure import new_figure, save_figure

TITLES = {'is': 'Inception score (higher is better)', 'fid': 'FID (lower is better)',
          'intra_fid': 'Intra-FID (lower is better)', 'ms_ssim': 'Intra-class MS-SSIM (lower: more varied)'}
PUBLISHED, MEASURED, OTHER = '#b9c4d0', '#c8553d', '#e3a899'
BAR = .38  # height, in rows


def plot_comparisons(path, comparisons, before_writing=lambda: None):
    """Write a PNG of each (data set, score) with a measured one, and of all else that was published of it.

    `before_writing` is called first. Returns False, and writes nothing, where nothing was measured.
    """
    panels = list(dict.fromkeys((c.published.dataset, c.published.score) for c in comparisons if c.measured))
    if not panels:
        return False
    groups = [[c for c in comparisons if (c.published.dataset, c.published.score) == panel
               and (c.published.value or c.measured)] for panel in panels]
    heights = [len(group) for group in groups]
    figure = new_figure(10, 1.2 * len(panels) + .27 * sum(heights))
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[n + 2.5 for n in heights])[:, 0]
    for axis, panel, group in zip(axes, panels, groups, strict=True):
        _draw_panel(axis, group)
        axis.set_title(f'{panel[0]}: {TITLES[panel[1]]}', loc='left', fontsize=11, fontweight='bold')
    _draw_legend(figure, comparisons)
    before_writing()
    save_figure(path, figure)
    return True


def _draw_panel(axis, group):
    largest = max(max(c.published.number or 0., c.measured.value if c.measured else 0.) for c in group)
    for y, c in enumerate(group):
        shift = BAR / 2 if c.measured else 0.
        if c.published.value:
            _bar(axis, y - shift, c.published.number, c.published.error, PUBLISHED, largest)
        if c.measured:
            notes = [c.measured.protocol] * (not c.same_protocol) + c.measured.unlike
            _bar(axis, y + shift, c.measured.value, c.measured.std, OTHER if notes else MEASURED, largest,
                 note=f' [{", ".join(notes)}]' if notes else '', weight='bold')
    axis.set_yticks(range(len(group)), [label(c.published) for c in group], fontsize=8)
    axis.set_ylim(len(group) - .4, -.6)
    axis.set_xlim(0, (1.3 if any(c.differs for c in group) else 1.2) * largest)  # room for notes
    axis.spines[['top', 'right', 'left']].set_visible(False)
    axis.tick_params(axis='y', length=0)
    axis.grid(axis='x', alpha=.3)
    axis.set_axisbelow(True)


def _bar(axis, y, value, error, colour, largest, note='', weight=None):
    axis.barh(y, value, BAR, color=colour, xerr=error or None,
              error_kw={'elinewidth': 1, 'ecolor': '#444', 'capsize': 2})
    axis.text(value + (error or 0.) + .008 * largest, y, f'{value:.4g}{note}', va='center', fontsize=7.5,
              fontweight=weight)


def label(published):
    """How a row is named in the plot: method, where it was published, protocol."""
    publication = 'cGAN paper' if published.publication == 'projection' else published.publication
    where = ', '.join(text for text in (publication, published.table) if text)
    where = published.table if publication == 'SN-GAN' else where
    return f'{published.method} · {where} [{published.protocol}]'


def _draw_legend(figure, comparisons):
    from matplotlib.patches import Patch
    handles = [Patch(color=PUBLISHED, label='published [protocol]; tables are the SN-GAN paper’s if not said'),
               Patch(color=MEASURED, label='measured, same protocol, batches and iteration')]
    if any(c.differs for c in comparisons):
        handles.append(Patch(color=OTHER, label='measured, other protocol, batches or iteration'))
    figure.legend(handles=handles, loc='outside upper right', ncols=2, frameon=False, fontsize=9)
