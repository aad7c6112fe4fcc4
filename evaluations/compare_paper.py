"""Compares measured scores with the published ones, number by number, for example

    python evaluations/compare_paper.py results/mnist/ --markdown > comparison.md
    python evaluations/compare_paper.py results/sn_cifar10_unconditional/ --plot comparison.png

The second needs a run of that config, scored with --protocol paper --network inception. RESULTS are the .json files
that the other commands here write, or folders of them. A record is compared with the row of published_numbers.csv that
its config names as paper_row; only scores under the network `inception` are. --all lists what was not measured too.
"""
import csv
import sys

from source.command_line.argument_parser import ArgumentParser
from source.command_line.commands_to_copy import called
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands.comparison_table import COLUMNS, NAMES, cells, print_columns, with_error
from source.evaluation_commands.records import tell_replaced
from source.pictures.comparison_plot import plot_comparisons
from source.scoring.comparison import PUBLISHED, SCORES, compare, load_published, read_measured
from source.scoring.protocols import GIVEN


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('results', nargs='+', metavar='RESULTS', help='records (.json) or folders of them')
    form = parser.add_mutually_exclusive_group()
    form.add_argument('--markdown', action='store_true', help='a Markdown table')
    form.add_argument('--csv', action='store_true', help='CSV, with the files that were compared')
    parser.add_argument('--all', action='store_true', help='the published numbers that were not measured too')
    parser.add_argument('--plot', metavar='PNG', help='draw a bar plot of the same there')
    return parser.parse_args()


def print_markdown(lines):
    for line in (COLUMNS, ('---',) * len(COLUMNS), *lines):
        print(f'| {" | ".join(line)} |')


def print_csv(comparisons, lines):
    writer = csv.writer(sys.stdout, lineterminator='\n')
    writer.writerow(('row', *COLUMNS, 'note', 'file'))
    for comparison, line in zip(comparisons, lines):
        file = comparison.measured.file if comparison.measured else ''
        writer.writerow((comparison.published.row, *line, comparison.published.note, file))


def apart_lines(apart, published):
    """What is not compared with the paper, and why, a line each."""
    numbers = {(p.row, p.score) for p in published}
    for m in apart:
        if m.network == 'inception_clean':
            why = 'its images were resized as clean-fid does, those of the published numbers were not, so not compared'
        elif m.network not in ('inception', None):
            why = f'under the network {m.network}: not an Inception score or distance, so not compared'
        elif m.row is None:
            why = 'its config names no paper_row'
        elif m.protocol.endswith(GIVEN):
            why = 'a distance from real images that were given, not from those of its data set'
        elif (m.row, m.score) in numbers:
            why = f'another record of {m.row} has the published protocol'
        else:
            why = f'{m.row} has no published {NAMES[m.score]}'
        yield f'{m.file}: {NAMES[m.score]} {with_error(m.value, m.std)} (protocol {m.protocol}): {why}'


def lines_of(name, comparisons):
    """What an attribute of the Measured says, a line a file: how its run is not as for the published numbers."""
    return list(dict.fromkeys(f'{c.measured.file}: {why}' for c in comparisons
                              if c.measured and (why := getattr(c.measured, name))))


@one_line_errors
def main():
    args = parse_arguments()
    published = load_published(PUBLISHED)
    measured = read_measured(args.results, {p.row for p in published})
    comparisons, apart = compare([p for p in published if p.score in SCORES], measured)
    shown = comparisons if args.all else [c for c in comparisons if c.measured]
    lines = [cells(c) for c in shown]
    if not lines:
        print('No record here can be compared with a published number.', file=sys.stderr)
    elif args.csv:
        print_csv(shown, lines)
    elif args.markdown:
        print_markdown(lines)
    else:
        print_columns(COLUMNS, lines)
    aside = sys.stderr if args.csv else sys.stdout
    if args.all:
        print(f'\nFigure 10, seconds per 100 updates, is not in this table: {called("experiments.py")} measures it.',
              file=aside)
    elif n_others := len(comparisons) - len(shown):
        print('\n' * bool(lines) + f'{n_others} published numbers were not measured; --all shows them.', file=aside)
    for title, listed in (('Of another iteration than the published:', lines_of('other_iteration', comparisons)),
                          ("Batches other than the paper's, or not known:", lines_of('other_batch', comparisons)),
                          ('Not compared with published numbers:', list(apart_lines(apart, published)))):
        if listed:
            print(f'\n{title}\n', *(f'- {line}' for line in listed), sep='\n', file=aside)
    if args.plot and not plot_comparisons(args.plot, shown,
                                          lambda: tell_replaced([args.plot], '--plot names another file')):
        print(f'{args.plot}: not drawn, as nothing was measured that is published', file=sys.stderr)


if __name__ == '__main__':
    main()
