import json
import math

from source.config.yaml_utils import load_config
from source.files.plain_yaml import write_yaml
from tests.narrow import NARROW, REMOVED, error_of, write_config

import pytest


def write_files(folder, **texts):
    for name, text in texts.items():
        path = folder / f'{name.replace("__", "/")}.yml'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_defaults(tmp_path):
    path = write_config(tmp_path)
    for _ in range(2):
        config = load_config(path)
        assert config == {
            **NARROW,
            'iteration_decay_start': 2, 'progressbar_interval': None, 'results_dir': 'results/narrow',
            'adam': {'alpha': 2e-4, 'beta1': 0., 'beta2': .9, 'alpha_dis': None},
            'updater': {'fn': 'updater.py', 'name': 'Updater', **NARROW['updater']},
            'evaluation': {'network': None, 'weights': None, 'n_images': 1000, 'splits': 10},
            'paper_row': None, 'versions': {}, 'size': None, 'accumulate': None, 'processes': None,
            'earlier_batches': {},
            'paper': {'processes': None, 'batchsize': None, 'n_gen_samples': None},
            'cpu_kernels': True, 'loader_workers': 0, 'precision': 'tf32', 'capture': True,
            'synchronized_batch_norm': False, 'tensorboard': False,
            'snapshots': {'keep_last': 3, 'keep_best': 1, 'keep_models': 0}}
        config['versions']['numpy'] = '0'  # the defaults are not shared


@pytest.mark.parametrize('key, text, value', [
    ('alpha', '2e-4', 2e-4), ('alpha', '2.e-4', 2e-4), ('alpha', '"0.0002"', 2e-4), ('alpha', '1', 1.),
    ('iteration', '2000.0', 2000), ('iteration', '2e3', 2000), ('iteration', '"2000"', 2000)])
def test_forms_of_numbers(tmp_path, key, text, value):
    config = load_config(write_config(tmp_path), [f'{"adam.alpha" if key == "alpha" else key}={text}'])
    found = {**config, **config['adam']}[key]
    assert found == value and type(found) is type(value)


def test_saved_config_reads_the_same(tmp_path):
    """Wherever it is saved: it extends nothing any more."""
    write_config(tmp_path)
    write_files(tmp_path, below__child='extends: ../narrow.yml\nseed: 3\n')
    config = load_config(tmp_path / 'below/child.yml', ['adam.alpha=1.2345678901234567e-4', 'results_dir="größe: #1"'])
    write_yaml(tmp_path / 'saved.yml', config)
    assert load_config(tmp_path / 'saved.yml') == config


def test_overrides_are_yaml_and_the_last_wins(tmp_path):
    """Also in sections that are absent or empty."""
    config = load_config(write_config(tmp_path, {'adam': None}), [
        'models.generator.args={ch: 8, n_classes: 3}', 'updater.args.conditional=no', 'seed=1', 'seed=2',
        'results_dir=a=b', 'evaluation.network=digits', 'adam.alpha=.5'])
    assert config['adam'] == {'alpha': .5, 'beta1': 0., 'beta2': .9, 'alpha_dis': None}
    assert config['models']['generator']['args'] == {'ch': 8, 'n_classes': 3}
    assert config['updater']['args'] == {**NARROW['updater']['args'], 'conditional': False}
    assert (config['seed'], config['results_dir'], config['evaluation']['network']) == (2, 'a=b', 'digits')


@pytest.mark.parametrize('override, expected', [
    ('batchsize', 'expected key=value'), ('=3', 'expected key=value'), ('seed.more=3', 'seed holds no keys'),
    ('seed=[1', 'not valid YAML'), ('seed=2000-13-45', 'not valid YAML')])
def test_bad_override(tmp_path, override, expected):
    message = error_of(load_config, write_config(tmp_path), [override])
    assert message.startswith(f'--set {override}: ') and expected in message


@pytest.mark.parametrize('key, value, expected', [
    ('batchsise', 1, "unknown key; did you mean 'batchsize'?"),
    ('models.generator.arg', 1, "unknown key; did you mean 'args'?"),
    ('adam.weight_decay_rate', 1, 'unknown key; known are alpha, alpha_dis, beta1, beta2'),
    ('batchsize', REMOVED, 'missing; expected int'), ('models', REMOVED, 'missing; expected str'),
    ('models.generator.fn', REMOVED, 'missing; expected str'),
    ('batchsize', 'many', "expected int, found 'many' (str)"), ('batchsize', 1.5, 'expected int, found 1.5 (float)'),
    ('batchsize', True, 'expected int, found True (bool)'), ('batchsize', [4], 'expected int, found [4] (list)'),
    ('batchsize', math.inf, 'expected int, found inf (float)'),
    ('iteration', '1e999', "expected int, found '1e999' (str)"),
    ('adam.alpha', math.nan, 'expected float, found nan'),
    ('adam.alpha', False, 'expected float, found False (bool)'), ('adam', 3, 'expected keys and values, found 3 (int)'),
    ('models.generator.args', [1], 'expected dict, found [1] (list)'),
    ('models.generator.fn', 3, 'expected str, found 3 (int)'), ('capture', 1, 'expected bool, found 1 (int)'),
    ('accumulate', 2.5, 'expected int, found 2.5 (float)'), ('paper', 4, 'expected keys and values, found 4 (int)'),
    ('paper.processes', 'four', "expected int, found 'four' (str)"), ('paper.parts', 4, 'unknown key; '),
    ('precision', 'fp16', "expected one of float32, tf32, bfloat16, found 'fp16'"),
    *((key, 0, 'expected at least 1, found 0') for key in (
        'batchsize', 'iteration', 'display_interval', 'progressbar_interval', 'snapshot_interval',
        'evaluation_interval', 'evaluation.splits', 'accumulate', 'paper.processes', 'paper.batchsize',
        'paper.n_gen_samples')),
    *(('seed', seed, f'expected 0 to 4294967295, found {seed}') for seed in (-1, 2 ** 32)),
    ('iteration_decay_start', -1, 'expected at least 0, found -1'), ('adam.beta1', 2., 'expected 0 to 1, found 2.0'),
    ('iteration_decay_start', 3, 'expected 0 to iteration (2), found 3'),
    ('adam.alpha', -1e-4, 'expected at least 0, found -0.0001'), ('adam.beta2', -.1, 'expected 0 to 1, found -0.1'),
    ('evaluation.n_images', 1, 'expected at least 2, found 1'),
    ('evaluation.splits', 1001, 'expected at most evaluation.n_images (1000), found 1001')])
def test_refused(tmp_path, key, value, expected):
    path = write_config(tmp_path, {key: value})
    message = error_of(load_config, path)
    assert message.startswith(f'{path}: {key}') and f': {expected}' in message


def test_bounds_themselves_are_in_range(tmp_path):
    bounds = {'batchsize': 1, 'iteration': 1, 'display_interval': 1, 'progressbar_interval': 1, 'seed': 2 ** 32 - 1,
              'iteration_decay_start': 1, 'adam.alpha': 0., 'evaluation.n_images': 2, 'evaluation.splits': 2}
    config = load_config(write_config(tmp_path, bounds))
    assert config['iteration_decay_start'] == config['iteration'] == 1


@pytest.mark.parametrize('overrides, expected', [
    (['iteration=50'], 25), (['iteration=7'], 3), (['iteration=60'], 60), (['iteration=1000'], 60),
    (['iteration=50', 'iteration_decay_start=9'], 9)])
def test_decay_stays_within_fewer_iterations(tmp_path, capsys, overrides, expected):
    """In proportion where it would not fit, and it is said; where it fits it stays."""
    path = write_config(tmp_path, {'iteration': 120, 'iteration_decay_start': 60})
    config = load_config(path, overrides)
    assert config['iteration_decay_start'] == expected
    said = capsys.readouterr().err
    assert said == ('' if expected in (60, 9) else f'{path}: iteration_decay_start: 60 of 120 iterations was meant; of '
                    f'{config["iteration"]} it is {expected}\n')
    write_files(tmp_path, child=f'extends: narrow.yml\n{chr(10).join(o.replace("=", ": ") for o in overrides)}\n')
    assert load_config(tmp_path / 'child.yml')['iteration_decay_start'] == expected


@pytest.mark.parametrize('changes, is_said', [
    ({'alpha': .1}, True), ({'alpha': .1, 'alpha_dis': .3}, False), ({'alpha': .1, 'alpha_dis': None}, False),
    ({'beta1': .1}, False)])
def test_whose_alpha_was_changed_is_said(tmp_path, capsys, changes, is_said):
    """Where the discriminator has another, which stays."""
    base = write_config(tmp_path, {'adam': {'alpha': .4, 'alpha_dis': .2}})
    write_files(tmp_path, child=f'extends: narrow.yml\nadam: {json.dumps(changes)}\n')
    changed = [f'adam.{key}={json.dumps(value)}' for key, value in changes.items()]
    for path, overrides in ((base, changed), (tmp_path / 'child.yml', [])):
        assert load_config(path, overrides)['adam']['alpha_dis'] == changes.get('alpha_dis', .2)
        assert capsys.readouterr().err == is_said * (
            f'{path}: adam.alpha: 0.1 is for the generator alone; the discriminator keeps adam.alpha_dis, 0.2\n')


def test_iterations_that_are_refused_say_nothing_of_a_decay(tmp_path, capsys):
    path = write_config(tmp_path, {'iteration': 120, 'iteration_decay_start': 60})
    assert error_of(load_config, path, ['iteration=0']) == f'{path}: iteration: expected at least 1, found 0'
    assert capsys.readouterr().err == ''


def test_a_decay_that_is_set_to_begin_after_the_end_is_refused(tmp_path):
    path = write_config(tmp_path, {'iteration': 120, 'iteration_decay_start': 60})
    for overrides in (['iteration=50', 'iteration_decay_start=60'], ['iteration_decay_start=60', 'iteration=50'],
                      ['iteration_decay_start=121']):
        assert 'iteration_decay_start: expected 0 to iteration' in error_of(load_config, path, overrides)


def test_extends_merges_sections_key_by_key(tmp_path):
    """Later files win, and the own keys over all; one file may be reached twice."""
    write_config(tmp_path, {'seed': 1, 'batchsize': 1, 'iteration': 1, 'adam': {'alpha': .1, 'beta1': .1}})
    write_files(tmp_path, second='extends: narrow.yml\nseed: 2\nbatchsize: 2\nadam: {beta1: .2}\n',
                child='seed: 3\nextends: [narrow.yml, second.yml]\nmodels: {generator: {args: {ch: 8}}}\n')
    base, child = load_config(tmp_path / 'narrow.yml'), load_config(tmp_path / 'child.yml', ['iteration=7'])
    assert [child[k] for k in ('seed', 'batchsize', 'iteration')] == [3, 2, 7]
    assert child['adam'] == {'alpha': .1, 'beta1': .2, 'beta2': .9, 'alpha_dis': None}
    assert child['models']['generator']['args'] == {**base['models']['generator']['args'], 'ch': 8}
    assert child['models']['discriminator'] == base['models']['discriminator']
    assert base['adam']['beta1'] == .1 and 'extends' not in child


def test_relative_to_the_file_that_says_it(tmp_path, monkeypatch):
    write_config(tmp_path)
    write_files(tmp_path, a__middle='extends: ../narrow.yml\nseed: 8\n', a__b__child='extends: ../middle.yml\n')
    monkeypatch.chdir(tmp_path / 'a')
    assert load_config('b/child.yml')['seed'] == load_config(tmp_path / 'a/b/child.yml')['seed'] == 8


def test_a_section_can_be_emptied(tmp_path):
    """And a single key of one: another class may not know it."""
    write_config(tmp_path, {'updater.args.penalties': {'gradient': {}}, 'adam': {'alpha': .1}})
    write_files(tmp_path, child='extends: narrow.yml\nadam:\n'
                                'updater: {args: {penalties: null, more: {a: 1, b: null}}}\n')
    config = load_config(tmp_path / 'child.yml')
    assert config['adam']['alpha'] == 2e-4
    assert config['updater']['args'] == {**NARROW['updater']['args'], 'more': {'a': 1}}


def test_what_says_something_of_one_run_is_not_inherited(tmp_path):
    """A config that extends another, or the one in a results folder, is a run of its own beside it."""
    write_config(tmp_path, {'paper_row': 'sn', 'results_dir': 'results/first', 'versions': {'chainer': '7.8.1'}})
    write_files(tmp_path, child='extends: narrow.yml\n', own='extends: [child.yml]\npaper_row: a\nresults_dir: mine\n',
                last='extends: own.yml\n')
    found = [load_config(tmp_path / f'{name}.yml') for name in ('narrow', 'child', 'own', 'last')]
    assert [config['paper_row'] for config in found] == ['sn', None, 'a', None]
    assert [config['results_dir'] for config in found] == ['results/first', 'results/child', 'mine', 'results/last']
    assert [config['versions'] for config in found] == [{'chainer': '7.8.1'}, {}, {}, {}]


@pytest.mark.parametrize('text, expected', [
    ('seed: 4\nadam: [1\n', ', line 3: not valid YAML'), ('models:\n\tgenerator: 1\n', ', line 2: not valid YAML'),
    ('a: \0\n', ': not valid YAML'), ('seed: 2000-13-45\n', ': not valid YAML'),
    ('', ': expected keys and values, found nothing'), ('- 1\n', ': expected keys and values, found [1] (list)'),
    ('batchsize', ": expected keys and values, found 'batchsize' (str)"),
    ('größe: 1\n', ': cannot be read as a config file'),  # it is in Latin-1
    ('extends: narrow.yml\nadam: {3: 1}', ': adam.3: unknown key'),
    ('extends: narrow.yml\nadam: {"a\\nb": 1}', r": adam.'a\nb': unknown key"),
    ('extends: none.yml', ': extends: no such file: none.yml'),
    ('extends: 3', ': extends: expected a file or a list of files, found 3 (int)'),
    ('extends: [narrow.yml, {}]', ': extends: expected a file or a list of files, found ['),
    ('extends: .', ': extends: no such file: .'),
    ('extends: child.yml', ': extends: child.yml extends itself, by way of'),
    ('extends: other.yml', '/other.yml: extends: child.yml extends itself, by way of'),
    ('extends: broken.yml', '/broken.yml, line 2: not valid YAML'),
    ('extends: narrow.yml\nadam: {alfa: 1}', ": adam.alfa: unknown key; did you mean 'alpha'?"),
    ('extend: narrow.yml\n', ": extend: unknown key; did you mean 'extends'?"),
    ('seed: 3\nextends: narrow.yml\nseed: 4\n', ', line 3: not valid YAML: seed: given twice'),
    ('extends: narrow.yml\nadam: {alpha: 1, alpha: 2}', ', line 2: not valid YAML: alpha: given twice'),
    ('a: ' + 30 * '[' + 30 * ']', ': a: unknown key'), ('a: ' + 31 * '[' + 31 * ']', ': more than 100000 values, or'),
    ('extends: &a [1,2,3,4,5,6,7,8,9,0]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n'
     'd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]',
     ': more than 100000 values, or 30 within one another'),
    ('extends: narrow.yml\nresults_dir: " "', ": results_dir: expected the name of a folder, found ' '")])
def test_bad_files(tmp_path, text, expected):
    write_config(tmp_path)
    write_files(tmp_path, other='extends: [narrow.yml, child.yml]', broken='seed: [1\n')
    (tmp_path / 'child.yml').write_bytes(text.encode('latin-1'))
    message = error_of(load_config, tmp_path / 'child.yml').replace(f'{tmp_path}/child.yml', '')
    assert message.removeprefix(str(tmp_path)).startswith(expected)


@pytest.mark.parametrize('path, results_dir', [
    ('a.yml', 'results/a'), ('configs/a.yml', 'results/a'), ('configs/b/a.yml', 'results/b/a'),
    ('b/a.yml', 'results/a'), ('configs/b/configs/c/a.yml', 'results/c/a')])
def test_results_are_named_after_the_file(tmp_path, path, results_dir):
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(write_config(tmp_path).read_bytes())
    assert load_config(tmp_path / path)['results_dir'] == results_dir


def test_yamls_own_merging(tmp_path):
    write_config(tmp_path)
    write_files(tmp_path, child='extends: narrow.yml\n<<: {seed: 7}\nadam: {<<: {alpha: 1}, alpha: 2}\nupdater: {args: '
                                '{a: &a {<<: &b {x: 1}, x: 2}, b: {<<: *a, x: 3, 1: 1, "1": 2}}}\n')
    merged = load_config(tmp_path / 'child.yml')
    assert (merged['seed'], merged['adam']['alpha']) == (7, 2)
    assert merged['updater']['args']['b'] == {'x': 3, 1: 1, '1': 2}
