"""Every reader of records, logs, statistics, notes and judging networks' weights, given what tests/hostile.py makes.

As for test_hostile_files.py, a reader answers or raises a ValueError or OSError that names the file or its folder.
"""
import contextlib
import io
import json
import shutil

from evaluations import command_line
from evaluations.report import PUBLISHED, paper_lines
from source.datasets.class_names import read_class_names
from source.datasets.prepare_imagenet import main as prepare_imagenet
from source.experiments.records import Results, read_records, write_csv
from source.experiments.run_cell import read_job, write_job
from source.experiments.table import print_table
from source.inception.weights import read_weights
from source.kernels.cuda import plan_choices
from source.report.card import make_card
from source.report.material import Material
from source.report.page import make_page
from source.report.run import read_runs
from source.scoring.comparison import compare, load_published, read_measured
from source.scoring.statistics_files import ReferenceStatistics, load_statistics, save_statistics
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.experiments.made_records import make_records
from tests.hostile import JSON, Reader, check, check_values, few_and_all, try_to_read
from tests.inception import weight_files
from tests.narrow import run
from tests.report.made_run import make_run

import numpy as np
import pytest

RECORD = {'samples': 'a/G_4.npz', 'protocol': 'paper', 'feature_network': 'inception', 'network_sha256': 'ab',
          'paper_row': 'cifar10_cnn_sn', 'is_mean': 7.5, 'is_std': .1, 'fid': 30., 'n_real': 10000, 'n_images': 50000,
          'seed': 3, 'versions': {'python': '3.12'}}


def report_of(folder):
    runs = read_runs([folder])
    lines = paper_lines(runs)
    make_page(runs, [Material() for _ in runs], lines, 'today')
    for each in runs:
        make_card(each)


def table_of(path):
    results = Results(path.parent.parent)
    with contextlib.redirect_stdout(io.StringIO()):
        print_table(results)
    read_records(results)
    write_csv(results, [])


def measure(path):
    published = load_published(PUBLISHED)
    compare(published, read_measured([path], {p.row for p in published}))


def replace_record(path):
    with contextlib.redirect_stderr(io.StringIO()):
        command_line._tell_what_is_replaced(path, RECORD)


def choices(path):
    with contextlib.redirect_stderr(io.StringIO()):
        found = plan_choices._read(path)
    assert all(isinstance(text, str) for pair in found.items() for text in pair)


def prepare_again(path):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = run(prepare_imagenet, '--train', path.parent.parent / 'raw', '--out', path.parent, '--size', 8)
    if status:
        raise ValueError(said.getvalue().splitlines()[-1])


def _saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture(scope='module')
def readers(tmp_path_factory):
    made = {}

    def add(name, path, read, blamed=None):
        made[name] = Reader(path, read, path.read_bytes(), blamed)

    def add_file(name, file, read, content):
        path = tmp_path_factory.mktemp('empty') / file
        path.write_bytes(content)
        add(name, path, read)

    a_run = make_run(tmp_path_factory.mktemp('run') / 'one', {'paper_row': 'cifar10_cnn_sn'})
    (a_run / 'scores.json').write_text(json.dumps(RECORD))
    for name in ('log.json', 'scores.json', 'config.yml', 'preview/00000004.png'):
        add(f'report: {name}', a_run / name, lambda path: report_of(a_run), a_run)

    results = Results(tmp_path_factory.mktemp('comparison') / 'digits_table2')
    cells = make_records(results, ['table2'], [0])
    shutil.rmtree(results.root / 'samples')
    kept = [cell for cell in cells if cell.variant.method in ('spectral', 'weight')][:3]
    for cell in set(cells) - set(kept):
        results.record(cell).unlink()
    path = results.record(kept[0])
    add('record of a cell', path, table_of, path.parent)
    folder = write_job(results, kept[0])
    add('job of a cell', folder / 'cell.json', lambda path: read_job(path.parent), folder)

    add_file('measured scores', 'scores.json', measure, json.dumps(RECORD).encode())
    add_file('earlier record', 'scores.json', replace_record, json.dumps(RECORD).encode())
    add_file('convolution plans', 'plans.json', choices, b'{"machine": "a", "plans": {"[1, 2]": "gemm"}}')
    add_file('class names', 'names.txt', lambda path: read_class_names(path, 2), 'n01440764 tench\ncafé\n'.encode())

    mean, cov = np.arange(3.), np.eye(3)
    ours = tmp_path_factory.mktemp('statistics') / 'a.npz'
    save_statistics(ours, ReferenceStatistics(mean, cov, 10, 'digits', 'ab', '10 images', 'key'))
    add('statistics, ours', ours, load_statistics)
    add_file("statistics, TTUR's", 'a.npz', load_statistics, _saved(mu=mean, sigma=cov))
    add_file("statistics, the authors'", 'a.npz', load_statistics, _saved(mean=mean, cov=cov))

    prepared = tmp_path_factory.mktemp('prepared')
    write_tree(prepared / 'raw', 2, WNIDS[:2], {}, {})
    assert run(prepare_imagenet, '--train', prepared / 'raw', '--out', prepared / 'out', '--size', 8) == 0
    add('report of a preparation', prepared / 'out' / 'train_8_report.json', prepare_again, prepared / 'out')

    with weight_files.of_a_small_network() as arrays:
        for kind in weight_files.KINDS:
            path = tmp_path_factory.mktemp('weights') / 'weights'
            add(f'Inception {kind}', weight_files.write(path, kind, arrays), read_weights)
        assert list(made) == NAMES
        yield made


NAMES = ['report: log.json', 'report: scores.json', 'report: config.yml', 'report: preview/00000004.png',
         'record of a cell', 'job of a cell', 'measured scores', 'earlier record', 'convolution plans', 'class names',
         'statistics, ours', "statistics, TTUR's", "statistics, the authors'", 'report of a preparation',
         *(f'Inception {kind}' for kind in weight_files.KINDS)]
OF_VALUES = ['report: log.json', 'report: scores.json', 'record of a cell', 'job of a cell', 'measured scores',
             'earlier record', 'convolution plans', 'report of a preparation']


@pytest.mark.filterwarnings('ignore')
@few_and_all
@pytest.mark.parametrize('name', NAMES)
def test_hostile_files(readers, name, n_examples, capfd):
    check(readers[name], n_examples)
    assert capfd.readouterr() == ('', '')


@pytest.mark.filterwarnings('ignore')
@few_and_all
@pytest.mark.parametrize('name', OF_VALUES)
def test_other_values(readers, name, n_examples):
    """Anything JSON knows; and what is nested too deeply."""
    try_to_read(readers[name], b'[' * 200000)
    check_values(readers[name], n_examples, JSON)
