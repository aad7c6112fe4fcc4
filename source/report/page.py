"""The report: one HTML page that needs nothing else, neither files nor a network."""
from pathlib import Path

from source.report.curves import curves_section, spectra_section
from source.report.elements import text
from source.report.later import pictures_section, records_section
from source.report.pictures import classes_section, neighbors_section, time_section
from source.report.tables import config_section, missing_section, paper_section, table_section, verdict_section

FOLDER = Path(__file__).parent
# What the page may load: nothing but what is in it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def make_page(runs, materials, comparisons, date):
    """The page, text, of Runs with a Material each; `comparisons` are (published, measured) lines of the paper's."""
    title = f'{runs[0].name}' if len(runs) == 1 else f'{len(runs)} runs: {", ".join(run.name for run in runs)}'
    body = [f'<h1>{text(title)}</h1>', f'<p class="muted">Report of {text(date)}.</p>']
    body += [verdict_section(runs, materials), table_section(runs), records_section(runs),
             paper_section(runs, comparisons), curves_section(runs, materials)]
    n_sliders = sum(bool(sheets) for run in runs for sheets in (run.previews, run.previews_ema))
    for run, material in zip(runs, materials, strict=True):
        of = '' if len(runs) == 1 else f' of {text(run.name)}'
        body += [time_section(run, material, of, n_sliders), classes_section(material, of),
                 neighbors_section(material, of), pictures_section(run, material, of)]
    body += [spectra_section(runs, materials), missing_section(runs, materials), config_section(runs)]
    return '\n'.join([
        '<!DOCTYPE html>', '<html lang="en">', '<head>', '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{text(title)} – training report</title>', f'<style>\n{_file("style.css")}</style>', '</head>',
        '<body>', '<main>', *filter(None, body), '</main>', f'<script>\n{_file("script.js")}</script>', '</body>',
        '</html>', ''])


def _file(name):
    return (FOLDER / name).read_text(encoding='utf-8')
