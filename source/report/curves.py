"""The sections drawn as SVG: curves over training, singular values."""
from source.report.elements import text
from source.report.material import spread
from source.report.run import BETTER
from source.report.svg import N_COLOURS, SMALL, Series, line_chart
from source.report.tables import judged_by_several, score_title


def _figure(title, series, x_label='iteration', note=''):
    chart = line_chart(title, series, x_label)
    if not chart:
        return ''
    shown = [s for s in series if s.points]
    legend = ''
    if len(shown) > 1:
        legend = '<ul class="legend">' + ''.join(
            '<li><svg viewBox="0 0 26 8" aria-hidden="true">'
            f'<line class="line s{s.colour % N_COLOURS} d{s.dashed % 3}" x1="0" x2="26" y1="4" y2="4"/></svg>'
            f'{text(s.label)}</li>' for s in shown) + '</ul>'
    note = f' {text(note)}' if note else ''
    return f'<figure><figcaption><strong>{text(title)}</strong>{note}</figcaption>{chart}{legend}</figure>'


def curves_section(runs, materials):
    several = len(runs) > 1

    def label(run, name):
        return f'{run.name}, {name}' if several else name

    losses = [Series(label(run, name.removeprefix('loss_')), run.series(name), i if several else k, k if several else 0)
              for i, run in enumerate(runs) for k, name in enumerate(run.losses())]
    figures = [_figure('loss', losses)]
    for network, score in dict.fromkeys((run.network, score) for run in runs for score in run.score_names()):
        series = []
        for i, run in enumerate(runs):
            for name in run.score_names().get(score, ()) if run.network == network else ():
                ema = name.startswith(f'{run.network}_ema_')
                kind = 'averaged weights' if ema else 'weights of the iteration' if not several else ''
                text = ', '.join(filter(None, (run.name if several else '', kind)))
                series.append(Series(text, run.series(name), i, int(ema)))
        better = f'({BETTER[score]} is better)' if score in BETTER else ''
        figures.append(_figure(score_title(score, network if judged_by_several(runs) else None), series, note=better))
    figures.append(_figure("learning rate (Adam's α)", [
        Series(label(run, name) if several else name, points, i if several else k, k if several else 0)
        for i, run in enumerate(runs) for k, (name, points) in enumerate(run.alpha().items())]))
    figures.append(_figure('largest spectral norm', [
        s for i, (run, material) in enumerate(zip(runs, materials, strict=True)) for s in (
            Series(label(run, 'of the weights used'), _norms(material, False), i if several else 0, 0),
            Series(label(run, 'of the weights stored'), _norms(material, True), i if several else 1, 1))],
        note="of the discriminator's layers, at snapshots"))
    rates = [Series(run.name if several else 'images', run.images_per_second(), i) for i, run in enumerate(runs)]
    figures.append(_figure('real images a second', rates, note='between scorings'))
    figures = [figure for figure in figures if figure]
    return f'<h2>Curves</h2><div class="charts">{"".join(figures)}</div>' if figures else ''


def _norms(material, raw):
    points = []
    for iteration, spectrum in material.spectra.items():
        sigmas = [layer['raw'] if raw else layer['values'][0] for layer in spectrum['layers'].values()]
        if None not in sigmas:
            points.append((iteration, max(sigmas)))
    return points


def spectra_section(runs, materials):
    """Figure 3: a panel for each layer, a curve for each run; and the bound of eq. 7."""
    last = [(run, list(material.spectra.values())[-1]) for run, material in zip(runs, materials, strict=True)
            if material.spectra]
    if not last:
        return ''
    panels = []
    for layer in dict.fromkeys(name for _, s in last for name, v in s['layers'].items() if len(v['values']) > 1):
        series = []
        for i, (run, spectrum) in enumerate(last):
            values = spectrum['layers'].get(layer, {'values': []})['values']
            if values and values[0] and None not in values:
                points = [(k, (v / values[0]) ** 2) for k, v in enumerate(values, 1)]
                series.append(Series(run.name, points, i, i))
        chart = line_chart(f'{layer}, squared singular values', [
            Series(s.label, s.points if len(s.points) <= 64 else spread(s.points, 64), s.colour, s.dashed)
            for s in series], '', y_from_zero=True, size=SMALL)
        if chart:
            panels.append(f'<figure><figcaption>{text(layer)}</figcaption>{chart}</figure>')
    lines = ''.join(
        f'<tr><th scope="row">{text(run.name)}</th><td>{text(s["normalization"] or "none")}</td>'
        f'<td class="number">{_value(s["bound"])}</td><td class="number">{_value(s["raw_bound"])}</td></tr>'
        for run, s in last)
    return ('<h2>Singular values</h2><p class="muted">Of the discriminator’s weights at the last snapshot, as it '
            'computes with them: squared, over their index, the largest of each layer scaled to 1 (Figure 3 of the '
            'paper).</p>'
            f'<div class="layers">{"".join(panels)}</div>'
            '<h3>Product of spectral norms (eq. 7)</h3><div class="wide" tabindex="0" role="region" '
            'aria-label="Product of spectral norms"><table><thead><tr><th scope="col">run</th><th scope="col">'
            'normalization</th><th scope="col" class="number">of the weights used</th><th scope="col" class="number">'
            f'of the weights stored</th></tr></thead><tbody>{lines}</tbody></table></div>'
            '<p class="muted">It bounds the Lipschitz constant as the paper takes it, of weights as matrices; a '
            'residual block counts 1 or σ of its shortcut plus the product of its convolutions.</p>')


def _value(x):
    return 'not finite' if x is None else f'{x:.4g}'
