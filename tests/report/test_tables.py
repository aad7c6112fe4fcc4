"""The summary's table: what a score is of, and when."""
import re

from source.report.run import read_run
from source.report.tables import table_section
from tests.report.made_run import make_run


def cell_of(html, row):
    return re.search(rf'<th scope="row">{row}</th><td>(.*?)</td>', html).group(1)


def test_a_score_of_an_earlier_iteration_says_so(tmp_path):
    for iterations, expected in ((4, '25'), (3, '50 (at iteration 2)'), (2, '50')):
        run = read_run(make_run(tmp_path / str(iterations), iterations=iterations))
        assert cell_of(table_section([run]), 'FID') == expected


def test_a_single_split_has_no_std(tmp_path):
    """Logs of earlier versions say 0."""
    several, one = (read_run(make_run(tmp_path / str(splits), {'evaluation.splits': splits})) for splits in (3, 1))
    assert cell_of(table_section([several]), 'inception score') == '6 ± 0.1'
    assert cell_of(table_section([one]), 'inception score') == '6'
    assert 'on 24 samples in 1 split, FID' in table_section([one])
