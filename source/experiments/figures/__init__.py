"""The paper's figures, drawn from the records of a comparison."""
from pathlib import Path

from source.command_line.commands_to_copy import called
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.coverage import cells_among, check_one_budget, part_run, seeds_of
from source.experiments.figures import bars, curves, sheets, spectra
from source.experiments.records import read_records
from source.files.folders import make_folder

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


def draw_figures(results, folder, names=None, before_writing=lambda paths: None, tell=lambda line: None):
    """Draws the figures `names`, or all whose cells have been run, each as `<folder>/<name>.png`; returns the paths.

    All are drawn before the first is written; `before_writing` is called between, with the paths. A caption says of how
    many cells a figure is made where some are missing. `tell` is given a line where Figure 10 is left out though its
    methods have been run, as their seconds were not measured alone.

    Raises ValueError for a name without a figure, where a figure that was asked for has no records, and where those of
    a figure cannot be compared.
    """
    for name in names or ():
        if name not in DRAWN:
            raise ValueError(f'no figure {name!r}; there is {", ".join(DRAWN)}')
    records = read_records(results)
    if not records:
        raise ValueError(called(f'{results.root}: no records; `python experiments.py run table2` makes them'))
    pages, left_out = {}, []
    for name in names or DRAWN:
        variants = EXPERIMENTS[name].variants
        own = cells_among(records, variants)
        check_one_budget(own, results, name)
        page = DRAWN[name](own, results) if own else None
        if page is not None:
            part = part_run(own, variants, seeds_of(own))
            if part:
                page.add_to_caption(f'Made of {part}.')
            pages[Path(folder) / f'{name}.png'] = page
        elif name == 'figure_10' and (line := _not_timed_alone(records, results)):
            if names:
                raise ValueError(line)
            left_out.append(line)
        elif names:
            raise ValueError(called(f'{name}: no finished cells in {results.root}; `python experiments.py run {name}` '
                                    'makes them'))
    for line in left_out:
        tell(line)
    if pages:
        make_folder(folder)
    before_writing(list(pages))
    for path, page in pages.items():
        page.save(path)
    return list(pages)


def _not_timed_alone(records, results):
    """What is said where cells like those of Figure 10 were trained, but not timed; '' where there are none."""
    alike = [Variant(variant.network, variant.method, variant.setting) for variant in EXPERIMENTS['figure_10'].variants]
    cells = cells_among(records, alike)
    if not cells:
        return ''
    dataset = next(iter(cells.values()))['budget']['dataset']
    return called(f'figure_10: left out, as none of its cells in {results.root} was timed alone; `python '
                  f'experiments.py run figure_10 --dataset {dataset} --results_dir {results.root}` makes them')
