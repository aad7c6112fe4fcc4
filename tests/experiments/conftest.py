from source.experiments.records import Results
from tests.experiments.made_records import make_real, make_records

import pytest


@pytest.fixture(scope='package')
def results(tmp_path_factory):
    """Made-up records and samples of all experiments."""
    results = Results(tmp_path_factory.mktemp('made') / 'comparison')
    make_records(results)
    make_real(results)
    return results
