"""The summary's table: what a score is of, and when."""
import re

from source.report.run import read_run
from source.report.tables import table_section
from tests.report.made_run import with_log

import pytest


@pytest.fixture
def run(made):
    return read_run(made)


def cell_of(html, row):
    return re.search(rf'<th scope="row">{row}</th><td>(.*?)</td>', html).group(1)


def test_a_score_of_an_earlier_iteration_says_so(run):
    for n_entries, expected in ((4, '25'), (3, '50 (at iteration 2)'), (2, '50')):
        assert cell_of(table_section([with_log(run, n_entries)]), 'FID') == expected


def test_a_single_split_has_no_std(run):
    """Logs of earlier versions say 0."""
    assert cell_of(table_section([run]), 'inception score') == '6 ± 0.1'
    run.config['evaluation']['splits'] = 1
    assert cell_of(table_section([run]), 'inception score') == '6'
    assert 'on 24 samples in 1 split, FID' in table_section([run])
