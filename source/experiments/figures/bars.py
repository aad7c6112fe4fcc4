"""Bars: scores per method and setting (Figures 1 and 2), and seconds per 100 updates (Figure 10)."""
from source.experiments.catalogue import METHODS, SETTINGS, Variant
from source.experiments.figures.page import (
    METHOD_COLOURS,
    SETTING_COLOURS,
    Page,
    failures_of,
    score_label,
    values_of,
)

import numpy as np

WIDTH = .13  # of a bar, in methods
ORDER = 'wgan_gp', 'weight', 'spectral', 'none'  # of Figure 10


def draw_inception_scores(records, results):
    return _draw_scores(records, 'is_mean', 'Figure 1: inception scores of every method in the settings A to F of '
                                            'Table 1 (higher is better).')


def draw_fids(records, results):
    return _draw_scores(records, 'fid', 'Figure 2: FID of every method in the settings A to F of Table 1 (lower is '
                                        'better).', log=True)


def _draw_scores(records, score, caption, log=False):
    variants = {variant for variant, _ in records}
    methods = [method for method in METHODS if any(v.method == method for v in variants)]
    if not any(values_of(records, variant, score) for variant in variants):
        return None
    page = Page(records, 1, 1, (max(7.5, 1.6 + 1.15 * len(methods)), 4.2),
                f'{caption} Bars are means over seeds, dots the seeds; × marks cells that diverged or crashed.')
    axis = page.axes[0, 0]
    failed = []
    for i, method in enumerate(methods):
        for k, setting in enumerate(SETTINGS):
            x, variant = i + (k - 2.5) * WIDTH, Variant('cnn', method, setting)
            values = values_of(records, variant, score)
            if values:
                axis.bar(x, np.mean(values), WIDTH * .92, color=SETTING_COLOURS[setting],
                         label=setting if i == 0 else None)
                axis.plot([x] * len(values), values, '.', color='black', markersize=3.5)
            failed += [x] * bool(failures_of(records, variant))
    if log:
        axis.set_yscale('log')
        low = min(v for variant in variants for v in values_of(records, variant, score))
        axis.set_ylim(bottom=low * .7)
        axis.yaxis.set_minor_formatter(_plain_number)
        axis.yaxis.set_major_formatter(_plain_number)
    else:
        axis.set_ylim(bottom=0 if score == 'fid' else 1)
    # On a dark bar, as where only one of two seeds failed, it is the white edge that shows.
    axis.plot(failed, [.02] * len(failed), 'X', color='black', markeredgecolor='white', markersize=7, zorder=4,
              transform=axis.get_xaxis_transform())
    axis.set_xticks(range(len(methods)), [METHODS[method] for method in methods])
    axis.set_xlim(-.6, len(methods) - .4)
    axis.set_ylabel(score_label(records, score))
    axis.grid(axis='y', alpha=.3)
    axis.set_axisbelow(True)
    _legend_of_settings(axis)
    return page


def _plain_number(value, _):
    """10, 20, 50, 100, 200, … and nothing between."""
    leading = value / 10 ** np.floor(np.log10(value))
    return f'{value:.0f}' if round(leading, 6) in (1., 2., 5.) else ''


def _legend_of_settings(axis):
    from matplotlib.patches import Patch
    axis.legend(handles=[Patch(color=colour, label=setting) for setting, colour in SETTING_COLOURS.items()],
                title='setting', ncols=6, frameon=False, loc='lower right', bbox_to_anchor=(1, 1), columnspacing=1,
                handlelength=1)


def _of_all_timed(records, name, results):
    found = sorted({record[name] for record in records.values()
                    if record.get('seconds_per_100_updates') and record.get(name) is not None})
    if len(found) > 1:
        raise ValueError(f'{results.root}: figure_10: {name}: expected the same for all cells, found '
                         f'{" and ".join(map(str, found))}; time them all alike in another --results_dir')
    return found[0] if found else None


def draw_seconds(records, results):
    """Raises ValueError where cells were timed with different numbers of threads, or some on a GPU."""
    timed = {method: [record['seconds_per_100_updates'] for (variant, _), record in records.items()
                      if variant.method == method and record.get('seconds_per_100_updates')] for method in ORDER}
    timed = {method: values for method, values in timed.items() if values}
    if not timed:
        return None
    threads = _of_all_timed(records, 'threads', results)
    _of_all_timed(records, 'device', results)
    page = Page(records, 1, 1, (6.5, 3.6),
                f'Figure 10: seconds for 100 generator updates, n_dis 5 (setting A), each cell timed alone, threads: '
                f'{threads}; dots are seeds. In brackets: against no normalization.',
                scores=False)
    axis = page.axes[0, 0]
    base = np.mean(timed['none']) if 'none' in timed else None
    for i, (method, values) in enumerate(timed.items()):
        mean = np.mean(values)
        axis.bar(i, mean, .6, color=METHOD_COLOURS[method])
        axis.plot([i] * len(values), values, '.', color='#555')
        axis.annotate(f'{mean:.3g} s' + (f' ({mean / base:.2f}×)' if base else ''), (i, max(values)), (0, 5),
                      textcoords='offset points', ha='center', fontsize=9)
    axis.set_xticks(range(len(timed)), ['Vanilla' if method == 'none' else METHODS[method] for method in timed])
    axis.set_ylabel('seconds for 100 updates')
    axis.margins(y=.12)
    return page
