"""The paper's figures, drawn from the records of a comparison."""
from pathlib import Path

from source.experiments.catalogue import EXPERIMENTS
from source.experiments.figures import bars, curves, sheets, spectra
from source.experiments.records import read_records
from source.miscs.results_dir import make_folder

DRAWN = {
    'figure_1': bars.draw_inception_scores,
    'figure_2': bars.draw_fids,
    'figure_3': spectra.draw_singular_values,
    'figure_4': curves.draw_relative_sizes,
    'figure_5': curves.draw_learning_curves_concat,
    'figure_6': sheets.draw_samples_6,
    'figure_9': spectra.draw_spectral_norms,
    'figure_10': bars.draw_seconds,
    'figure_11': curves.draw_n_dis,
    'figure_12': sheets.draw_samples_12,
    'figure_13': curves.draw_learning_curves,
    'figure_15': curves.draw_critic_losses,
}


def draw_figures(results, folder, names=None, before_writing=lambda paths: None):
    """Draws the figures `names`, or all whose cells have been run, each as `<folder>/<name>.png`; returns the paths.

    All are drawn before the first is written; `before_writing` is called between, with the paths. Raises ValueError for
    a name without a figure, and where a figure that was asked for has no records.
    """
    for name in names or ():
        if name not in DRAWN:
            raise ValueError(f'no figure {name!r}; there is {", ".join(DRAWN)}')
    records = read_records(results)
    if not records:
        raise ValueError(f'{results.root}: no records; `python experiments.py run table2` makes them')
    pages = {}
    for name in names or DRAWN:
        own = _records_of(EXPERIMENTS[name], records)
        page = DRAWN[name](own, results) if own else None
        if page is not None:
            pages[Path(folder) / f'{name}.png'] = page
        elif names:
            raise ValueError(f'{name}: no finished cells in {results.root}; `python experiments.py run {name}` '
                             'makes them')
    if pages:
        make_folder(folder)
    before_writing(list(pages))
    for path, page in pages.items():
        page.save(path)
    return list(pages)


def _records_of(experiment, records):
    """{(variant, seed): record} of an experiment's cells that have a record."""
    by_variant = {variant.name: variant for variant in experiment.variants}
    found = {}
    for record in records.values():
        variant = by_variant.get(record['name'].rpartition('-seed')[0])
        if variant is not None:
            found[variant, record['seed']] = record
    return found
