"""Tables and captions say of how many cells they are made, and none is made of cells that do not go together."""
import json
import re
from pathlib import Path

import experiments
from source.experiments.budget import load_budget
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.cell import Cell
from source.experiments.coverage import cells_among, check_one_budget, part_run
from source.experiments.figures import draw_figures
from source.experiments.records import Results, identity, read_records
from tests.experiments.figures.drawn import caption
from tests.experiments.made_records import make_real, make_records
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


def change(results, name, **changes):
    path = results.record_of(name)
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, 'budget': {**record['budget'], **changes}}))


def command(capsys, results, *arguments):
    """(status, stdout, stderr)"""
    status = run(experiments.main, *arguments, '--results_dir', results.root)
    return status, *capsys.readouterr()


@pytest.mark.parametrize('there, seeds, expected', [
    ([(SN, 0), (WN, 0)], [0], ''), ([(SN, 0), (WN, 0), (SN, 1)], [0, 1], '3 of 4 cells'), ([], [0], '0 of 2 cells'),
    ([(SN, 7)], [7], '1 of 2 cells'), ([], [], '')])
def test_part_run(there, seeds, expected):
    assert part_run(dict.fromkeys(there), [SN, WN], seeds) == expected


# Captions

def test_caption_of_a_part(results):
    assert 'cells' not in caption(results, 'figure_15')
    remove(results, 'cnn-wgan_gp-A-seed0', 'cnn-wgan_gp-A-seed1', 'cnn-wgan_gp-A-weight-use_gamma-seed0',
           'cnn-wgan_gp-A-spectral-use_gamma-seed1')
    assert caption(results, 'figure_15').endswith(' Made of 2 of 6 cells.')


def test_caption_of_one_seed_of_all(results):
    """None is missing beside another."""
    remove(results, *(f'{variant.name}-seed1' for variant in EXPERIMENTS['figure_15'].variants))
    assert ', seed 0.' in caption(results, 'figure_15') and ' of 3 cells' not in caption(results, 'figure_15')


def test_a_longer_caption_makes_the_page_higher(results):
    from source.experiments.figures.page import Page
    page = Page(cells_among(read_records(results), EXPERIMENTS['figure_15'].variants), 1, 1, (6.5, 3), 'Figure 0.')
    before = page.figure.get_size_inches()
    page.add_to_caption('word ' * 50)
    width, height = page.figure.get_size_inches()
    lines = page.figure.get_supxlabel().count('\n')
    assert width == before[0] == 6.5 and height == pytest.approx(3.2 + .16 * lines) and height > before[1] + .3


# Tables

def rows_of(out):
    return {re.split('  +', line)[0]: re.split('  +', line) for line in out.splitlines()}


def test_a_complete_table_says_nothing(capsys):
    status, out, _ = command(capsys, Results(ROOT / 'results' / 'digits_table2'), 'table')
    assert status == 0 and out.startswith('Table 2: each method in the setting of its highest IS\n')
    assert 'made of' not in out and ' cells' not in out


def test_table_2_of_a_part(tmp_path, capsys):
    """A method of which settings, and one of which a seed, are missing; the title counts those never run too."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_6'])
    remove(results, *(f'cnn-spectral-{setting}-seed{seed}' for setting in 'ABEF' for seed in (0, 1)),
           'cnn-weight-C-seed1')
    out = command(capsys, results, 'table')[1]
    rows = rows_of(out)
    assert out.startswith('Table 2: each method in the setting of its highest IS (27 of 108 cells)\n')
    assert '4 of 12 cells' in rows['SN-GANs'] and '11 of 12 cells' in rows['Weight Norm.']
    assert not any('cells' in text for name in ('WGAN-GP', 'Orthonormal') for text in rows[name])
    column = re.split('  +', out.splitlines()[1]).index('made of')
    assert rows['SN-GANs'][column] == '4 of 12 cells'


def test_rows_of_one_cell_and_fewer_seeds(tmp_path, capsys):
    results = Results(tmp_path / 'comparison')
    make_records(results, ['table2_further', 'table8'])
    remove(results, 'cnn-spectral-C-hinge-seed1', 'resnet_ac_wgan_gp-wgan_gp-seed0',
           'resnet_ac_wgan_gp-wgan_gp-spectral-use_gamma-seed0', 'resnet_ac_wgan_gp-wgan_gp-spectral-use_gamma-seed1')
    out = command(capsys, results, 'table')[1]
    assert '(0 of 108 cells)' in out and 'Table 8 (3 of 6 cells)' in out
    assert sum('1 of 2 cells' in line for line in out.splitlines()) == 2
    rows = rows_of(out)
    assert '1 of 2 cells' in rows['AC-WGAN-GP'] and '1 of 2 cells' not in rows['SN-GANs (2x updates)']
    assert 'not run' in rows['w/ Spectral norm.'] and '0 of' not in ' '.join(rows['w/ Spectral norm.'])


def test_table_of_no_table(tmp_path, capsys):
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_10'])
    status, out, err = command(capsys, results, 'table')
    assert (status, out) == (2, '') and 'no cells of a table; `python experiments.py run table2`' in err


def test_footnote_is_of_what_is_printed(tmp_path, capsys):
    """Not of Figure 10's cells, which have fewer updates, or another seed."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_9'])
    make_records(results, ['figure_10'], seeds=(5,))
    out = command(capsys, results, 'table')[1]
    assert '700 generator updates' in out and 'seeds 0, 1; ' in out


# The list

def test_list(tmp_path, capsys):
    """Seeds that were run besides the data set's own count too; cells on other data do not."""
    results = Results(tmp_path / 'comparison')
    make_records(results, ['figure_9'], seeds=(0, 4))
    make_records(results, ['figure_5'], seeds=(0,))
    out = command(capsys, results, 'list')[1]
    assert 'figure_9        2 of 3 cells ' in out and 'figure_5        2 of 4 cells ' in out
    assert 'figure_1        2 of 162 cells ' in out and 'figure_10       0 of 8 cells ' in out
    out = command(capsys, results, 'list', '--dataset', 'cifar10')[1]
    assert ' 0 of 1 cells ' in out and not re.search(' [1-9][0-9]* of ', out)


# One budget

def cells(*given):
    """{(variant, seed): record} of (variant, changes of the budget)."""
    made = [Cell(variant, seed, load_budget('digits', **changes)[0]) for seed, (variant, changes) in enumerate(given)]
    return {(cell.variant, cell.seed): identity(cell) for cell in made}


TWICE, LIMITED = Variant('cnn', 'spectral', 'B', (('updates', 2.),)), EXPERIMENTS['figure_11'].variants[0]


@pytest.mark.parametrize('given', [
    [(SN, {}), (TWICE, {})], [(TWICE, {}), (WN, {})], [(LIMITED, {}), (SN, {})],
    [(LIMITED, {'iteration': 20000}), (SN, {'iteration': 20000})], [(LIMITED, {}), (LIMITED, {})], []])
def test_options_may_change_the_iterations(given, tmp_path):
    check_one_budget(cells(*given), Results(tmp_path), 'this')


@pytest.mark.parametrize('given, said', [
    ([(SN, {}), (WN, {'batchsize': 16})], 'cnn-weight-A-seed1.json: .*: batchsize: expected 32, found 16'),
    ([(SN, {}), (WN, {'iteration': 800})], 'cnn-spectral-A-seed0.json: .*: iteration: expected 800, found 700'),
    ([(SN, {}), (TWICE, {'iteration': 300})], 'updates_2-seed1.json: .*: iteration: expected 1400, found 600'),
    ([(SN, {'iteration': 20000}), (LIMITED, {})], 'at_most_10000-seed1.*: iteration: expected 10000, found 700'),
    ([(SN, {}), (WN, {'n_images': 500})], 'is of another budget than the rest of this: n_images: expected 1000')])
def test_two_budgets(given, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        check_one_budget(cells(*given), Results(tmp_path), 'this')


@pytest.mark.parametrize('arguments', [['figures', 'figure_15'], ['figures'], ['table']])
def test_two_budgets_on_the_command_line(results, capsys, arguments):
    change(results, 'cnn-wgan_gp-A-spectral-use_gamma-seed1', batchsize=16)
    status, out, err = command(capsys, results, *arguments)
    assert (status, out) == (2, '') and err.count('\n') == 1
    assert 'A-spectral-use_gamma-seed1.json' in err and 'batchsize: expected 32, found 16' in err
    assert not (results.root.parent / 'comparison_figures').exists()


def test_two_judges_of_one_name(results, capsys):
    """Weights of another file; older records do not say which."""
    for name, digest in (('cnn-wgan_gp-A-seed0', 'ab'), ('cnn-wgan_gp-A-seed1', 'ab')):
        path = results.record_of(name)
        path.write_text(json.dumps({**json.loads(path.read_text()), 'network_sha256': digest}))
    assert command(capsys, results, 'table')[0] == 0
    path.write_text(json.dumps({**json.loads(path.read_text()), 'network_sha256': 'cd'}))
    for arguments in (['table'], ['figures']):
        status, out, err = command(capsys, results, *arguments)
        assert (status, out) == (2, '') and 'A-seed1.json: ' in err and 'network_sha256: expected ab, found cd' in err


def test_only_what_is_compared_must_be_of_one_budget(results, tmp_path):
    make_records(results, ['figure_9'])
    change(results, 'cnn-wgan_gp-A-seed1', batchsize=16)
    assert len(draw_figures(results, tmp_path / 'out', ['figure_9'])) == 1


@pytest.mark.parametrize('name, other', [('dataset', 'cifar10'), ('feature_network', 'inception')])
def test_real_images_of_another_data_set_or_network(results, capsys, name, other):
    make_real(results)
    assert command(capsys, results, 'table')[0] == 0
    change(results, 'real_data', **{name: other})
    status, out, err = command(capsys, results, 'table')
    expected = {'dataset': 'digits', 'feature_network': 'digits'}[name]
    assert (status, out) == (2, '')
    assert f'real_data.json: budget.{name}: expected {expected}, as in the records of cells, found {other}\n' in err


def test_two_data_sets_in_one_folder(results, capsys):
    """The real images kept there, and their scores, are of one."""
    status, out, err = command(capsys, results, 'run', 'figure_5', '--dataset', 'cifar10')
    assert (status, out) == (2, '') and err.count('\n') == 1
    assert 'expected records on cifar10, found some on digits; give another folder' in err


# Records that were renamed

def test_a_record_under_another_name(results, capsys):
    path = results.record_of('cnn-wgan_gp-A-seed0')
    path.rename(path.with_name('cnn-wgan_gp-A-seed3.json'))
    status, out, err = command(capsys, results, 'figures')
    assert (status, out) == (2, '')
    assert 'seed3.json: name: expected cnn-wgan_gp-A-seed3, as the file is called, found cnn-wgan_gp-A-seed0\n' in err


@pytest.mark.parametrize('changes, found', [
    ({'name': 'cnn-wgan_gp-A-timed-at_most_100-seed0'}, 'cnn-wgan_gp-A-seed0'), ({'seed': 3}, 'cnn-wgan_gp-A-seed3'),
    ({'method': 'spectral'}, 'cnn-spectral-A-seed0'), ({'setting': 'B'}, 'cnn-wgan_gp-B-seed0')])
def test_a_record_that_says_it_is_another(results, capsys, changes, found):
    path = results.record_of('cnn-wgan_gp-A-seed0')
    record = {**json.loads(path.read_text()), **changes}
    path.unlink()
    results.record_of(record['name']).write_text(json.dumps(record))
    status, _, err = command(capsys, results, 'figures')
    assert status == 2 and f'name: expected {found}, as its other entries say, found {record["name"]}\n' in err


def test_options_that_are_none(results, capsys):
    path = results.record_of('cnn-wgan_gp-A-seed0')
    path.write_text(json.dumps({**json.loads(path.read_text()), 'options': {'n_dis': [1]}}))
    status, _, err = command(capsys, results, 'figures')
    assert status == 2 and "seed0.json: expected the record of a cell: options: expected texts, numbers" in err
