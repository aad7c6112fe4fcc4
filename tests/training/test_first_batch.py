"""A user's own data set: looked at before training, without a trace, and in every batch after that."""
import random
import re

import train
from source.config.load_class import load_class
from source.config.yaml_utils import load_config
from source.training import assembly as training
from source.training.assembly import build_training
from source.training.first_batch import image_shape
from tests.gpu_road import assert_same, state_of
from tests.gpu_road import run as run_iterations
from tests.narrow import UNCONDITIONAL, error_of, files_in, run, write_config

import chainer
import pytest

DATA = '''
import random
import numpy as np

class Mine:
    def __len__(self):
        return 40

    def image(self, i):
        return np.random.RandomState(i).uniform(-1, 1, (3, 8, 8)).astype(np.float32)

    def label(self, i):
        return i % 10

    def __getitem__(self, i):
        return self.image(i), self.label(i)

'''


def changed(signature, line):
    return DATA + f'''
class Mine(Mine):
    def {signature}:
        {line}
'''


def labelled(labels):
    return DATA + f'''
class Mine(Mine):
    labels = np.array({labels})
    def label(self, i):
        return self.labels[i]
'''


DRAWING = changed('image(self, i)', """self.rng = getattr(self, 'rng', None) or np.random.default_rng(4)
        return super().image(i) * np.float32(np.sin(self.rng.normal() + np.random.normal() + random.random()))
""")


def write(folder, code, changes=None):
    (folder / 'data.py').write_text(code)
    return write_config(folder, {'dataset': {'dataset_fn': 'data.py', 'dataset_name': 'Mine'}, **(changes or {})})


def build(path):
    return build_training(load_config(path), str(path), chainer.get_device('@numpy'))


def test_training_is_the_same_as_without_a_look(tmp_path, monkeypatch):
    """To the bit, wherever the data set draws from."""
    check, states = training.check_first_batch, []
    for times in (0, 2):
        monkeypatch.setattr(training, 'check_first_batch', lambda *args, n=times: [check(*args) for _ in range(n)])
        random.seed(0)
        updater = build(write(tmp_path, DRAWING))[-1]
        run_iterations(updater, 2)
        states.append(state_of(updater))
    assert_same(states[1], states[0])


@pytest.mark.parametrize('code, options, expected', [
    (changed('image(self, i)', 'return np.zeros((3, 48, 48), np.float32)'), ['--dry_run'],
     r'Mine: image \d+: expected float32 \(3, 8, 8\), found float32 \(3, 48, 48\)'),
    (changed('label(self, i)', 'return np.eye(10)[i % 10]'), [],
     r'Mine: image \d+: expected as label a signed whole number from 0 to 9 .*'),
    (changed('__getitem__(self, i)', 'raise KeyError("no such\\nthing")'), [],
     r"Mine: data\.py:21: KeyError: 'no such\\nthing' \(image \d+\)"),
    (changed('__len__(self)', 'return -1'), [], r'Mine: ValueError: __len__\(\) should return >= 0'),
    (changed('__len__(self)', 'return 0'), [], 'no images'),
    (labelled('[k % 4 for k in range(40)]'), [], r'6 of 10 classes have no image: 4, 5, 6, \.\.\.'),
    (labelled('[10 if k == 17 else k % 10 for k in range(40)]'), [],  # the first batch need not show it
     'Mine: image 17: expected as label 0 to 9 .*, found 10; the data set has 0 to 10'),
    (changed('image(self, i, buffer=np.empty((3, 8, 8), np.float32))',
             'buffer[:] = super().image(i)\n        return buffer'), [],
     r'Mine: image (\d+) and image (?!\1 )\d+ are the same array; expected a copy for each'),
    (changed('__init__(self)', 'self.x'), ['--dry_run'],
     r"Mine: data\.py:21: AttributeError: 'Mine' object has no attribute 'x'"),
    ('class Mine(', [], r"data\.py cannot be imported: data\.py:1: SyntaxError: '\(' was never closed"),
    ('import nothing_like_it', [],
     r"data\.py cannot be imported: data\.py:1: ModuleNotFoundError: No module named 'nothing_like_it'")])
def test_refused_before_anything_is_written(tmp_path, monkeypatch, capsys, code, options, expected):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, code)
    before = files_in(tmp_path)
    assert run(train.main, '--config', 'narrow.yml', '--gpu', -1, *options) == 2
    assert {name: content for name, content in files_in(tmp_path).items() if 'pycache' not in name} == before
    stdout, stderr = capsys.readouterr()
    assert stdout == '' and re.fullmatch(rf'train\.py: error: narrow\.yml: dataset: {expected}\n', stderr), stderr


@pytest.mark.parametrize('workers, signature, line, expected', [
    (0, 'image(self, i)', 'return super().image(i) * (np.nan if i == 17 else 1)',
     'image 17: expected finite values, found NaN'),
    (2, 'label(self, i)', 'return -1 if i == 17 else 0', 'image 17: expected as label 0 to 9 .*, found -1; .*'),
    *((workers, 'image(self, i)', 'assert i != 17\n        return super().image(i)',
       r'data\.py:21: AssertionError \(image 17\)') for workers in (0, 2))])
def test_a_later_batch_ends_training_in_one_line(tmp_path, monkeypatch, capsys, workers, signature, line, expected):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, changed(signature, line),
          {'iteration': 10, 'snapshot_interval': 1, 'evaluation_interval': 10, 'loader_workers': workers})
    assert run(train.main, '--config', 'narrow.yml', '--gpu', -1) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if not re.search('it/s|s/it|^ *$', line)]
    assert re.fullmatch(rf'train\.py: error: narrow\.yml: dataset: Mine: {expected}; training stopped at iteration '
                        r'\d+; (last good snapshot: .*|there is no snapshot yet)', '\n'.join(lines)), lines


@pytest.mark.parametrize('code, changes, expected', [
    (changed('image(self, i)', 'return (super().image(i) + 1) / 2'), {},
     r'Mine: no value below 0 in a batch of 4 images, \S+ to \S+: expected -1 to 1; of values from 0 to 1: x \* 2 - 1'),
    (labelled('[k % 5 for k in range(40)]'), {}, r'5 of 10 classes have no image: 5, 6, 7, \.\.\.'),
    (labelled('[k % 10 for k in range(40)]'), {}, None), (labelled('[0] * 40'), UNCONDITIONAL, None),
    *((DATA + f'    labels, size, n_classes = {labels}, (8, 8), len', {}, None)  # which only are called that
      for labels in ('["a"] * 40', 'range(1, 41)', '[[1], [2, 3]]', 'None', 'np.zeros(3, int)', 'np.zeros(40)')),
    (changed('image(self, i, ims={})', 'return ims.setdefault(i % 20, super().image(i))'), {'batchsize': 30}, None)])
def test_warnings(tmp_path, capsys, code, changes, expected):
    path = write(tmp_path, code, changes)
    build(path)
    assert re.fullmatch(f'warning: {path}: dataset: {expected}\n' if expected else '', capsys.readouterr().err)


def test_an_updater_that_makes_its_own_images_is_left_alone(tmp_path):
    (tmp_path / 'up.py').write_text("""from source import updater
class Mine(updater.Updater):
    def real_batch(self):
        x, y = self.inputs('real')
        return x / 128 - 1, y
""")
    path = write(tmp_path, changed('image(self, i)', 'return super().image(i) * 128 + 128'),
                 {'updater.fn': 'up.py', 'updater.name': 'Mine'})
    build(path)[-1].update()


GENERATOR = '''
import chainer
import chainer.links as L

class Mine(chainer.Chain):
    dim_z, distribution, n_classes = 3, 'normal', 0

    def __init__(self):
        super().__init__(l=L.Linear(None, 3 * 8 * 16), b=L.BatchNormalization(384))

    def forward(self, batchsize=64, z=None, y=None):
        return self.b(self.l(z)).reshape({})
'''


def test_a_generator_that_does_not_say_its_size(tmp_path):
    """Is asked for an image, or rather a copy is: weights and statistics stay what they were."""
    (tmp_path / 'gen.py').write_text(GENERATOR.format('-1, 3, 8, 16'))
    path = write_config(tmp_path, {**UNCONDITIONAL, 'models.generator': {'fn': 'gen.py', 'name': 'Mine', 'args': {}}})
    assert ': expected float32 (3, 8, 16), found float32 (3, 8, 8)' in error_of(build, path)
    gen = load_class(str(tmp_path / 'gen.py'), 'Mine', 'a.yml', 'key')()
    with chainer.using_config('train', True):
        assert image_shape(gen, load_config(path), path) == (3, 8, 16)
        gen.image_size = 8
        assert image_shape(gen, load_config(path), path) == (3, 8, 16)  # it may not be RGB
        gen.channels = 1
        assert image_shape(gen, load_config(path), path) == (1, 8, 8)
    assert gen.l.W.array is None and not gen.b.avg_mean.any()
    (tmp_path / 'gen.py').write_text(GENERATOR.format('-1, 3, 8, 17'))
    assert re.match(rf'{path}: models.generator: Mine: {tmp_path}/gen.py:\d+: InvalidType: ', error_of(build, path))


SHARDS = DATA + """
class Mine(Mine):
    k, buffer = None, np.empty((10, 3, 8, 8), np.float32)

    def image(self, i):
        if self.k != i // 10:
            self.k = i // 10
            self.buffer[:] = [super(Mine, self).image(10 * self.k + j) for j in range(10)]
        return self.buffer[i % 10].copy()
"""


def test_a_buffer_and_what_is_in_it_stay_together(tmp_path):
    """Of a data set that reads shards of ten images into one buffer, and knows which is there."""
    mine, plain = (build(write(tmp_path, code))[2] for code in (SHARDS, DATA))
    assert all((mine[i][0] == plain[i][0]).all() for i in (0, 39, 5, 17))
