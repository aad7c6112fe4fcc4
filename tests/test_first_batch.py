"""A user's own data set: looked at before training, without a trace, and in every batch after that."""
import random
import re

import train
from source import training
from source.build import load_class
from source.first_batch import image_shape
from source.training import build_training
from source.yaml_utils import ConfigError, load_config
from tests.gpu_road import assert_same, state_of
from tests.gpu_road import run as run_iterations
from tests.narrow import UNCONDITIONAL, files_in, run, write_config

import chainer
import pytest

DATA = '''
import chainer
import numpy as np
import random

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
CHANGED = DATA + '''
class Mine(Mine):
    def {}:
        {}
'''
DRAWING = DATA + '''
RNG = np.random.RandomState(3)
LAZY = None

class Mine(Mine):
    def __init__(self):
        self.rng, self.random, self.lazy = np.random.default_rng(1), random.Random(2), None

    def image(self, i):
        global LAZY
        self.lazy = self.lazy or np.random.default_rng(4)
        Mine.late = getattr(Mine, 'late', None) or np.random.RandomState(5)
        LAZY = LAZY or random.Random(6)
        draws = [RNG.normal(), np.random.normal(), random.random(), self.random.gauss(0, 1), self.lazy.normal(),
                 self.rng.integers(99, dtype=np.int32), Mine.late.normal(), LAZY.gauss(0, 1)]
        return super().image(i) * np.float32(abs(np.sin(sum(draws))))
'''


def write(folder, code, changes=None):
    (folder / 'data.py').write_text(code)
    return write_config(folder, {'dataset': {'dataset_fn': 'data.py', 'dataset_name': 'Mine'}, **(changes or {})})


def build(path):
    return build_training(load_config(path), str(path), chainer.get_device('@numpy'))


def test_training_is_the_same_as_without_a_look(tmp_path, monkeypatch):
    """To the bit, wherever the data set draws from: random states of all kinds, one made late, a counter."""
    check, states = training.check_first_batch, []
    for times in (0, 2):
        monkeypatch.setattr(training, 'check_first_batch', lambda *args, n=times: [check(*args) for _ in range(n)])
        random.seed(0)
        updater = build(write(tmp_path, DRAWING))[-1]
        run_iterations(updater, 2)
        states.append(state_of(updater))
    assert_same(states[1], states[0])


@pytest.mark.parametrize('signature, line, options, expected', [
    ('image(self, i)', 'return np.zeros((3, 48, 48), np.float32)', ['--dry_run'],
     r'image \d+: expected float32 \(3, 8, 8\), found float32 \(3, 48, 48\)'),
    ('label(self, i)', 'return np.eye(10)[i % 10]', [],
     r'image \d+: expected as label a signed whole number from 0 to 9 .*'),
    ('__getitem__(self, i)', 'raise KeyError("no such\\nthing")', [],
     r"data\.py:22: KeyError: 'no such\\nthing' \(image \d+\)"),
    ('__len__(self)', 'return -1', [], r'ValueError: __len__\(\) should return >= 0'),
    ('__init__(self)', 'self.x', ['--dry_run'], r"data\.py:22: AttributeError: 'Mine' object has no attribute 'x'")])
def test_refused_before_anything_is_written(tmp_path, monkeypatch, capsys, signature, line, options, expected):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, CHANGED.format(signature, line))
    before = files_in(tmp_path)
    assert run(train.main, '--config', 'narrow.yml', '--gpu', -1, *options) == 2
    assert {name: content for name, content in files_in(tmp_path).items() if 'pycache' not in name} == before
    captured = capsys.readouterr()
    assert captured.out == ''
    assert re.fullmatch(rf'train\.py: error: narrow\.yml: dataset: Mine: {expected}\n', captured.err), captured.err


@pytest.mark.parametrize('code, expected', [
    ('class Mine(', "SyntaxError: '(' was never closed"),
    ('import nothing_like_it', "ModuleNotFoundError: No module named 'nothing_like_it'")])
def test_a_file_that_cannot_be_imported(tmp_path, monkeypatch, code, expected):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, code)
    with pytest.raises(ConfigError, match=re.escape(f'dataset: data.py cannot be imported: data.py:1: {expected}')):
        build('narrow.yml')


@pytest.mark.parametrize('workers, signature, line, expected', [
    (0, 'image(self, i)', 'return super().image(i) * (np.nan if i == 17 else 1)',
     'image 17: expected finite values, found NaN'),
    (2, 'image(self, i)', 'return super().image(i)[:, :7] if i == 17 else super().image(i)',
     r'image 17: expected float32 \(3, 8, 8\), found float32 \(3, 7, 8\)'),
    (2, 'label(self, i)', 'return -1 if i == 17 else 0', 'image 17: expected as label 0 to 9 .*, found -1; .*'),
    (0, 'image(self, i)', 'assert i != 17\n        return super().image(i)',
     r'data\.py:22: AssertionError \(image 17\)'),
    (2, 'image(self, i)', 'assert i != 17\n        return super().image(i)',
     r'data\.py:22: AssertionError \(image 17\)')])
def test_a_later_batch_ends_training_in_one_line(tmp_path, monkeypatch, capsys, workers, signature, line, expected):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, CHANGED.format(signature, line),
          {'iteration': 10, 'snapshot_interval': 1, 'evaluation_interval': 10, 'loader_workers': workers})
    assert run(train.main, '--config', 'narrow.yml', '--gpu', -1) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if not re.search('it/s|s/it|^ *$', line)]
    assert len(lines) == 1
    assert re.fullmatch(rf'train\.py: error: narrow\.yml: dataset: Mine: {expected}; training stopped at iteration '
                        r'\d+; (last good snapshot: .*|there is no snapshot yet)', lines[0]), lines


def test_images_without_a_negative_value(tmp_path, capsys):
    path = write(tmp_path, CHANGED.format('image(self, i)', 'return (super().image(i) + 1) / 2'))
    build(path)
    expected = (rf'warning: {path}: dataset: Mine: no value below 0 in a batch of 4 images, \S+ to \S+: expected -1 to '
                r'1; of values from 0 to 1: x \* 2 - 1\n')
    assert re.fullmatch(expected, capsys.readouterr().err)


CLASSES = '''
class Mine(Mine):
    def __init__(self, present: int = 1):
        self.labels = np.arange(40) % present

    def label(self, i):
        return self.labels[i]
'''


@pytest.mark.parametrize('changes, present, expected', [
    ({}, 4, None), ({}, 5, 'warning: {}: dataset: 5 of 10 classes have no image: 5, 6, 7, ...\n'), ({}, 10, ''),
    (UNCONDITIONAL, 1, '')])
def test_classes_without_an_image(tmp_path, capsys, changes, present, expected):
    """Are warned of; most of them are an error."""
    path = write(tmp_path, DATA + CLASSES, {**changes, 'dataset.args': {'present': present}})
    if expected is None:
        with pytest.raises(ConfigError, match=f'{path}: dataset: 6 of 10 classes have no image: 4, 5, 6, ...$'):
            build(path)
    else:
        build(path)
        assert capsys.readouterr().err == expected.format(path)


def test_a_label_out_of_range_wherever_it_is(tmp_path):
    """The first batch need not show it, where the data set's `labels` are those that the images come with."""
    changed = CLASSES.replace('% present', '% present\n        self.labels[17] = 10')
    path = write(tmp_path, DATA + changed, {'dataset.args': {'present': 10}})
    with pytest.raises(ConfigError, match='image 17: expected as label 0 to 9 .*, found 10; the data set has 0 to 10'):
        build(path)


UPDATER = """
from source import updater

class Mine(updater.Updater):
    def real_batch(self):
        x, y = self.inputs('real')
        return x / 128 - 1, y
"""


def test_an_updater_that_makes_its_own_images_is_left_alone(tmp_path):
    (tmp_path / 'up.py').write_text(UPDATER)
    path = write(tmp_path, CHANGED.format('image(self, i)', 'return super().image(i) * 128 + 128'),
                 {'updater.fn': 'up.py', 'updater.name': 'Mine'})
    build(path)[-1].update()


@pytest.mark.parametrize('labels', ['["a"] * 40', 'range(1, 41)', '[[1], [2, 3]]', 'None', 'np.zeros(3, int)'])
def test_what_only_is_called_labels(tmp_path, capsys, labels):
    build(write(tmp_path, DATA + f'    labels = {labels}\n    size = (8, 8)\n    n_classes = len\n'))
    assert capsys.readouterr().err == ''


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
    with pytest.raises(ConfigError, match=r'image \d+: expected float32 \(3, 8, 16\), found float32 \(3, 8, 8\)'):
        build(path)
    gen = load_class(str(tmp_path / 'gen.py'), 'Mine', 'a.yml', 'key')()
    with chainer.using_config('train', True):
        assert image_shape(gen, load_config(path), path) == (3, 8, 16)
    assert gen.l.W.array is None and not gen.b.avg_mean.any()
    (tmp_path / 'gen.py').write_text(GENERATOR.format('-1, 3, 8, 17'))
    with pytest.raises(ConfigError, match=rf'{path}: models.generator: Mine: {tmp_path}/gen.py:\d+: InvalidType: '):
        build(path)


SHARDS = DATA + '''
class Mine(Mine):
    """Reads shards of ten images into one buffer, and knows which is there."""

    def __init__(self):
        self.k, self.buffer = None, np.empty((10, 3, 8, 8), np.float32)

    def image(self, i):
        if self.k != i // 10:
            self.k = i // 10
            self.buffer[:] = [super(Mine, self).image(10 * self.k + j) for j in range(10)]
        return self.buffer[i % 10].copy()
'''
TWICE = CHANGED.format('__init__(self)', 'self.ims = [super(Mine, self).image(i) for i in range(20)]') + '''
    def image(self, i):
        return self.ims[i % 20]
'''
SHARED = CHANGED.format('image(self, i, buffer=np.empty((3, 8, 8), np.float32))',
                        'buffer[:] = super().image(i)\n        return buffer')


def look(folder, code):
    return build(write(folder, code, {'batchsize': 30}))[2]


def test_a_buffer_and_what_is_in_it_stay_together(tmp_path):
    mine, plain = look(tmp_path, SHARDS), look(tmp_path, DATA)
    assert all((mine[i][0] == plain[i][0]).all() for i in (0, 39, 5, 17))


def test_one_array_for_several_images(tmp_path):
    """Refused where it is filled again for each; an image that is there twice is none of these."""
    look(tmp_path, TWICE)
    with pytest.raises(ConfigError, match=r'image (\d+) and image (?!\1 )\d+ are the same array; expected a copy'):
        look(tmp_path, SHARED)
