import csv
import io

from evaluations import compare_paper
from source.scoring.comparison import load_published
from tests.evaluations.scored_snapshot import read, write_score
from tests.narrow import run

import pytest

N_SCORES = sum(p.score != 'seconds_per_100_updates' for p in load_published(compare_paper.PUBLISHED))


@pytest.fixture
def results(tmp_path):
    write_score(tmp_path / 'scores_paper.json', is_mean=8.25, is_std=.09, fid=23.)
    write_score(tmp_path / 'scores.json', feature_network='digits', paper_row=None, protocol='config', is_mean=9.3)
    (tmp_path / 'log.json').write_text('[{"iteration": 1}]')
    return tmp_path


def output(capsys, *arguments):
    assert run(compare_paper.main, *arguments) == 0
    return capsys.readouterr().out


def test_table(results, capsys):
    lines = output(capsys, results, '--all').splitlines()
    cells = [[cell.strip() for cell in line.split('  ') if cell.strip()] for line in lines]
    answered = next(line for line in cells if line[1:4] == ['SN-GANs, hinge (ResNet)', 'CIFAR-10', 'IS'])
    assert answered == ['SN-GAN Table 2', 'SN-GANs, hinge (ResNet)', 'CIFAR-10', 'IS', '8.22 +- 0.05 over seeds',
                        'paper', '8.25 +- 0.09', 'paper', '+0.03', 'yes']
    assert sum('not measured' in line for line in lines) == N_SCORES - 2
    assert any('collapsed' in line for line in lines) and not any('Vanilla' in line for line in lines)
    assert 'Figure 10, seconds per 100 updates, is not in this table: experiments.py measures it.' in lines
    start = lines.index('Not compared with published numbers:')
    assert all('digits' not in line for line in lines[:start])
    assert f'- {results}/scores.json: IS 9.30 (protocol config): under the network digits: not an Inception score' in (
        lines[start + 2])


def test_only_what_was_measured(results, capsys):
    others = f'{N_SCORES - 2} published numbers were not measured; --all shows them.'
    lines = output(capsys, results).splitlines()
    assert len(lines[:lines.index('')]) == 2 + 2 and lines[5] == others
    assert lines[3].split()[-1] == 'no'  # FID 23.0 is 1.3 above 21.7 ± 0.21
    assert not any('not measured' in line and line != others or 'Figure 10' in line for line in lines)
    lines = output(capsys, results, '--markdown').splitlines()
    assert lines[1] == '|' + ' --- |' * len(compare_paper.COLUMNS)
    assert all(line.count('|') == len(compare_paper.COLUMNS) + 1 for line in lines[:4])
    assert lines[5] == others
    assert len(list(csv.DictReader(io.StringIO(output(capsys, results, '--csv'))))) == 2
    rows = list(csv.DictReader(io.StringIO(output(capsys, results, '--csv', '--all'))))
    found = [[row[name] for name in ('row', 'score', 'inside +-', 'file')] for row in rows
             if row['measured'] != 'not measured']
    assert len(rows) == N_SCORES and found == [
        ['cifar10_resnet_sn_hinge', score, inside, f'{results}/scores_paper.json']
        for score, inside in (('IS', 'yes'), ('FID', 'no'))]


def test_batches_that_are_not_the_papers(results, tmp_path, capsys):
    other = "each update of 32 real and 64 generated images, the paper's of 64 real and 128 generated images"
    write_score(results / 'scores_paper.json', is_mean=8.25, is_std=.09, fid=23., other_batch=other)
    for arguments in ((), ('--markdown',)):
        lines = output(capsys, results, *arguments).splitlines()
        assert [line.strip(' |').endswith('other batches') for line in lines[2:4]] == [True, True]
        start = lines.index("Batches other than the paper's, or not known:")
        assert lines[start:start + 3] == [lines[start], '', f'- {results}/scores_paper.json: {other}']  # once
    assert run(compare_paper.main, results, '--csv', '--plot', tmp_path / 'a.png') == 0
    written = capsys.readouterr()
    assert other in written.err and written.out.count('other batches') == 2
    assert (read(tmp_path / 'a.png')[:, :, :3] == (0xe3, 0xa8, 0x99)).all(axis=2).sum() > 7000
    assert f'{N_SCORES - 2} published numbers were not measured; --all shows them.\n' in written.err  # no CSV


def test_an_iteration_that_is_not_the_published(results, capsys):
    write_score(results / 'scores_paper.json', is_mean=8.25, is_std=.09, other_iteration='of iteration 3, theirs of 5')
    lines = output(capsys, results).splitlines()
    assert lines[2].endswith('  other iteration')
    start = lines.index('Of another iteration than the published:')
    assert lines[start + 2] == f'- {results}/scores_paper.json: of iteration 3, theirs of 5'


def test_why_a_record_is_not_compared(tmp_path, capsys):
    for name, values in (('a', {'fid': 21.}), ('b', {'fid': 22., 'protocol': 'config'}), ('c', {'intra_fid': 3.}),
                         ('d', {'fid': 4., 'protocol': 'modern'}), ('e', {'fid': 4., 'paper_row': None}),
                         ('f', {'fid': 21., 'feature_network': 'inception_clean'}),
                         ('g', {'is_mean': 8., 'fid': 5., 'protocol': 'paper, given real images'})):
        write_score(tmp_path / f'{name}.json', **values)
    lines = output(capsys, tmp_path).splitlines()
    assert any('8.00' in line and '-0.22' in line for line in lines)  # the inception score is of the samples alone
    lines = [line for line in lines if line.startswith('- ')]
    assert [line.rpartition('): ')[2] for line in lines] == [
        'its config names no paper_row',
        'its images were resized as clean-fid does, those of the published numbers were not, so not compared',
        'a distance from real images that were given, not from those of its data set',
        'another record of cifar10_resnet_sn_hinge has the published protocol',
        'cifar10_resnet_sn_hinge has no published intra-FID']


def test_plot_and_nothing_to_plot(results, tmp_path, capsys):
    assert run(compare_paper.main, results, '--plot', tmp_path / 'of_two.png') == 0
    (tmp_path / 'a.png').write_text('mine')
    capsys.readouterr()
    assert run(compare_paper.main, results, '--all', '--plot', tmp_path / 'a.png') == 0
    assert len(read(tmp_path / 'of_two.png')) < 500 < 1000 < len(read(tmp_path / 'a.png'))  # of height
    pixels = read(tmp_path / 'a.png')[:, :, :3].reshape(-1, 3)
    for colour, least in (((0xb9, 0xc4, 0xd0), 200000), ((0xc8, 0x55, 0x3d), 7000)):  # published and measured
        assert (pixels == colour).all(axis=1).sum() > least
    assert capsys.readouterr().err == f'{tmp_path}/a.png: replaced; --plot names another file\n'
    assert run(compare_paper.main, results / 'scores.json', '--plot', tmp_path / 'b.png') == 0
    out, err = capsys.readouterr()
    assert err.startswith('No record here can be compared with a published number.\n')
    assert out.startswith(f'{N_SCORES} published numbers were not measured; --all shows them.\n\nNot compared')
    assert not (tmp_path / 'b.png').exists() and 'b.png: not drawn, as nothing was measured' in err
