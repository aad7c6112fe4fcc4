"""Every reader of snapshots, configs, logs, records, statistics, notes and judging networks' weights, given what
tests/hostile.py makes: random bytes and changed files of its own kind.

It may answer or raise a ValueError or OSError that names the file or its folder; it may not raise anything else, take
long, print, or touch the disk.
"""
import contextlib
import io
import json
import shutil
import zipfile

from dis_models.snresnet_32 import SNResNetProjectionDiscriminator
from evaluations.report import PUBLISHED, paper_lines
from source.config.class_names import read_class_names
from source.config.yaml_utils import load_config
from source.datasets.image_dataset import ImageDataset
from source.datasets.prepare_imagenet import main as prepare_imagenet
from source.evaluation_commands.records import _tell_what_is_replaced
from source.experiments.records import Results, read_records, write_csv
from source.experiments.run_cell import read_job, write_job
from source.experiments.table import print_table
from source.files.line_log import LineLog
from source.files.plain_npz import read_plain_npz
from source.inception.weights import read_weights
from source.kernels.cuda import plan_choices
from source.report.card import make_card
from source.report.material import Material
from source.report.page import make_page
from source.report.run import read_runs
from source.results_folder.snapshots import load_model, load_newest, load_trainer, save_snapshot
from source.scoring.comparison import compare, load_published, read_measured
from source.scoring.neighbors import cached_features
from source.scoring.statistics_files import ReferenceStatistics, load_statistics, save_statistics
from source.training.trainer import build_trainer
from tests.datasets.imagenet_tree import WNIDS, write_tree
from tests.experiments.made_records import make_records
from tests.hostile import CHANGES, VALUES, Reader, changed, check, check_values, few_and_all, try_examples, try_to_read
from tests.inception import weight_files
from tests.narrow import narrow_config, run, write_config
from tests.report.made_run import make_run

import chainer
import chainer.links as L
import numpy as np
import pytest
import yaml
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings('ignore')
RECORD = {'samples': 'a/G_4.npz', 'protocol': 'paper', 'feature_network': 'inception', 'network_sha256': 'ab',
          'paper_row': 'cifar10_cnn_sn', 'is_mean': 7.5, 'is_std': .1, 'fid': 30., 'n_real': 10000, 'n_images': 50000,
          'seed': 3, 'versions': {'python': '3.12'}}


def _written(path, write, *args):
    write(path, *args)
    return path.read_bytes()


def _read_log(path):
    content = path.read_bytes()
    LineLog(path)
    assert content.startswith(path.read_bytes()), 'only a torn last line may go'
    path.write_bytes(content)


@pytest.fixture(scope='module')
def readers(tmp_path_factory):
    folder = tmp_path_factory.mktemp('valid')
    net = chainer.Sequential(L.Linear(2, 3), L.BatchNormalization(3))
    path = write_config(folder, {'cpu_kernels': False, 'updater.args.penalties': {'gradient': {}}})
    trainer = build_trainer(load_config(path), str(path), chainer.get_device('@numpy'), folder)
    trainer._start_at = 0.  # Chainer tells the time of a trainer that runs only
    trainer.updater.update()
    whole = _written(folder / 'snapshot_iter_1', save_snapshot, trainer)
    model = _written(folder / 'net.npz', save_snapshot, net)
    config = {**narrow_config(), 'snapshots': {'keep_last': 2}, 'adam': {'alpha': '1e-4'}}
    log = b'{"iteration": 1, "loss_gen": 0.5}\n{"resumed_at": 1}\n{"iteration": 2, "loss_gen": 0.25}\n'
    made = {}

    def add(name, file, content, read):
        made[name] = Reader(tmp_path_factory.mktemp('empty') / file, read, content)
    for suffix, change in ('', bytes), (' without a digest', _without_comment):
        add(f'model{suffix}', 'net.npz', change(model), lambda path: load_model(path, net))
        add(f'trainer{suffix}', 'snapshot_iter_1', change(whole), lambda path: load_trainer(path, trainer))
    add('newest', 'snapshot_iter_1', whole, lambda path: load_newest(path.parent, trainer, lambda line: None))
    made['newest'] = made['newest']._replace(blamed=made['newest'].path.parent)
    add('npz', 'a.npz', _without_comment(model), lambda path: read_plain_npz(path, 'file'))
    add('config', 'a.yml', yaml.safe_dump(config).encode(), load_config)
    add('log', 'log.jsonl', log, _read_log)
    assert set(made) == {*ZIPS, *OTHERS}
    return made


ZIPS = ['model', 'model without a digest', 'trainer', 'trainer without a digest', 'npz']
OTHERS = ['newest', 'config', 'log']


def _without_comment(content):
    with zipfile.ZipFile(file := io.BytesIO(content), 'a') as archive:
        archive.comment = b''
    return file.getvalue()


def report_of(folder):
    runs = read_runs([folder])
    make_page(runs, [Material() for _ in runs], paper_lines(runs), 'today')
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
        _tell_what_is_replaced(path, RECORD)


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
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


@pytest.fixture(scope='module')
def records(tmp_path_factory):
    made = {}

    def add(name, path, read, blamed=None, may_write=False):
        made[name] = Reader(path, read, path.read_bytes(), blamed, may_write)

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

    record = json.dumps(RECORD).encode()
    add_file('measured scores', 'scores.json', measure, record)
    add_file('earlier record', 'scores.json', replace_record, record)
    add_file('convolution plans', 'plans.json', choices, b'{"machine": "a", "plans": {"[1, 2]": "gemm"}}')
    add_file('class names', 'names.txt', lambda path: read_class_names(path, 2), 'n01440764 tench\ncafé\n'.encode())

    mean, cov = np.arange(3.), np.eye(3)
    ours = tmp_path_factory.mktemp('statistics') / 'a.npz'
    save_statistics(ours, ReferenceStatistics(mean, cov, 10, 'digits', 'ab', '10 images', 'key'))
    add('statistics, ours', ours, load_statistics)
    add_file("statistics, TTUR's", 'a.npz', load_statistics, _saved(mu=mean, sigma=cov))
    add_file("statistics, the authors'", 'a.npz', load_statistics, _saved(mean=mean, cov=cov))

    ims = np.random.RandomState(0).randint(256, size=(6, 3, 8, 8), dtype=np.uint8)
    dis, real = SNResNetProjectionDiscriminator(ch=2, n_classes=3), ImageDataset(ims, np.arange(6) % 3, 3)
    npy = tmp_path_factory.mktemp('features') / 'f.npy'

    def features(changed):
        with contextlib.redirect_stderr(io.StringIO()):
            found = cached_features(dis, real, npy, {'sha': 'a'})
        assert found.shape == expected.shape and found.dtype == np.float32
        assert changed == npy or np.array_equal(found, expected)
    expected = np.array(cached_features(dis, real, npy, {'sha': 'a'}))
    add('features of real images', npy, features, may_write=True)
    add('note beside features', npy.with_suffix('.json'), features, may_write=True)

    prepared = tmp_path_factory.mktemp('prepared')
    write_tree(prepared / 'raw', 2, WNIDS[:2], {}, {})
    assert run(prepare_imagenet, '--train', prepared / 'raw', '--out', prepared / 'out', '--size', 8) == 0
    add('report of a preparation', prepared / 'out' / 'train_8_report.json', prepare_again, prepared / 'out')

    with weight_files.of_a_small_network() as arrays:
        for kind in weight_files.KINDS:
            path = tmp_path_factory.mktemp('weights') / 'weights'
            add(f'Inception {kind}', weight_files.write(path, kind, arrays), read_weights)
        assert set(made) == {*RECORDS_OF_VALUES, *OTHER_RECORDS}
        yield made


RECORDS_OF_VALUES = ['report: log.json', 'report: scores.json', 'record of a cell', 'job of a cell', 'measured scores',
                     'earlier record', 'convolution plans', 'report of a preparation']
OTHER_RECORDS = ['report: config.yml', 'report: preview/00000004.png', 'class names', 'statistics, ours',
                 "statistics, TTUR's", "statistics, the authors'", 'features of real images', 'note beside features',
                 *(f'Inception {kind}' for kind in weight_files.KINDS)]


@few_and_all
@pytest.mark.parametrize('fixture, name', [
    *(('readers', name) for name in (*ZIPS, *OTHERS)),
    *(('records', name) for name in (*RECORDS_OF_VALUES, *OTHER_RECORDS))])
def test_hostile_files(request, fixture, name, n_examples, capfd):
    reader = request.getfixturevalue(fixture)[name]
    capfd.readouterr()  # what making the files has said
    check(reader, n_examples)
    assert capfd.readouterr() == ('', '')


@few_and_all
@pytest.mark.parametrize('name', ZIPS)
def test_archives_put_together_anew_around_changed_entries(readers, name, n_examples, capfd):
    """Their checksums are right; where there is a digest it tells, and elsewhere names, shapes and types do."""
    with zipfile.ZipFile(io.BytesIO(readers[name].content)) as archive:
        entries, comment = {entry: archive.read(entry) for entry in archive.namelist()}, archive.comment

    def attempt(entry, changes, other, is_swapped):
        made = {**entries, entry: entries[other] if is_swapped else changed(entries[entry], changes)}
        with zipfile.ZipFile(file := io.BytesIO(), 'w') as archive:
            for key, content in made.items():
                archive.writestr(key, content)
            archive.comment = comment
        was_read = try_to_read(readers[name], file.getvalue())
        assert not (was_read and comment and made[entry].strip() != entries[entry].strip()) or (
            _array(made[entry]) == _array(entries[entry]))
    names = st.sampled_from(sorted(entries))
    try_examples(n_examples, attempt, names, CHANGES, names, st.booleans())
    assert capfd.readouterr() == ('', '')


def _array(content):
    array = np.load(io.BytesIO(content), allow_pickle=False)
    return array.dtype.str, array.shape, array.tobytes()


@few_and_all
def test_configs_of_other_values(readers, n_examples):
    """Anything YAML knows."""
    check_values(readers['config'], n_examples, VALUES, yaml.safe_load, yaml.safe_dump,
                 [('extends',), ('snapshots', 'keep_best')])


@pytest.mark.parametrize('text', [
    'a: &a [*a]', '&a {adam: *a}', 'batchsize: !!timestamp x', 'batchsize: !!int ""', 'batchsize: !!bool maybe',
    'batchsize: !!python/object/apply:os.mkdir [sprung]', '? [1]\n: 2', '[' * 100000, '{a: ' * 1000,
    'extends: ' + 'a' * 5000, 'extends: "\\0"', 'batchsize: ' + '9' * 5000, 'seed: .nan', '\ufeff',
    'iteration: 1:2:3:4', 'extends: .',
    'a: &a [x, x, x, x, x, x, x, x, x, x]\n' + ''.join(
        f'{after}: &{after} [{", ".join([f"*{before}"] * 10)}]\n' for before, after in zip('abcdefgh', 'bcdefghi'))])
def test_configs_made_to_harm(readers, monkeypatch, text):
    monkeypatch.chdir(readers['config'].path.parent)
    assert not try_to_read(readers['config'], text.encode())


def test_values_made_to_harm(tmp_path):
    path = write_config(tmp_path)
    for value in ('&a [*a]', '!!timestamp x', '[' * 100000):
        with pytest.raises(ValueError, match='--set adam'):
            load_config(path, [f'adam={value}'])


@few_and_all
@pytest.mark.parametrize('name', RECORDS_OF_VALUES)
def test_records_of_other_values(records, name, n_examples):
    """Anything JSON knows; and what is nested too deeply."""
    try_to_read(records[name], b'[' * 200000)
    check_values(records[name], n_examples)


def test_features_of_another_shape_or_type_are_computed_anew(records):
    reader = records['features of real images']
    feats = np.load(io.BytesIO(reader.content))
    for other in (feats[:, 0], feats[:, None], feats[:-1], np.concatenate([feats, feats]), feats.astype('f2'),
                  feats.astype('f8')):
        np.save(file := io.BytesIO(), other)
        assert try_to_read(reader, file.getvalue())
