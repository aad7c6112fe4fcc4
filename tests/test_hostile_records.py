"""Every reader of records, logs, statistics, notes and judging networks' weights, given what tests/hostile.py makes.

As for test_hostile_files.py, a reader answers or raises a ValueError or OSError that names the file or its folder.
"""
import contextlib
import io
import json
import shutil
from types import SimpleNamespace

from evaluations import command_line
from evaluations.report import PUBLISHED, paper_lines
from source.datasets.class_names import read_class_names
from source.datasets.prepare_imagenet import main as prepare_imagenet
from source.experiments.records import Results, read_records, write_csv
from source.experiments.run_cell import read_job, write_job
from source.experiments.table import print_table
from source.inception import weights
from source.kernels.cuda import plan_choices
from source.report.card import make_card
from source.report.material import Material
from source.report.page import make_page
from source.report.run import read_runs
from source.scoring.comparison import compare, load_published, read_measured
from source.scoring.statistics_files import ReferenceStatistics, load_statistics, save_statistics
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.experiments.made_records import make_records
from tests.hostile import CHANGES, JSON, changed, of_a_reader, try_to_read
from tests.inception import weight_files
from tests.narrow import run
from tests.report.made_run import make_run
from tests.weight_files import torch_writer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

SHAPES = {'conv/W': (2, 3, 3, 3), 'bn_conv/N': (), 'logit/W': (4, 2), 'logit/b': (4,), 'conv/b': (2,),
          **{f'bn_conv/{name}': (2,) for name in ('gamma', 'beta', 'avg_mean', 'avg_var')}}
RECORD = {'samples': 'a/G_4.npz', 'protocol': 'paper', 'feature_network': 'inception', 'network_sha256': 'ab',
          'paper_row': 'cifar10_cnn_sn', 'is_mean': 7.5, 'is_std': .1, 'fid': 30., 'n_real': 10000, 'n_images': 50000,
          'seed': 3, 'versions': {'python': '3.12'}}


def report_of(path):
    runs = read_runs([path if path.is_dir() else path.parent])
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
def made(tmp_path_factory):
    """`readers`: {name: (its file, function of the path, a whole one)}; `folders`: {name: where it lies}."""
    readers, folders = {}, {}

    def add(name, file, read, content, folder=None):
        folders[name] = folder or tmp_path_factory.mktemp('empty')
        readers[name] = file, read, content

    a_run = make_run(tmp_path_factory.mktemp('run') / 'one', {'paper_row': 'cifar10_cnn_sn'})
    (a_run / 'scores.json').write_text(json.dumps(RECORD))
    for name in ('log.json', 'scores.json', 'config.yml', 'preview/00000004.png'):
        add(f'report: {name}', name, report_of if '/' not in name else lambda path: report_of(path.parent.parent),
            (a_run / name).read_bytes(), a_run)

    results = Results(tmp_path_factory.mktemp('comparison') / 'digits_table2')
    cells = make_records(results, ['table2'], [0])
    shutil.rmtree(results.root / 'samples')
    kept = [cell for cell in cells if cell.variant.method in ('spectral', 'weight')][:3]
    for cell in set(cells) - set(kept):
        results.record(cell).unlink()
    path = results.record(kept[0])
    add('record of a cell', path.name, table_of, path.read_bytes(), path.parent)
    folder = write_job(results, kept[0])
    add('job of a cell', 'cell.json', lambda path: read_job(path.parent), (folder / 'cell.json').read_bytes(), folder)

    add('measured scores', 'scores.json', measure, json.dumps(RECORD).encode())
    add('earlier record', 'scores.json', replace_record, json.dumps(RECORD).encode())
    add('convolution plans', 'plans.json', choices, b'{"machine": "a", "plans": {"[1, 2]": "gemm"}}')
    add('class names', 'names.txt', lambda path: read_class_names(path, 2), 'n01440764 tench\ncafé\n'.encode())

    mean, cov = np.arange(3.), np.eye(3)
    save_statistics(made := tmp_path_factory.mktemp('statistics') / 'a.npz',
                    ReferenceStatistics(mean, cov, 10, 'digits', 'ab', '10 images', 'key'))
    for whose, content in (('ours', made.read_bytes()), ("TTUR's", _saved(mu=mean, sigma=cov)),
                           ("the authors'", _saved(mean=mean, cov=cov))):
        add(f'statistics, {whose}', 'a.npz', load_statistics, content)

    raw = tmp_path_factory.mktemp('prepared')
    write_tree(raw / 'raw', 2, WNIDS[:2], {}, {})
    assert run(prepare_imagenet, '--train', raw / 'raw', '--out', raw / 'out', '--size', 8) == 0
    add('report of a preparation', 'train_8_report.json', prepare_again,
        (raw / 'out/train_8_report.json').read_bytes(), raw / 'out')

    rng = np.random.RandomState(0)
    arrays = {name: np.array(3) if name.endswith('/N') else rng.rand(*shape).astype('f4')
              for name, shape in SHAPES.items()}
    with pytest.MonkeyPatch.context() as patch:
        for module in (weights, weight_files):
            patch.setattr(module, 'CONVOLUTIONS', weights.CONVOLUTIONS[:1])
        patch.setattr(weights, 'weight_shapes', lambda: SHAPES)
        theirs = {'fc.weight': arrays['logit/W'], 'fc.bias': arrays['logit/b'],
                  'Conv2d_1a_3x3.conv.weight': arrays['conv/W'],
                  **{f'Conv2d_1a_3x3.bn.{own}': arrays[f'bn_conv/{name}'] for own, name in (
                      ('weight', 'gamma'), ('bias', 'beta'), ('running_mean', 'avg_mean'), ('running_var', 'avg_var'))}}
        graph = weight_files.graph(arrays)
        weight_files.hdf5(file := tmp_path_factory.mktemp('weights') / 'a.h5', arrays)
        for kind, content in (('pb', graph), ('tgz', weight_files.archive(graph)), ('h5', file.read_bytes()),
                              ('pth', torch_writer.zip_file(theirs)), ('legacy', torch_writer.legacy_file(theirs))):
            add(f'Inception .{kind}', f'a.{kind}', weights.read_weights, content)
        yield SimpleNamespace(readers=readers, folders=folders)


NAMES = ['report: log.json', 'report: scores.json', 'report: config.yml', 'report: preview/00000004.png',
         'record of a cell', 'job of a cell', 'measured scores', 'earlier record', 'convolution plans', 'class names',
         'statistics, ours', "statistics, TTUR's", "statistics, the authors'", 'report of a preparation',
         'Inception .pb', 'Inception .tgz', 'Inception .h5', 'Inception .pth', 'Inception .legacy']
OF_VALUES = ['report: log.json', 'report: scores.json', 'record of a cell', 'job of a cell', 'measured scores',
             'earlier record', 'convolution plans', 'report of a preparation']


def test_no_reader_is_left_out(made):
    assert sorted(made.readers) == sorted(NAMES)


@pytest.fixture
def attempt_with(made):
    """A function that gives a reader a content; its file is put back in the end."""
    used = set()

    def attempt(name, content):
        used.add(name)
        return try_to_read(made.folders[name], made.readers[name], content)
    yield attempt
    for name in used:
        file, _, content = made.readers[name]
        (made.folders[name] / file).write_bytes(content)


@pytest.mark.parametrize('name', NAMES)
def test_whole_files_are_read(made, attempt_with, name):
    assert attempt_with(name, made.readers[name][2])


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', NAMES)
def test_random_bytes(made, attempt_with, name, capfd):
    start = made.readers[name][2][:8]

    @of_a_reader
    @given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda content: start + content)))
    def attempt(content):
        attempt_with(name, content)
    attempt()
    assert capfd.readouterr() == ('', '')


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', NAMES)
def test_changed_files(made, attempt_with, name, capfd):
    valid = made.readers[name][2]

    @of_a_reader
    @given(CHANGES)
    def attempt(changes):
        attempt_with(name, changed(valid, changes))
    attempt()
    assert capfd.readouterr() == ('', '')


def places(value, path=()):
    """The paths of all values within a value of JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def with_value(value, path, new):
    if not path:
        return new
    value = value.copy()
    value[path[0]] = with_value(value[path[0]], path[1:], new)
    return value


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('name', OF_VALUES)
def test_other_values(made, attempt_with, name):
    """Anything JSON knows, in the place of any value."""
    valid = json.loads(made.readers[name][2])

    @of_a_reader
    @given(st.sampled_from(places(valid)), JSON)
    def attempt(place, value):
        attempt_with(name, json.dumps(with_value(valid, place, value)).encode())
    attempt()


@pytest.mark.parametrize('name', OF_VALUES)
def test_nested_too_deeply(attempt_with, name):
    attempt_with(name, b'[' * 200000)
