"""Writes one HTML page, which needs neither other files nor a network, about a run or several, for example

    python evaluations/report.py results/mnist
    python evaluations/report.py results/mnist --quick --out quick.html
    python evaluations/report.py results/mnist results/mnist_seed1 --out comparison.html

and a model card, card.md, into each results folder. Samples by class, nearest real images and singular values are made
from the last snapshots; --quick leaves them out, and keeps the card's check of the last one. The last example needs a
second run: train.py with --seed 1 --results_dir results/mnist_seed1.
"""
import sys
import time
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.devices import get_device
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands import records
from source.evaluation_commands.comparison_table import NAMES
from source.files.atomic import atomic_write
from source.files.folders import make_folder
from source.report.card import kept_norm, make_card
from source.report.material import Material, make_material
from source.report.page import make_page
from source.report.run import read_runs
from source.scoring.comparison import PUBLISHED, compare, load_published, read_measured


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('results', nargs='+', metavar='RESULTS', help='results folders')
    parser.add_argument('--out', metavar='FILE', help='the page; default: report.html in the first folder')
    parser.add_argument('--quick', action='store_true', help='only what needs no snapshot')
    parser.add_argument('--data_dir', metavar='DIR', help="folder of the data, for datasets that don't come with one")
    parser.add_argument('--gpu', '--device', '-g', type=int, metavar='N',
                        help='index of the GPU, -1 for the CPU; default: a GPU if there is one')
    return parser.parse_args()


def paper_lines(runs):
    """The published numbers of the runs' rows, each beside the measured one that answers it, as lines of texts.

    Records that cannot be set beside them are named in their Run's `damaged`.
    """
    published = load_published(PUBLISHED)
    rows = {run.config['paper_row'] for run in runs}
    measured = []
    for run in runs:
        for name in run.records:
            try:
                measured += read_measured([run.path / name], {p.row for p in published})
            except ValueError as error:
                run.damaged.append(f"Not beside the paper's numbers: {error}")
    comparisons, _ = compare([p for p in published if p.row in rows], measured)
    lines = []
    for comparison in comparisons:
        p, m = comparison.published, comparison.measured
        value = (p.value or 'collapsed') + (f' ± {p.plus_minus}' if p.plus_minus else '')
        found = ('not measured yet', '–') if m is None else (
            f'{m.value:.4g}' + (f' ± {m.std:.2g}' if m.std is not None else ''),
            ', '.join([m.protocol, *m.unlike]))
        lines.append((f'{p.publication} {p.table}'.strip(), p.method, p.dataset, NAMES.get(p.score, p.score), value,
                      p.protocol, *found))
    return lines


def quick_material(run):
    """The Material that needs no network: the check of spectral norms that an earlier report left in the card."""
    norm, why = kept_norm(run)
    return Material(norm=norm, missing=[why] if why else [])


def _encoded(text):
    return text.encode(errors='backslashreplace')  # names of files may hold what is no character


@one_line_errors
def main():
    args = parse_arguments()
    runs = read_runs(args.results)
    out = Path(args.out) if args.out else runs[0].path / 'report.html'
    if not out.parent.is_dir():
        raise ValueError(f'--out {out}: no such folder: {out.parent}')
    if out.is_dir():
        raise ValueError(f'--out {out}: expected the name of a file, found a folder')
    make_folder(out.parent)  # what cannot be written is said before anything is computed
    lines = paper_lines(runs)
    device = get_device(args.gpu)
    materials = [quick_material(run) if args.quick else make_material(run, device, args.data_dir) for run in runs]
    page = make_page(runs, materials, lines, time.strftime('%Y-%m-%d %H:%M'))
    cards = {run.path / 'card.md': make_card(run, material.norm)
             for run, material in zip(runs, materials, strict=True)}
    records.tell_replaced([out], '--out names another file')
    with atomic_write(out) as file:
        file.write(_encoded(page))
    for card, text in cards.items():
        if not card.exists() or card.read_bytes() != _encoded(text):
            if card.exists():
                print(f'{card}: replaced', file=sys.stderr)
            with atomic_write(card) as file:
                file.write(_encoded(text))
    missing = [text for run, material in zip(runs, materials, strict=True) for text in run.damaged + material.missing]
    for text in missing:
        print(f'left out: {text}', file=sys.stderr)
    print(f'{out} ({out.stat().st_size / 1e6:.1f} MB): open it in a browser; model card{"s" * (len(runs) > 1)} in '
          + ', '.join(map(str, cards)))


if __name__ == '__main__':
    main()
