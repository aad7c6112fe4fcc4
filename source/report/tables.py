"""The sections in words: verdict, summary, the paper's numbers, config."""
from source.command_line.commands_to_copy import called
from source.command_line.short_texts import duration, shortened
from source.config.paper_batches import other_batch
from source.report.elements import text
from source.report.svg import number
from source.report.verdict import checks_of
from source.scoring.few_images import FEWEST_OF_FID
from source.scoring.score_titles import SCORE_TITLES

import numpy as np
import yaml

PACKAGES = 'python', 'chainer', 'cupy', 'numpy', 'numba', 'scipy', 'h5py', 'Pillow', 'scikit-learn', 'sngan-chainer'


def verdict_section(runs, materials):
    parts = []
    for run, material in zip(runs, materials, strict=True):
        checks = checks_of(run, material.norm)
        bad = sum(not check.good for check in checks)
        word = 'This run looks well.' if not bad else f'{bad} thing{"s" * (bad > 1)} to look at.'
        who = f'<strong>{text(run.name)}:</strong> ' if len(runs) > 1 else ''
        items = ''.join(f'<li class="{"good" if check.good else "bad"}">{text(check.text)}</li>' for check in checks)
        parts.append(f'<div class="verdict"><p style="margin:0">{who}{word}</p><ul>{items}</ul></div>')
    return '\n'.join(parts)


def table_section(runs):
    """What was run and what came out, a column for each run."""
    rows = [('data', [_dataset(run) for run in runs]),
            ('networks', [_networks(run) for run in runs]),
            ('loss', [run.config['updater']['args'].get('loss_type', 'hinge') for run in runs]),
            ('iterations', [f'{run.n_done:,} of {run.config["iteration"]:,}' for run in runs]),
            ('time', [duration(run.seconds) for run in runs]),
            ('real images a second', [_rate(run) for run in runs]),
            ('seed', [run.config['seed'] for run in runs])]
    scores = dict.fromkeys((run.network, score, name.startswith(f'{run.network}_ema_')) for run in runs
                           for score, names in run.score_names().items() for name in names)
    for network, score, ema in scores:
        rows.append((score_title(score, network if judged_by_several(runs) else None)
                     + (', averaged weights' if ema else ''), [_score(run, network, score, ema) for run in runs]))
    note = _scores_note(runs)
    head = ''
    if len(runs) > 1:
        head = ('<thead><tr><th scope="col">run</th>'
                + ''.join(f'<th scope="col">{text(run.name)}</th>' for run in runs) + '</tr></thead>')
        rows += _differences(runs)
    lines = ''.join(f'<tr><th scope="row">{text(name)}</th>{"".join(f"<td>{text(v)}</td>" for v in values)}</tr>'
                    for name, values in rows)
    return (f'<h2>Summary</h2><div class="wide" tabindex="0" role="region" aria-label="Summary">'
            f'<table{" class=several" * (len(runs) > 1)}>{head}<tbody>'
            f'{lines}</tbody></table></div>{note}')


def _dataset(run):
    args = ', '.join(f'{k} {shortened(v)}' for k, v in run.config['dataset']['args'].items())
    return run.config['dataset']['dataset_name'] + (f' ({args})' if args else '')


def _networks(run):
    return ' and '.join(f'{spec["name"]} (' + ', '.join(f'{k} {v}' for k, v in spec['args'].items()) + ')'
                        for spec in run.config['models'].values())


def _rate(run):
    rates = [rate for _, rate in run.images_per_second()]
    return number(float(np.median(rates))) if rates else '–'


def judged_by_several(runs):
    """Whether the runs' scores are of several feature networks, so that they are not to be compared."""
    return len({run.network for run in runs if run.network}) > 1


def score_title(score, network=None):
    return SCORE_TITLES.get(score, score.replace('_', ' ')) + (f' by {network}' if network else '')


def _scores_note(runs):
    """What the scores are of, for each run where that differs."""
    of = {}
    for run in runs:
        if run.network:
            evaluation = run.config['evaluation']
            of.setdefault((run.network, evaluation['n_images'], evaluation['splits'], run.foreign), []).append(run.name)
    parts = []
    for (network, n_images, splits, foreign), names in of.items():
        whose = f'Scores of {text(", ".join(names))}' if len(of) > 1 else 'Scores'
        parts.append(f'{whose} by the network “{text(network)}” on {n_images:,} samples in {splits} '
                     f'split{"s" * (splits != 1)}, FID against all training images'
                     + (f' (of fewer than {FEWEST_OF_FID:,} it is biased upwards, by about 1/N: compare it only '
                        'with FIDs of as many)' if n_images < FEWEST_OF_FID else '')
                     + ('' if network == 'inception' else '; they are its own, not the IS and FID of the literature')
                     + (f'; {text(foreign)}, so they say little of these images' if foreign else ''))
    if not parts:
        return ''
    warning = ' They are not to be compared with each other.' if len(of) > 1 else ''
    return f'<p class="muted">{". ".join(parts)}.{warning}</p>'


def _score(run, network, score, ema):
    if run.network != network:
        return '–'
    name = f'{run.network}_ema_{score}' if ema else f'{run.network}_{score}'
    points = run.series(name)
    if not points:
        return '–'
    std = None
    if score.endswith('mean') and run.config['evaluation']['splits'] > 1:  # earlier versions logged 0 of one split
        std = dict(run.series(name.removesuffix('mean') + 'std')).get(points[-1][0])
    when = '' if points[-1][0] == run.n_done else f' ({run.when(points[-1][0])})'
    return f'{points[-1][1]:.4g}' + (f' ± {std:.2g}' if std is not None else '') + when


def _differences(runs):
    """Keys of the configs that differ, as rows."""
    flat = [_flat(run.config) for run in runs]
    names = dict.fromkeys(name for values in flat for name in values)
    skipped = ('results_dir', 'seed', 'iteration', 'versions')
    return [(name, [values.get(name, '–') for values in flat]) for name in names
            if not name.startswith(skipped) and len({str(values.get(name)) for values in flat}) > 1]


def _flat(values, prefix=''):
    flat = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f'{prefix}{name}.')
        else:
            flat[prefix + name] = value
    return flat


def paper_section(runs, comparisons):
    if not comparisons:
        reasons = [f'{text(run.name)}: ' + ('its config names no row of the published tables (paper_row)'
                   if run.config['paper_row'] is None else f'row {text(run.config["paper_row"])} is not published')
                   for run in runs]
        return ("<h2>The paper's numbers</h2><p>There is none to set beside: " + '; '.join(reasons)
                + f'. <code>{called("evaluations/compare_paper.py")}</code> lists all published numbers.</p>'
                + _other_batches(runs))
    head = ''.join(f'<th scope="col">{name}</th>' for name in
                   ('where', 'method', 'data', 'score', 'published', 'its protocol', 'measured', 'its protocol'))
    lines = ''.join('<tr>' + ''.join(f'<td>{text(cell)}</td>' for cell in line) + '</tr>' for line in comparisons)
    return ("<h2>The paper's numbers</h2><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The paper's "
            f'numbers"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
            '<p class="muted">Only scores of one protocol are to be compared.</p>' + _other_batches(runs))


def _other_batches(runs):
    lines = [f'{run.name}: {other}' for run in runs if (other := other_batch(run.config))]
    if not lines:
        return ''
    listed = ''.join(f'<li>{text(line)}</li>' for line in lines)
    return f"<p>Batches other than the paper's, or not known:</p><ul>{listed}</ul>"


def missing_section(runs, materials):
    lines = [f'{run.name}: {text}' if len(runs) > 1 else text
             for run, material in zip(runs, materials, strict=True) for text in run.damaged + material.missing]
    if not lines:
        return ''
    return '<h2>What is missing here</h2><ul>' + ''.join(f'<li>{text(line)}</li>' for line in lines) + '</ul>'


def config_section(runs):
    parts = ['<h2>Config and versions</h2>']
    for run in runs:
        config = {k: v for k, v in run.config.items() if k != 'versions'}
        versions = run.config['versions']
        main = ', '.join(f'{name} {versions[name]}' for name in PACKAGES if name in versions)
        rest = '\n'.join(f'{name} {version}' for name, version in versions.items())
        of = f' of {text(run.name)}' if len(runs) > 1 else ''
        parts.append(f'<p>{text(main) or "Versions are not known."}</p>'
                     f'<details><summary>config.yml{of}</summary><pre tabindex="0">'
                     f'{text(yaml.safe_dump(config, sort_keys=False))}</pre></details>'
                     + (f'<details><summary>All versions{of}</summary><pre tabindex="0">{text(rest)}</pre></details>'
                        if rest else ''))
    return '\n'.join(parts)
