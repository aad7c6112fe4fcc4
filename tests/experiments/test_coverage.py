"""Tables and captions say of how many cells they are made, and none is made of cells that do not go together."""
import contextlib
import re

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


def refused(capsys, results, *arguments):
    """The one line that a command ends with."""
    status, out, err = command(capsys, results, *arguments)
    assert (status, out, err.count('\n')) == (2, '', 1)
    return err


def test_caption_of_a_part(results):
    """It makes the page higher. Where a seed was not run at all, none is missing beside another."""
    page = page_of(results, 'figure_15')
    assert ' cells' not in page.figure.get_supxlabel()
    remove(results, 'cnn-wgan_gp-A-seed1', 'cnn-wgan_gp-A-weight-use_gamma-seed1')
    assert caption(results, 'figure_15').endswith(' Made of 4 of 6 cells.')
    remove(results, 'cnn-wgan_gp-A-spectral-use_gamma-seed1')
    text = caption(results, 'figure_15')
    assert ', seed 0.' in text and ' of 3 cells' not in text
    _, before = page.figure.get_size_inches()
    page.add_to_caption('word ' * 50)
    width, height = page.figure.get_size_inches()
    lines = page.figure.get_supxlabel().count('\n')
    assert width == 10.5 and height == pytest.approx(4. + .16 * lines) and height > before + .15


def test_tables_of_a_part(tmp_path, capsys):
    """Settings, seeds and cells are missing; the titles count those never run too, and a row only its own seeds."""
    results, ac = Results(tmp_path / 'comparison'), 'resnet_ac_wgan_gp-wgan_gp'
    make_records(results, ['figure_6', 'table2_further', 'table8'])
    remove(results, 'cnn-weight-C-seed1', *(f'cnn-spectral-{setting}-seed{k}' for setting in 'ABEF' for k in (0, 1)),
           'cnn-spectral-C-hinge-seed1', f'{ac}-seed0', *(f'{ac}-spectral-use_gamma-seed{k}' for k in (0, 1)))
    out = command(capsys, results, 'table')[1]
    assert out.startswith('Table 2: each method in the setting of its highest IS (27 of 108 cells)\n')
    assert 'Table 7' not in out and 'Table 8 (3 of 6 cells)' in out and out.count('1 of 2 cells') == 2
    notes = [line.split(': made of: ') for line in out.splitlines() if 'made of' in line]
    assert notes == [
        ['-Standard CNN- Weight Norm.', '11 of 12 cells'], ['-Standard CNN- SN-GANs', '4 of 12 cells'],
        ['-Standard CNN- SN-GANs, Eq.(17)', '1 of 2 cells'], ['AC-WGAN-GP', '1 of 2 cells']]
    assert re.search('^w/ Spectral norm. +not run ', out, re.M)


def test_list_and_table_of_other_seeds_and_cells(tmp_path, capsys):
    """Seeds that were run besides the data set's own count too, cells on other data do not. The footnote is not of
    Figure 10's cells, which are in no table."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_10'], seeds=(5,))
    assert 'no cells of a table; `python experiments.py run table2`' in refused(capsys, results, 'table')
    make_records(results, ['figure_9'])
    out = command(capsys, results, 'table')[1]
    assert '700 generator updates' in out and 'seeds 0, 1; ' in out
    out = command(capsys, results, 'list')[1]
    assert 'figure_9        2 of 2 cells ' in out and 'figure_5        0 of 4 cells ' in out
    assert 'figure_1        2 of 108 cells ' in out and 'figure_10       4 of 12 cells ' in out
    out = command(capsys, results, 'list', '--dataset', 'stl10')[1]
    assert 'figure_9        0 of 1 cells ' in out and not re.search(' [1-9][0-9]* of ', out)
    assert 'table8          no resnet_ac_wgan_gp for stl10 ' in out


TWICE, LIMITED = Variant('cnn', 'spectral', 'B', (('updates', 2.),)), EXPERIMENTS['figure_11'].variants[0]


@pytest.mark.parametrize('given, said', [
    ([(SN, {}), (TWICE, {})], None), ([(LIMITED, {'iteration': 20000}), (SN, {'iteration': 20000})], None),
    ([(SN, {}), (WN, {'iteration': 800})], 'cnn-spectral-A-seed0.json: .*: iteration: expected 800, found 700'),
    ([(SN, {}), (TWICE, {'iteration': 300})], 'updates_2-seed1.json: .*: iteration: expected 1400, found 600'),
    ([(SN, {'iteration': 20000}), (LIMITED, {})], 'at_most_10000-seed1.*: iteration: expected 10000, found 700')])
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
    for what, *arguments in ('figure_15', 'figures', 'figure_15'), ('figure_1', 'figures'), ('the tables', 'table'):
        error = refused(capsys, results, *arguments)
        assert f'A-seed1.json: is of another budget than the rest of {what}: {said}' in error
    assert not (results.root.parent / 'comparison_figures').exists()
    make_records(results, ['figure_9'])
    assert command(capsys, results, 'figures', 'figure_9')[0] == 0


def test_real_images_or_cells_of_another_data_set_or_network(results, capsys):
    for name, other in ('dataset', 'cifar10'), ('feature_network', 'inception'):
        make_real(results)
        assert command(capsys, results, 'table')[0] == 0
        change(results, 'real_data', {name: other})
        said = f'real_data.json: budget.{name}: expected digits, as in the records of cells, found {other}\n'
        assert said in refused(capsys, results, 'table')
    assert 'expected records on cifar10, found some on digits; give another folder' in refused(
        capsys, results, 'run', 'figure_5', '--dataset', 'cifar10')


@pytest.mark.parametrize('file, changes, said', [
    ('cnn-wgan_gp-A-seed3', {}, 'name: expected cnn-wgan_gp-A-seed3, as the file is called, found cnn-wgan_gp-A-seed0'),
    ('cnn-wgan_gp-A-timed-seed0', {'name': 'cnn-wgan_gp-A-timed-seed0'},
     'name: expected cnn-wgan_gp-A-seed0, as its other entries say, found cnn-wgan_gp-A-timed-seed0'),
    ('cnn-wgan_gp-A-seed0', {'options': {'n_dis': [1]}}, 'options: expected texts, numbers or true, found '),
    ('cnn-wgan_gp-A-seed0', {'setting': 3}, 'setting: expected text, found 3'),
    ('cnn-wgan_gp-A-seed0', {'seconds': True}, 'seconds: expected a number, found True'),
    ('cnn-wgan_gp-A-seed0', {'log': {'iteration': [1], 'loss_dis': [1, 2]}},
     "log: expected a number for each of log.iteration in 'loss_dis'")])
def test_record_that_says_something_else(results, capsys, file, changes, said):
    change(results, 'cnn-wgan_gp-A-seed0', **changes)
    results.record_of('cnn-wgan_gp-A-seed0').rename(results.record_of(file))
    error = refused(capsys, results, 'figures')
    assert f'{file}.json: ' in error and said in error
