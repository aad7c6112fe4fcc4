"""Scores against a quantity (Figures 4 and 11) or over training (5, 13), and critic losses (15)."""
from source.experiments.catalogue import METHODS, SETTINGS
from source.experiments.figures.page import METHOD_COLOURS, METHOD_LINES, Page, failures_of, score_label, values_of

import numpy as np

PANELS_13 = {'resnet': '(a) unconditional', 'resnet_projection': '(b) projection discriminator'}
REPARAMETRIZED = {None: ('WGAN-GP', 'wgan_gp'), 'weight': ('WGAN-GP w/ WN', 'weight'),
                  'spectral': ('WGAN-GP w/ SN', 'spectral')}
SHADE = 'Lines are means over seeds, shades their standard deviation where there are two or more.'
ENDED = '× is where a seed diverged or crashed; from there on the line is of the others.'


def draw_relative_sizes(records, results):
    return _draw_against(
        records, lambda variant: dict(variant.options).get('final_scale', 1.), 'relative size of the final layer',
        'Figure 4: the effect of the number of feature maps of the final layer (1 is the original), setting C.')


def draw_n_dis(records, results):
    return _draw_against(
        records, lambda variant: dict(variant.options).get('n_dis', SETTINGS[variant.setting]), 'n_dis',
        'Figure 11: the effect of n_dis, all else as in setting D.')


def _draw_against(records, position, label, caption):
    if not any(record['scores'] for record in records.values()):
        return None
    page = Page(records, 1, 2, (9, 3.6), f'{caption} {SHADE} × marks cells that diverged or crashed.')
    for axis, score in zip(page.axes[0], ('is_mean', 'fid'), strict=True):
        ticks = set()
        for method in METHODS:
            variants = sorted({v for v, _ in records if v.method == method}, key=position)
            points = [(position(v), values) for v in variants if (values := values_of(records, v, score))]
            ticks.update(position(v) for v in variants)
            if points:
                _band(axis, [x for x, _ in points], [values for _, values in points], method)
            failed = [position(v) for v in variants if failures_of(records, v)]
            axis.plot(failed, [.03] * len(failed), 'x', color=METHOD_COLOURS[method],
                      transform=axis.get_xaxis_transform())
        axis.set_xscale('log')
        axis.set_xticks(sorted(ticks), [f'{tick:g}' for tick in sorted(ticks)])
        axis.minorticks_off()
        _label(axis, label, score_label(records, score))
    return page


def draw_learning_curves_concat(records, results):
    return _draw_learning_curves(records, {'resnet_concat': 'classes concatenated'},
                                 'Figure 5: learning curves of conditional GANs, SN and orthonormal regularization.')


def draw_learning_curves(records, results):
    return _draw_learning_curves(records, PANELS_13, 'Figure 13: learning curves, SN and orthonormal regularization.')


def _draw_learning_curves(records, panels, caption):
    panels = {network: title for network, title in panels.items()
              if any(v.network == network and record.get('curve') for (v, _), record in records.items())}
    if not panels:
        return None
    page = Page(records, 1, len(panels), (5 * len(panels), 3.6), f'{caption} {SHADE} {ENDED}')
    for axis, (network, title) in zip(page.axes[0], panels.items(), strict=True):
        for variant in dict.fromkeys(v for v, _ in records if v.network == network):
            _over_training(axis, records, variant, variant.method, METHODS[variant.method], marker='s')
        axis.set_title(title, fontsize=10)
        _label(axis, 'generator update', score_label(records, 'is_mean'))
    return page


def draw_critic_losses(records, results):
    if not any(record.get('log', {}).get('critic_loss_held_out') for record in records.values()):
        return None
    page = Page(records, 1, 2, (10.5, 3.8),
                'Figure 15: (a) critic losses, without the penalty, on training images (dashed) and on held-out ones '
                f'(solid); (b) scores. {SHADE} {ENDED}')
    losses, scores = page.axes[0]
    for variant in dict.fromkeys(v for v, _ in records):
        label, method = REPARAMETRIZED[dict(variant.options).get('norm')]
        for name, line in (('train', '--'), ('held_out', '-')):
            _over_training(losses, records, variant, method, f'{label} ({name.replace("_", " ")})',
                           ('log', f'critic_loss_{name}'), line, marker=None)
        _over_training(scores, records, variant, method, label, line='-')
    _label(losses, 'generator update', 'critic loss')
    losses.set_title('(a) critic loss', fontsize=10)
    _label(scores, 'generator update', score_label(records, 'is_mean'))
    scores.set_title('(b) score', fontsize=10)
    return page


def _over_training(axis, records, variant, method, label, kept=('curve', 'is_mean'), line=None, marker='.'):
    """Mean and deviation, at each iteration, of the seeds that got so far; × where one diverged or crashed."""
    part, name = kept
    own = [record for (v, _), record in records.items() if v == variant and record.get(part, {}).get(name)]
    if not own:
        return
    iterations = np.unique(np.concatenate([record[part]['iteration'] for record in own]))
    values = np.full((len(own), len(iterations)), np.nan)
    for row, record in zip(values, own, strict=True):
        row[np.searchsorted(iterations, record[part]['iteration'])] = np.array(record[part][name], float)
    reached = ~np.isnan(values).all(axis=0)
    iterations, values = iterations[reached], values[:, reached]
    stds = np.where((~np.isnan(values)).sum(axis=0) > 1, np.nanstd(values, axis=0), np.nan)
    _fill(axis, iterations, np.nanmean(values, axis=0), stds, METHOD_COLOURS[method], label,
          line or METHOD_LINES.get(method, '-'), marker)
    for row, record in zip(values, own, strict=True):
        if record['status'] != 'finished':
            last = np.flatnonzero(~np.isnan(row))[-1:]
            axis.plot(iterations[last], row[last], 'x', color=METHOD_COLOURS[method], markersize=7)


def _band(axis, xs, values, method):
    means, stds = np.array([(np.mean(v), np.std(v) if len(v) > 1 else np.nan) for v in values]).T
    _fill(axis, xs, means, stds, METHOD_COLOURS[method], METHODS[method], METHOD_LINES.get(method, '-'), 'o')


def _fill(axis, xs, means, stds, colour, label, line, marker):
    axis.plot(xs, means, color=colour, label=label, linestyle=line, marker=marker, markersize=4, linewidth=1.6)
    axis.fill_between(xs, means - stds, means + stds, color=colour, alpha=.14, linewidth=0)


def _label(axis, x, y):
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.grid(alpha=.3)
    axis.legend(frameon=False, fontsize=8)
