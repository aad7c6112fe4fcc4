"""Tables and captions say of how many cells they are made, and none is made of cells that do not go together."""
import contextlib
import re
from pathlib import Path

import experiments
from source.experiments.budget import load_budget
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.cell import Cell
from source.experiments.coverage import check_one_budget
from source.experiments.records import Results, identity
from tests.experiments.figures.drawn import caption, page_of
from tests.experiments.made_records import change, make_real, make_records
from tests.narrow import run

import pytest

ROOT = Path(__file__).resolve().parents[2]
SN, WN = Variant('cnn', 'spectral', 'A'), Variant('cnn', 'weight', 'A')


@pytest.fixture
def results(tmp_path):
    """Records of Figure 15, three variants under two seeds."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_15'])
    return results


def remove(results, *names):
    for name in names:
        results.record_of(name).unlink()


def command(capsys, results, *arguments):
    """(status, stdout, stderr)"""
    status = run(experiments.main, *arguments, '--results_dir', results.root)
    return status, *capsys.readouterr()


def test_caption_of_a_part(results):
    """It makes the page higher. Where a seed was not run at all, none is missing beside another."""
    whole = page_of(results, 'figure_15')
    remove(results, 'cnn-wgan_gp-A-seed1', 'cnn-wgan_gp-A-weight-use_gamma-seed1')
    assert caption(results, 'figure_15').endswith(' Made of 4 of 6 cells.')
    remove(results, 'cnn-wgan_gp-A-spectral-use_gamma-seed1')
    text = caption(results, 'figure_15')
    assert ', seed 0.' in text and ' of 3 cells' not in text
    before = whole.figure.get_size_inches()
    assert ' cells' not in whole.figure.get_supxlabel()
    whole.add_to_caption('word ' * 50)
    width, height = whole.figure.get_size_inches()
    lines = whole.figure.get_supxlabel().count('\n')
    assert width == before[0] == 10.5 and height == pytest.approx(4. + .16 * lines) and height > before[1] + .15


# Tables

def rows_of(out):
    return {re.split('  +', line)[0]: re.split('  +', line) for line in out.splitlines()}


def test_table_2_of_a_part(tmp_path, capsys):
    """A method of which settings, and one of which a seed, are missing; the title counts those never run too."""
    out = command(capsys, Results(ROOT / 'results' / 'digits_table2'), 'table')[1]
    assert out.startswith('Table 2: each method in the setting of its highest IS\n')
    assert 'made of' not in out and ' cells' not in out
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_6'])
    remove(results, *(f'cnn-spectral-{setting}-seed{seed}' for setting in 'ABEF' for seed in (0, 1)),
           'cnn-weight-C-seed1')
    out = command(capsys, results, 'table')[1]
    rows = rows_of(out)
    assert out.startswith('Table 2: each method in the setting of its highest IS (27 of 108 cells)\n')
    assert '11 of 12 cells' in rows['Weight Norm.']
    assert not any('cells' in text for name in ('WGAN-GP', 'Orthonormal') for text in rows[name])
    assert rows['SN-GANs'][re.split('  +', out.splitlines()[1]).index('made of')] == '4 of 12 cells'
    assert 'Table 7' not in out


def test_rows_of_one_cell_and_fewer_seeds(results, capsys):
    make_records(results, ['table2_further', 'table8'])
    remove(results, 'cnn-spectral-C-hinge-seed1', 'resnet_ac_wgan_gp-wgan_gp-seed0',
           'resnet_ac_wgan_gp-wgan_gp-spectral-use_gamma-seed0', 'resnet_ac_wgan_gp-wgan_gp-spectral-use_gamma-seed1')
    out = command(capsys, results, 'table')[1]
    assert 'Table 8 (3 of 6 cells)' in out
    assert sum('1 of 2 cells' in line for line in out.splitlines()) == 2
    rows = rows_of(out)
    assert '1 of 2 cells' in rows['AC-WGAN-GP'] and '1 of 2 cells' not in rows['SN-GANs (2x updates)']
    assert 'not run' in rows['w/ Spectral norm.'] and '0 of' not in ' '.join(rows['w/ Spectral norm.'])


def test_table_beside_cells_that_are_in_none(tmp_path, capsys):
    """The footnote is not of Figure 10's cells, which have fewer updates, or another seed."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_10'], seeds=(5,))
    status, out, err = command(capsys, results, 'table')
    assert (status, out) == (2, '') and 'no cells of a table; `python experiments.py run table2`' in err
    make_records(results, ['figure_9'])
    out = command(capsys, results, 'table')[1]
    assert '700 generator updates' in out and 'seeds 0, 1; ' in out


def test_list(tmp_path, capsys):
    """Seeds that were run besides the data set's own count too; cells on other data do not."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_9'], seeds=(0, 4))
    make_records(results, ['figure_5'], seeds=(0,))
    out = command(capsys, results, 'list')[1]
    assert 'figure_9        2 of 3 cells ' in out and 'figure_5        2 of 4 cells ' in out
    assert 'figure_1        2 of 162 cells ' in out and 'figure_10       0 of 8 cells ' in out
    out = command(capsys, results, 'list', '--dataset', 'stl10')[1]
    assert 'figure_9        0 of 1 cells ' in out and not re.search(' [1-9][0-9]* of ', out)
    assert 'table8          no resnet_ac_wgan_gp for stl10 ' in out


# One budget

TWICE, LIMITED = Variant('cnn', 'spectral', 'B', (('updates', 2.),)), EXPERIMENTS['figure_11'].variants[0]


@pytest.mark.parametrize('given, said', [
    ([(SN, {}), (TWICE, {})], None), ([(LIMITED, {}), (SN, {})], None), ([(LIMITED, {}), (LIMITED, {})], None),
    ([(LIMITED, {'iteration': 20000}), (SN, {'iteration': 20000})], None),
    ([(SN, {}), (WN, {'iteration': 800})], 'cnn-spectral-A-seed0.json: .*: iteration: expected 800, found 700'),
    ([(SN, {}), (TWICE, {'iteration': 300})], 'updates_2-seed1.json: .*: iteration: expected 1400, found 600'),
    ([(SN, {'iteration': 20000}), (LIMITED, {})], 'at_most_10000-seed1.*: iteration: expected 10000, found 700'),
    ([(SN, {}), (WN, {'n_images': 500})], 'is of another budget than the rest of this: n_images: expected 1000')])
def test_only_options_may_change_the_iterations(given, said, tmp_path):
    cells = [Cell(variant, seed, load_budget('digits', **changes)[0]) for seed, (variant, changes) in enumerate(given)]
    with contextlib.nullcontext() if said is None else pytest.raises(ValueError, match=said):
        check_one_budget({(cell.variant, cell.seed): identity(cell) for cell in cells}, Results(tmp_path), 'this')


@pytest.mark.parametrize('changes, said', [
    ({'budget': {'batchsize': 16}}, 'batchsize: expected 32, found 16'),
    ({'network_sha256': 'cd'}, 'network_sha256: expected ab, found cd')])
def test_two_budgets_or_judges_of_one_name_on_the_command_line(results, capsys, changes, said):
    """Weights of another file; older records do not say which. Only what is compared must go together."""
    change(results, 'cnn-wgan_gp-A-seed0', network_sha256='ab')
    assert command(capsys, results, 'table')[0] == 0
    change(results, 'cnn-wgan_gp-A-seed1', **changes)
    for arguments in (['figures', 'figure_15'], ['figures'], ['table']):
        status, out, err = command(capsys, results, *arguments)
        assert (status, out) == (2, '') and 'A-seed1.json: ' in err and said in err and err.count('\n') == 1
    assert not (results.root.parent / 'comparison_figures').exists()
    make_records(results, ['figure_9'])
    assert command(capsys, results, 'figures', 'figure_9')[0] == 0


def test_real_images_of_another_data_set_or_network(results, capsys):
    for name, other in ('dataset', 'cifar10'), ('feature_network', 'inception'):
        make_real(results)
        assert command(capsys, results, 'table')[0] == 0
        change(results, 'real_data', {name: other})
        status, out, err = command(capsys, results, 'table')
        assert (status, out) == (2, '')
        assert f'real_data.json: budget.{name}: expected digits, as in the records of cells, found {other}\n' in err


def test_two_data_sets_in_one_folder(results, capsys):
    """The real images kept there, and their scores, are of one."""
    status, out, err = command(capsys, results, 'run', 'figure_5', '--dataset', 'cifar10')
    assert (status, out) == (2, '') and err.count('\n') == 1
    assert 'expected records on cifar10, found some on digits; give another folder' in err


# Records that were renamed or edited

@pytest.mark.parametrize('file, changes, said', [
    ('cnn-wgan_gp-A-seed3', {}, 'name: expected cnn-wgan_gp-A-seed3, as the file is called, found cnn-wgan_gp-A-seed0'),
    ('cnn-wgan_gp-A-timed-at_most_100-seed0', {'name': 'cnn-wgan_gp-A-timed-at_most_100-seed0'},
     'name: expected cnn-wgan_gp-A-seed0, as its other entries say, found cnn-wgan_gp-A-timed-at_most_100-seed0'),
    ('cnn-wgan_gp-A-seed0', {'seed': 3}, 'name: expected cnn-wgan_gp-A-seed3, as its other entries say'),
    ('cnn-wgan_gp-A-seed0', {'method': 'spectral'}, 'name: expected cnn-spectral-A-seed0, as its other'),
    ('cnn-wgan_gp-A-seed0', {'setting': 'B'}, 'name: expected cnn-wgan_gp-B-seed0, as its other entries say'),
    ('cnn-wgan_gp-A-seed0', {'options': {'n_dis': [1]}}, 'options: expected texts, numbers or true, found '),
    ('cnn-wgan_gp-A-seed0', {'setting': 3}, 'setting: expected text, found 3'),
    ('cnn-wgan_gp-A-seed0', {'seconds': True}, 'seconds: expected a number, found True'),
    ('cnn-wgan_gp-A-seed0', {'log': {'iteration': [1], 'loss_dis': [1, 2]}},
     "log: expected a number for each of log.iteration in 'loss_dis'")])
def test_record_that_says_something_else(results, capsys, file, changes, said):
    change(results, 'cnn-wgan_gp-A-seed0', **changes)
    results.record_of('cnn-wgan_gp-A-seed0').rename(results.record_of(file))
    status, out, err = command(capsys, results, 'figures')
    assert (status, out) == (2, '') and f'{file}.json: ' in err and said in err and err.count('\n') == 1
