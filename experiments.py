"""Runs, tabulates and draws the paper's experiments on any data set and budget, for example

    python experiments.py list
    python experiments.py run table2 --dataset digits -j 2
    python experiments.py table --dataset digits
    python experiments.py figures --dataset digits

`run` ends with status 0 when all its cells have a record, with 3 where some are left.

Cells (method x setting x seed) that experiments share are trained once. A run that was stopped goes on where it was
when the same command is given again; cells whose record is in `<results_dir>/records/` are not trained again.
"""
import signal
import sys
import time
import traceback
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.commands_to_copy import called
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands.records import tell_replaced
from source.experiments.budget import DATASETS, load_budget
from source.experiments.catalogue import EXPERIMENTS, METHODS, SETTINGS
from source.experiments.cell import cells_of, variants_on
from source.experiments.coverage import cells_among, seeds_of
from source.experiments.real_data import prepare
from source.experiments.records import Results, read_records
from source.experiments.run_cell import record_crash, run_cell
from source.experiments.sweep import LEFT, run_cells, worker_command
from source.experiments.table import print_table
from source.files.lock import LockedError, claimed


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    common = ArgumentParser(add_help=False)
    common.add_argument('--dataset', default='digits', choices=DATASETS,
                        help='data set of the comparison (default: digits)')
    common.add_argument('--results_dir', metavar='DIR', help='where records are (default: results/<dataset>_table2)')

    commands.add_parser('list', parents=[common], help='the experiments, and how much of each has been run')

    run = commands.add_parser('run', parents=[common], help='train the cells of experiments')
    run.add_argument('names', nargs='+', metavar='NAME', help=f'{", ".join(EXPERIMENTS)}, or all')
    run.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    run.add_argument('--seeds', type=int, nargs='+', metavar='N',
                     help='of each cell; default: configs/experiments/<dataset>.yml')
    run.add_argument('--methods', nargs='+', metavar='NAME', help='only these methods of Table 2')
    run.add_argument('--settings', nargs='+', metavar='X', help='only these settings of Table 1')
    for name, text in (('iteration', 'generator updates of a cell'), ('ch', "unit of width of the CNN; the paper's 64"),
                       ('batchsize', 'real images in a batch'), ('n_images', 'generated images scored'),
                       ('splits', 'parts of them, for the inception score')):
        run.add_argument(f'--{name}', type=int, metavar='N', help=f'{text}; default: configs/experiments/<dataset>.yml')
    run.add_argument('--feature_network', metavar='NAME', help='what scores; default: as in that file')
    run.add_argument('--weights', metavar='FILE', help="the feature network's weights; default: its own")
    run.add_argument('-j', type=int, default=1, metavar='N', dest='processes',
                     help='cells trained at the same time (default: 1); those of Figure 10 are timed, each alone')
    run.add_argument('--threads', type=int, metavar='N', help='threads of each cell; default: the cores shared out')
    run.add_argument('--gpu', type=int, metavar='N',
                     help='index of the GPU, -1 for the CPU; default: a GPU if there is one')
    run.add_argument('--budget_seconds', type=float, metavar='S', help='stop after so many seconds; run again to go on')
    run.add_argument('--retry_crashed', action='store_true', help='train cells recorded as crashed again')

    table = commands.add_parser('table', parents=[common], help="Table 2 of what was run, beside the paper's")
    table.add_argument('--markdown', action='store_true', help='one Markdown table for each, of all columns')

    figures = commands.add_parser('figures', parents=[common], help='draw the figures of what was run')
    figures.add_argument('names', nargs='*', metavar='NAME',
                         help='figures to draw, as `list` calls them; default: all that have been run')
    figures.add_argument('--out', metavar='DIR', help='where pictures go; default: beside --results_dir, '
                         'results/<dataset>_figures')

    cell = commands.add_parser('cell', help='train one cell; what `run` starts')
    cell.add_argument('folder', metavar='FOLDER', help="the cell's, with its budget and options")
    cell.add_argument('--deadline', type=float, metavar='T',
                      help='when to stop, in seconds of Unix time; default: never')
    cell.add_argument('--gpu', type=int, metavar='N', help='index of the GPU, -1 for the CPU; default: if there is one')
    return parser.parse_args()


def results_of(args):
    return Results(args.results_dir or f'results/{args.dataset}_table2')


def list_experiments(args):
    budget, seeds = load_budget(args.dataset)
    records = {name: record for name, record in read_records(results_of(args)).items()
               if record['budget']['dataset'] == args.dataset}
    for name, experiment in EXPERIMENTS.items():
        missing = {v.network for v in experiment.variants} - set(budget.bases)
        cells = cells_among(records, experiment.variants)
        n_seeds = len({*seeds, *seeds_of(cells)})
        state = (f'no {" and ".join(sorted(missing))} for {args.dataset}' if missing else
                 f'{len(cells)} of {len(experiment.variants) * n_seeds} cells')
        print(f'{name:15} {state:18} {experiment.title}')


def run(args):
    budget, seeds = load_budget(args.dataset, iteration=args.iteration, ch=args.ch, batchsize=args.batchsize,
                                n_images=args.n_images, splits=args.splits, feature_network=args.feature_network,
                                weights=args.weights and str(Path(args.weights).resolve()))
    for name, value in (('-j', args.processes), ('--threads', args.threads)):
        if value is not None and value < 1:
            raise ValueError(f'{name}: expected at least 1, found {value}')
    _check_choice('--methods', args.methods, METHODS)
    _check_choice('--settings', args.settings, SETTINGS)
    if args.seeds is not None and not all(0 <= seed < 2 ** 32 for seed in args.seeds):
        raise ValueError(f'--seeds: expected 0 to {2 ** 32 - 1}, found {" ".join(map(str, args.seeds))}')
    variants, left_out = variants_on(args.names, budget)
    variants = [v for v in variants
                if (not args.methods or v.method in args.methods) and (not args.settings or v.setting in args.settings)]
    if not variants:
        raise ValueError(f'no cell of {" ".join(args.names)} has these methods and settings')
    if left_out:
        print(left_out, flush=True)
    results = results_of(args)
    cells = cells_of(variants, list(dict.fromkeys(args.seeds or seeds)), budget)
    deadline = None if args.budget_seconds is None else time.time() + args.budget_seconds
    data_dir = args.data_dir and str(Path(args.data_dir).resolve())
    read_records(results, cells)  # of this budget, or an error
    others = {record['budget']['dataset'] for record in read_records(results).values()} - {budget.dataset}
    if others:  # the real images kept there are of them
        raise ValueError(f'--results_dir {results.root}: expected records on {budget.dataset}, found some on '
                         f'{", ".join(sorted(others))}; give another folder')
    if any(not results.record(cell).exists() for cell in cells):
        prepare(results, variants[0], budget, data_dir, args.gpu)
    worker = worker_command() + ([] if args.gpu is None else ['--gpu', str(args.gpu)])
    try:
        left = run_cells(cells, results, worker, args.processes, args.threads, deadline, data_dir, args.retry_crashed,
                         tell=lambda line: print(line, flush=True))
    except BrokenPipeError:
        print(f'{called("experiments.py")}: standard output was closed; give the same command again to go on',
              file=sys.stderr)
        raise
    print(f'{len(cells) - left} of {len(cells)} cells are in {results.csv}'
          + (f'; {left} left: give the same command again' if left else ''))
    if left:
        sys.exit(LEFT)


def _check_choice(argument, given, known):
    unknown = [name for name in given or () if name not in known]
    if unknown:
        raise ValueError(f'{argument}: expected some of {", ".join(known)}, found {unknown[0]}')


def train_cell(args):
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        with claimed(args.folder, f'{args.folder}: another process trains this cell'):
            record = run_cell(args.folder, args.gpu,
                              lambda: bool(stopped) or (args.deadline is not None and time.time() >= args.deadline))
    except LockedError as error:
        print(error, file=sys.stderr)
        sys.exit(LEFT)
    except Exception as error:
        traceback.print_exc()
        record_crash(args.folder, f'{type(error).__name__}: {" ".join(str(error).split())}')
        sys.exit(1)
    sys.exit(LEFT if record is None else 0)


def table(args):
    print_table(results_of(args), markdown=args.markdown)


def figures(args):
    from source.experiments.figures import draw_figures  # here, as Matplotlib takes a second to import
    for path in draw_figures(results_of(args), args.out or _figures_folder(args), args.names or None,
                             lambda paths: tell_replaced(paths, '--out names another folder'),
                             lambda line: print(line, file=sys.stderr)):
        print(path)


def _figures_folder(args):
    """`results/digits_figures` for results/digits_table2; `<results_dir>_figures` for another folder."""
    root = results_of(args).root
    return root.with_name(f'{root.name.removesuffix("_table2")}_figures')


@one_line_errors
def main():
    args = parse_arguments()
    {'list': list_experiments, 'run': run, 'table': table, 'figures': figures, 'cell': train_cell}[args.command](args)


if __name__ == '__main__':
    main()
