"""Every reader of snapshots, configs and weights, given random bytes and changed files of its own kind.

It may answer or raise a ValueError or OSError that names the file; it may not raise anything else, take long, print, or
touch the disk.
"""
import io
import zipfile

from source.build import NETWORKS
from source.miscs.line_log import LineLog
from source.miscs.plain_npz import read_plain_npz
from source.miscs.snapshots import load_model, load_newest, load_trainer, save_snapshot
from source.training import build_trainer
from source.weight_files.graph_def import GraphDef
from source.weight_files.hdf5_file import read_hdf5_file, write_hdf5_file
from source.weight_files.torch_file import read_torch_file
from source.yaml_utils import load_config
from tests.feature_network import FakeFeatureNetwork
from tests.hostile import CHANGES, VALUES, Reader, changed, check, check_values, few_and_all, try_examples, try_to_read
from tests.narrow import narrow_config, write_config
from tests.weight_files import torch_writer
from tests.weight_files.graph_def_writer import graph

import chainer
import chainer.links as L
import numpy as np
import pytest
import yaml
from hypothesis import strategies as st

ARRAYS = {'a/W': np.arange(6, dtype='f4').reshape(2, 3), 'a/gamma': np.arange(3, dtype='f4'), 'b': np.array(3, 'f4')}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}


class Net(chainer.Chain):
    def __init__(self):
        super().__init__()
        with self.init_scope():
            self.a, self.b = L.Linear(2, 3), L.BatchNormalization(3)


def _trainer(folder):
    config = write_config(folder, {'cpu_kernels': False, 'evaluation': {'network': 'digits'},
                                   'updater.args.penalties': {'gradient': {}}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chainer.global_config, 'cpu_kernels', False)  # which the config turns off for good
        patch.setitem(NETWORKS, 'digits', lambda device: FakeFeatureNetwork())
        trainer = build_trainer(load_config(config), str(config), chainer.get_device('@numpy'), folder)
    trainer._start_at = 0.  # Chainer tells the time of a trainer that runs only
    return trainer


def _bytes_of(path, write):
    write(path)
    return path.read_bytes()


@pytest.fixture(scope='module')
def readers(tmp_path_factory):
    folder = tmp_path_factory.mktemp('valid')
    trainer, net = _trainer(folder), Net()
    trainer.updater.update()
    whole = _bytes_of(folder / 'snapshot_iter_1', lambda path: save_snapshot(path, trainer))
    model = _bytes_of(folder / 'net.npz', lambda path: save_snapshot(path, net))

    def read_model(path):
        load_model(path, net)

    def read_trainer(path):
        load_trainer(path, trainer)

    def read_newest(path):
        load_newest(path.parent, trainer, lambda line: None)

    def read_log(path):
        content = path.read_bytes()
        LineLog(path)
        assert content.startswith(path.read_bytes()), 'only a torn last line may go'
        path.write_bytes(content)

    def read_graph(path):
        GraphDef(path.read_bytes(), path, SHAPES)
        GraphDef(path.read_bytes(), path)
    made = {
        'model': ('net.npz', read_model, model),
        'model without a digest': ('net.npz', read_model, _without_comment(model)),
        'trainer': ('snapshot_iter_1', read_trainer, whole),
        'trainer without a digest': ('snapshot_iter_1', read_trainer, _without_comment(whole)),
        'newest': ('snapshot_iter_1', read_newest, whole),
        'npz': ('a.npz', lambda path: read_plain_npz(path, 'file'), _without_comment(model)),
        'config': ('a.yml', load_config, yaml.safe_dump(
            {**narrow_config(), 'snapshots': {'keep_last': 2}, 'adam': {'alpha': '1e-4'}}).encode()),
        'log': ('log.jsonl', read_log,
                b'{"iteration": 1, "loss_gen": 0.5}\n{"resumed_at": 1}\n{"iteration": 2, "loss_gen": 0.25}\n'),
        'hdf5': ('a.h5', lambda path: read_hdf5_file(path, SHAPES),
                 _bytes_of(folder / 'a.h5', lambda path: write_hdf5_file(path, ARRAYS))),
        'graph': ('a.pb', read_graph, graph(ARRAYS)),
        'torch zip': ('a.pth', read_torch_file, torch_writer.zip_file(ARRAYS)),
        'torch legacy': ('a.pth', read_torch_file, torch_writer.legacy_file(ARRAYS)),
    }
    assert list(made) == READERS
    found = {name: Reader(tmp_path_factory.mktemp('empty') / file, read, content)
             for name, (file, read, content) in made.items()}
    found['newest'] = found['newest']._replace(blamed=found['newest'].path.parent)
    return found


READERS = ['model', 'model without a digest', 'trainer', 'trainer without a digest', 'newest', 'npz', 'config', 'log',
           'hdf5', 'graph', 'torch zip', 'torch legacy']
ZIPS = [name for name in READERS if name.startswith(('model', 'trainer', 'npz'))]


def _without_comment(content):
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, 'a') as archive:
        archive.comment = b''
    return file.getvalue()


@pytest.mark.filterwarnings('ignore')
@few_and_all
@pytest.mark.parametrize('name', READERS)
def test_hostile_files(readers, name, n_examples, capfd):
    check(readers[name], n_examples)
    assert capfd.readouterr() == ('', '')


@pytest.mark.filterwarnings('ignore')
@few_and_all
@pytest.mark.parametrize('name', ZIPS)
def test_archives_put_together_anew_around_changed_entries(readers, name, n_examples, capfd):
    """Their checksums are right; where there is a digest it tells, and elsewhere names, shapes and types do."""
    with zipfile.ZipFile(io.BytesIO(readers[name].content)) as archive:
        entries, comment = {entry: archive.read(entry) for entry in archive.namelist()}, archive.comment
    has_digest = bool(comment)

    def attempt(entry, changes, other, is_swapped):
        made = {**entries, entry: entries[other] if is_swapped else changed(entries[entry], changes)}
        file = io.BytesIO()
        with zipfile.ZipFile(file, 'w') as archive:
            for key, content in made.items():
                archive.writestr(key, content)
            archive.comment = comment
        was_read = try_to_read(readers[name], file.getvalue())
        assert not (was_read and has_digest and made[entry].strip() != entries[entry].strip()) or (
            _array(made[entry]) == _array(entries[entry]))
    try_examples(n_examples, attempt, st.sampled_from(sorted(entries)), CHANGES, st.sampled_from(sorted(entries)),
                 st.booleans())
    assert capfd.readouterr() == ('', '')


def _array(content):
    array = np.load(io.BytesIO(content), allow_pickle=False)
    return array.dtype.str, array.shape, array.tobytes()


@pytest.mark.filterwarnings('ignore')
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
