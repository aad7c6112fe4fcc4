import math

from source.yaml_utils import ConfigError, load_config, save_config
from tests.narrow import NARROW, REMOVED, write_config

import pytest


def error_of(path, overrides=()):
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    message = str(caught.value)
    assert '\n' not in message
    return message


# What a config becomes

def test_defaults(tmp_path):
    config = load_config(write_config(tmp_path))
    assert config == {
        **NARROW,
        'iteration_decay_start': 2,
        'progressbar_interval': None,
        'results_dir': 'results/narrow',
        'adam': {'alpha': 2e-4, 'beta1': 0., 'beta2': .9},
        'updater': {'fn': 'updater.py', 'name': 'Updater', **NARROW['updater']},
        'evaluation': {'network': None, 'weights': None, 'n_images': 1000, 'splits': 10},
        'paper_row': None,
        'versions': {},
        'cpu_kernels': True, 'loader_workers': 0,
        'precision': 'tf32',
        'capture': True,
        'synchronized_batch_norm': False,
        'snapshots': {'keep_last': 3, 'keep_best': 1, 'keep_models': 0},
        'tensorboard': False,
    }


def test_every_authors_key_is_read(tmp_path):
    given = {'batchsize': 3, 'iteration': 90, 'iteration_decay_start': 30, 'seed': 4, 'display_interval': 5,
             'progressbar_interval': 6, 'snapshot_interval': 7, 'evaluation_interval': 8, 'results_dir': 'here',
             'adam': {'alpha': .1, 'beta1': .2, 'beta2': .3},
             'updater': {'fn': 'my.py', 'name': 'Mine', 'args': {'n_dis': 9}}}
    config = load_config(write_config(tmp_path, given))
    assert {key: config[key] for key in given} == given


def test_defaults_are_not_shared(tmp_path):
    path = write_config(tmp_path)
    load_config(path)['versions']['numpy'] = '0'
    assert load_config(path)['versions'] == {}


@pytest.mark.parametrize('text, value', [
    ('2e-4', 2e-4), ('2E-4', 2e-4), ('2.e-4', 2e-4), ('"0.0002"', 2e-4), ('1', 1.), ('.5', .5)])
def test_float_forms(tmp_path, text, value):
    alpha = load_config(write_config(tmp_path), [f'adam.alpha={text}'])['adam']['alpha']
    assert alpha == value
    assert type(alpha) is float


@pytest.mark.parametrize('text', ['2000', '2000.0', '2e3', '"2000"'])
def test_int_forms(tmp_path, text):
    iteration = load_config(write_config(tmp_path), [f'iteration={text}'])['iteration']
    assert iteration == 2000
    assert type(iteration) is int


def test_large_seed_keeps_every_digit(tmp_path):
    assert load_config(write_config(tmp_path), ['seed=4294967295'])['seed'] == 4294967295


def test_section_left_empty_has_defaults(tmp_path):
    config = load_config(write_config(tmp_path, {'adam': None, 'evaluation': {'network': None}}))
    assert config['adam']['alpha'] == 2e-4
    assert config['evaluation']['splits'] == 10


def test_saved_config_reads_the_same(tmp_path):
    config = load_config(write_config(tmp_path), ['adam.alpha=1.2345678901234567e-4', 'results_dir="größe: #1"'])
    save_config(tmp_path / 'saved.yml', config)
    assert load_config(tmp_path / 'saved.yml') == config


# Overrides

def test_overrides_are_yaml_and_the_last_wins(tmp_path):
    config = load_config(write_config(tmp_path), [
        'models.generator.args={ch: 8, n_classes: 3}', 'updater.args.conditional=no', 'seed=1', 'seed=2',
        'results_dir=a=b', 'evaluation.network=digits'])
    assert config['models']['generator']['args'] == {'ch': 8, 'n_classes': 3}
    assert config['updater']['args'] == {**NARROW['updater']['args'], 'conditional': False}
    assert config['seed'] == 2
    assert config['results_dir'] == 'a=b'
    assert config['evaluation']['network'] == 'digits'


def test_override_inside_a_section_left_empty(tmp_path):
    path = write_config(tmp_path, {'adam': None})
    assert load_config(path, ['adam.alpha=0.5'])['adam'] == {'alpha': .5, 'beta1': 0., 'beta2': .9}


@pytest.mark.parametrize('override, expected', [
    ('batchsize', 'expected key=value'), ('=3', 'expected key=value'), ('seed.more=3', 'seed holds no keys'),
    ('seed=[1', 'not valid YAML'), ('seed=2000-13-45', 'not valid YAML')])
def test_bad_override(tmp_path, override, expected):
    message = error_of(write_config(tmp_path), [override])
    assert f'--set {override}' in message
    assert expected in message


# Bad files

@pytest.mark.parametrize('text, expected', [
    (b'batchsize: 4\nseed: [1\n', ', line 3: not valid YAML'),
    (b'models:\n\tgenerator: 1\n', ', line 2: not valid YAML'),
    (b'a: \0\n', 'not valid YAML'), (b'seed: 2000-13-45\n', 'not valid YAML'),
    (b'', 'expected keys and values, found nothing'), (b'- 1\n', 'expected keys and values, found [1] (list)'),
    (b'batchsize', "expected keys and values, found 'batchsize' (str)"),
    ('größe: 1\n'.encode('latin-1'), 'cannot be read as a config file')])
def test_files_that_are_no_config(tmp_path, text, expected):
    path = tmp_path / 'broken.yml'
    path.write_bytes(text)
    message = error_of(path)
    assert message.startswith(str(path))
    assert expected in message


def test_missing_file_and_folder(tmp_path):
    assert error_of(tmp_path / 'none.yml').startswith(f'{tmp_path}/none.yml: cannot be read as a config file: No such')
    assert error_of(tmp_path).startswith(f'{tmp_path}: cannot be read as a config file')


@pytest.mark.parametrize('key, suggested', [
    ('batchsise', 'batchsize'), ('iterations', 'iteration'), ('Seed', 'seed'), ('models.generater', 'generator'),
    ('models.generator.arg', 'args'), ('dataset.dataset_fnn', 'dataset_fn'), ('adam.alfa', 'alpha'),
    ('updater.nam', 'name'), ('evaluation.n_image', 'n_images')])
def test_misspelt_key_suggests_the_nearest(tmp_path, key, suggested):
    path = write_config(tmp_path, {key: 1})
    assert error_of(path) == f'{path}: {key}: unknown key; did you mean {suggested!r}?'


@pytest.mark.parametrize('key, known', [
    ('xyz', 'adam, batchsize'), ('adam.weight_decay_rate', 'alpha, beta1, beta2')])
def test_unknown_key_lists_the_known(tmp_path, key, known):
    path = write_config(tmp_path, {key: 1})
    message = error_of(path)
    assert message.startswith(f'{path}: {key}: unknown key')
    assert known in message


def test_key_that_is_no_string(tmp_path):
    assert ': adam.3: unknown key' in error_of(write_config(tmp_path, {'adam': {3: 1}}))
    assert r": adam.'a\nb': unknown key" in error_of(write_config(tmp_path, {'adam': {'a\nb': 1}}))


@pytest.mark.parametrize('key', [
    'batchsize', 'iteration', 'models', 'models.generator', 'models.generator.fn', 'models.discriminator.name',
    'dataset', 'dataset.dataset_fn', 'dataset.dataset_name'])
def test_missing_key(tmp_path, key):
    path = write_config(tmp_path, {key: REMOVED})
    message = error_of(path)
    assert message.startswith(f'{path}: {key}')
    assert 'missing; expected' in message


@pytest.mark.parametrize('key, value, expected', [
    ('batchsize', 'many', "expected int, found 'many' (str)"), ('batchsize', 1.5, 'expected int, found 1.5 (float)'),
    ('batchsize', True, 'expected int, found True (bool)'), ('batchsize', [4], 'expected int, found [4] (list)'),
    ('batchsize', math.inf, 'expected int, found inf (float)'), ('iteration', '1e999', "found '1e999' (str)"),
    ('adam.alpha', 'abc', "expected float, found 'abc' (str)"), ('adam.alpha', math.nan, 'expected float, found nan'),
    ('adam.alpha', False, 'expected float, found False (bool)'), ('adam', 3, 'expected keys and values, found 3 (int)'),
    ('models.generator.args', [1], 'expected dict, found [1] (list)'),
    ('models.generator.fn', 3, 'expected str, found 3 (int)'), ('results_dir', 3, 'expected str, found 3 (int)'),
    ('evaluation.network', 3, 'expected str, found 3 (int)')])
def test_wrong_type(tmp_path, key, value, expected):
    path = write_config(tmp_path, {key: value})
    message = error_of(path)
    assert message.startswith(f'{path}: {key}: ')
    assert expected in message


@pytest.mark.parametrize('key, value, expected', [
    ('batchsize', 0, 'at least 1'), ('batchsize', -4, 'at least 1'), ('iteration', 0, 'at least 1'),
    ('display_interval', 0, 'at least 1'), ('progressbar_interval', 0, 'at least 1'),
    ('snapshot_interval', -1, 'at least 1'), ('evaluation_interval', 0, 'at least 1'), ('seed', -1, '0 to 4294967295'),
    ('seed', 2 ** 32, '0 to 4294967295'), ('iteration_decay_start', -1, 'at least 0'),
    ('iteration_decay_start', 3, '0 to iteration (2)'), ('adam.alpha', -1e-4, 'at least 0'),
    ('adam.beta1', 2., '0 to 1'), ('adam.beta2', -.1, '0 to 1'), ('evaluation.n_images', 1, 'at least 2'),
    ('evaluation.splits', 0, 'at least 1'),
    ('evaluation.splits', 1001, 'at most evaluation.n_images (1000)')])
def test_out_of_range(tmp_path, key, value, expected):
    path = write_config(tmp_path, {key: value})
    message = error_of(path)
    assert message.startswith(f'{path}: {key}: expected {expected}')
    assert message.endswith(f'found {value}')


@pytest.mark.parametrize('key, value, expected', [
    ('precision', 'fp16', "expected one of float32, tf32, bfloat16, found 'fp16'"),
    ('precision', 16, 'expected str, found 16 (int)'), ('capture', 'maybe', "expected bool, found 'maybe' (str)"),
    ('capture', 1, 'expected bool, found 1 (int)')])
def test_settings_of_a_gpu(tmp_path, key, value, expected):
    path = write_config(tmp_path, {key: value})
    assert error_of(path) == f'{path}: {key}: {expected}'


def test_bounds_themselves_are_in_range(tmp_path):
    bounds = {'batchsize': 1, 'iteration': 1, 'display_interval': 1, 'progressbar_interval': 1, 'seed': 2 ** 32 - 1,
              'iteration_decay_start': 1, 'adam.alpha': 0., 'evaluation.n_images': 2, 'evaluation.splits': 2}
    config = load_config(write_config(tmp_path, bounds))
    assert config['iteration_decay_start'] == config['iteration'] == 1


# Files that extend others

def write_files(folder, **texts):
    for name, text in texts.items():
        path = folder / name.replace('__', '/')
        path = path.with_suffix('.yml')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_extends_merges_sections_key_by_key(tmp_path):
    write_config(tmp_path, {'adam': {'alpha': .1, 'beta1': .2}, 'seed': 1})
    write_files(tmp_path, child='extends: narrow.yml\nadam: {beta1: .3}\nmodels: {generator: {args: {ch: 8}}}\n')
    base, child = load_config(tmp_path / 'narrow.yml'), load_config(tmp_path / 'child.yml')
    assert child['adam'] == {'alpha': .1, 'beta1': .3, 'beta2': .9}
    assert child['models']['generator']['args'] == {**base['models']['generator']['args'], 'ch': 8}
    assert child['models']['discriminator'] == base['models']['discriminator']
    assert child['seed'] == 1
    assert base['adam']['beta1'] == .2
    assert 'extends' not in child


def test_later_files_win_and_the_own_keys_over_all(tmp_path):
    write_config(tmp_path, {'seed': 1, 'batchsize': 1, 'iteration': 1, 'adam': {'alpha': .1, 'beta1': .1}})
    write_files(tmp_path, second='seed: 2\nbatchsize: 2\nadam: {beta1: .2}\n',
                child='seed: 3\nextends: [narrow.yml, second.yml]\n')
    config = load_config(tmp_path / 'child.yml', ['iteration=7'])
    assert [config[k] for k in ('seed', 'batchsize', 'iteration')] == [3, 2, 7]
    assert config['adam'] == {'alpha': .1, 'beta1': .2, 'beta2': .9}


def test_relative_to_the_file_that_says_it(tmp_path, monkeypatch):
    write_config(tmp_path)
    write_files(tmp_path, a__middle='extends: ../narrow.yml\nseed: 8\n', a__b__child='extends: ../middle.yml\n')
    monkeypatch.chdir(tmp_path / 'a')
    assert load_config('b/child.yml')['seed'] == load_config(tmp_path / 'a/b/child.yml')['seed'] == 8


def test_one_file_may_be_reached_twice(tmp_path):
    write_config(tmp_path)
    write_files(tmp_path, left='extends: narrow.yml\nseed: 1\n', right='extends: narrow.yml\nbatchsize: 9\n',
                child='extends: [left.yml, right.yml]\n')
    config = load_config(tmp_path / 'child.yml')
    assert (config['seed'], config['batchsize']) == (NARROW['seed'], 9)


def test_a_section_can_be_emptied(tmp_path):
    """And a single key of one: another class may not know it."""
    write_config(tmp_path, {'updater.args.penalties': {'gradient': {}}, 'adam': {'alpha': .1}})
    write_files(tmp_path, child='extends: narrow.yml\nadam:\n'
                                'updater: {args: {penalties: null, more: {a: 1, b: null}}}\n')
    config = load_config(tmp_path / 'child.yml')
    assert config['adam']['alpha'] == 2e-4
    assert config['updater']['args'] == {**NARROW['updater']['args'], 'more': {'a': 1}}


def test_the_papers_row_is_not_inherited(tmp_path):
    """A row is of one experiment; what extends it is another."""
    write_config(tmp_path, {'paper_row': 'cifar10_cnn_sn'})
    write_files(tmp_path, child='extends: narrow.yml\n', grandchild='extends: [child.yml]\npaper_row: other\n',
                last='extends: grandchild.yml\n')
    rows = [load_config(tmp_path / f'{name}.yml')['paper_row'] for name in ('narrow', 'child', 'grandchild', 'last')]
    assert rows == ['cifar10_cnn_sn', None, 'other', None]


def test_results_dir_and_versions_are_not_inherited(tmp_path):
    """A config that extends another, or the one in a results folder, is a run of its own beside it."""
    write_config(tmp_path, {'results_dir': 'results/first', 'versions': {'chainer': '7.8.1'}})
    write_files(tmp_path, child='extends: narrow.yml\n', own='extends: [child.yml]\nresults_dir: mine\n')
    assert [load_config(tmp_path / f'{name}.yml')['results_dir'] for name in ('narrow', 'child', 'own')] == [
        'results/first', 'results/child', 'mine']
    assert load_config(tmp_path / 'child.yml')['versions'] == {}


def test_saved_config_is_resolved(tmp_path):
    write_config(tmp_path)
    write_files(tmp_path, child='extends: narrow.yml\nseed: 3\n')
    config = load_config(tmp_path / 'child.yml')
    (tmp_path / 'elsewhere').mkdir()
    save_config(tmp_path / 'elsewhere/config.yml', config)
    assert 'extends' not in (tmp_path / 'elsewhere/config.yml').read_text()
    assert load_config(tmp_path / 'elsewhere/config.yml') == config


@pytest.mark.parametrize('text, expected', [
    ('extends: none.yml', 'child.yml: extends: no such file: none.yml'),
    ('extends: 3', 'child.yml: extends: expected a file or a list of files, found 3 (int)'),
    ('extends: [narrow.yml, {}]', 'child.yml: extends: expected a file or a list of files, found ['),
    ('extends: .', 'child.yml: extends: no such file: .'),
    ('extends: child.yml', 'child.yml: extends: child.yml extends itself, by way of'),
    ('extends: other.yml', 'other.yml: extends: child.yml extends itself, by way of'),
    ('extends: broken.yml', 'broken.yml, line 2: not valid YAML'),
    ('extends: narrow.yml\nadam: {alfa: 1}', "child.yml: adam.alfa: unknown key; did you mean 'alpha'?")])
def test_bad_extends(tmp_path, text, expected):
    write_config(tmp_path)
    write_files(tmp_path, child=text, other='extends: [narrow.yml, child.yml]', broken='seed: [1\n')
    assert expected in error_of(tmp_path / 'child.yml')


@pytest.mark.parametrize('path, results_dir', [
    ('a.yml', 'results/a'), ('configs/a.yml', 'results/a'), ('configs/b/a.yml', 'results/b/a'),
    ('b/a.yml', 'results/a'), ('configs/b/configs/c/a.yml', 'results/c/a')])
def test_results_are_named_after_the_file(tmp_path, path, results_dir):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(write_config(tmp_path).read_bytes())
    assert load_config(tmp_path / path)['results_dir'] == results_dir


@pytest.mark.parametrize('text, expected', [
    ('seed: 3\nextends: narrow.yml\nseed: 4\n', 'child.yml, line 3: not valid YAML: seed: given twice'),
    ('extends: narrow.yml\nadam: {alpha: 1, alpha: 2}\n', 'child.yml, line 2: not valid YAML: alpha: given twice'),
    ('extend: narrow.yml\n', "child.yml: extend: unknown key; did you mean 'extends'?"),
    ('extends: narrow.yml\nresults_dir: " "\n', "child.yml: results_dir: expected the name of a folder, found ' '")])
def test_keys_that_say_two_things_or_nothing(tmp_path, text, expected):
    write_config(tmp_path)
    write_files(tmp_path, child=text)
    assert error_of(tmp_path / 'child.yml').endswith(expected)
    write_files(tmp_path, child='extends: narrow.yml\n<<: {seed: 7}\nadam: {<<: {alpha: 1}, alpha: 2}\n')
    merged = load_config(tmp_path / 'child.yml')
    assert (merged['seed'], merged['adam']['alpha']) == (7, 2)
    write_files(tmp_path, child='extends: narrow.yml\nupdater: {args: {a: &a {<<: &b {x: 1}, x: 2}, b: {<<: *a, x: 3, '
                                '1: 1, "1": 2}}}\n')
    assert load_config(tmp_path / 'child.yml')['updater']['args']['b'] == {'x': 3, 1: 1, '1': 2}
