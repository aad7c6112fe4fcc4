"""docs/reproduce.md: the authors' snapshots, scored beside the published numbers, on stand-ins of their format."""
import csv
import json
import re

from evaluations import calc_intra_fid, calc_scores, compare_paper
from source.config.build import NETWORKS
from source.datasets import prepare_imagenet
from source.inception import download
from source.scoring.comparison import PUBLISHED
from source.scoring.protocols import PROTOCOLS, Protocol
from tests.children import ROOT
from tests.datasets.imagenet_tree import write_tree
from tests.feature_network import FakeFeatureNetwork
from tests.inception import weight_files
from tests.inception.random_weights import random_arrays
from tests.narrow import run

import numpy as np
import pytest
import yaml

IMAGENET, DOGS_AND_CATS = (16, 16, 8, 4, 2, 1), (8, 8, 4, 4, 2, 1)  # widths of l1 and of the blocks


def authors_arrays(ch=64, n_classes=1000, widths=IMAGENET):
    """{name: array} of the authors' ResNetGenerators of 128 px, as their gen_models/ and Chainer name them."""
    rng = np.random.RandomState(0)
    n_in, *outs = (width * ch for width in widths)
    shapes = {'l1/W': (16 * n_in, 128), 'l1/b': (16 * n_in,)}
    for block, n_out in enumerate(outs, 2):
        for name, k, n0, n1 in (('c1', 3, n_in, n_out), ('c2', 3, n_out, n_out), ('c_sc', 1, n_in, n_out)):
            shapes |= {f'block{block}/{name}/W': (n1, n0, k, k), f'block{block}/{name}/b': (n1,)}
        for name, n in (('b1', n_in), ('b2', n_out)):
            shapes |= {f'block{block}/{name}/{key}/W': (n_classes, n) for key in ('gammas', 'betas')}
            shapes |= {f'block{block}/{name}/{key}': (n,) for key in ('avg_mean', 'avg_var')}
            shapes[f'block{block}/{name}/N'] = ()
        n_in = n_out
    shapes |= {f'b7/{key}': (ch,) for key in ('gamma', 'beta', 'avg_mean', 'avg_var')}
    shapes |= {'b7/N': (), 'l7/W': (3, ch, 3, 3), 'l7/b': (3,)}

    def array(name, shape):
        if name.endswith('/N'):
            return np.array(0)
        if name.endswith(('gammas/W', 'gamma', 'avg_var')):
            return rng.uniform(.7, 1.3, shape).astype('f4')
        return (rng.standard_normal(shape) * np.sqrt(2. / max(np.prod(shape[1:]), 50))).astype('f4')
    return {name: array(name, shape) for name, shape in shapes.items()}


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    """The folder of the training images, with the lists that prepare_imagenet.py makes in datasets/, below here."""
    monkeypatch.chdir(tmp_path)
    write_tree(tmp_path / 'ILSVRC2012/train', n=7, good={}, bad={})
    assert run(prepare_imagenet.main, '--train', 'ILSVRC2012/train', '--formats', 'list') == 0
    for name, protocol in (('paper', Protocol('paper', 20, 10, 12, 'test', 16, 5)),
                           ('modern', Protocol('modern', 20, 10, 20, 'train', None, 5))):
        monkeypatch.setitem(PROTOCOLS, name, protocol)
    monkeypatch.setattr(calc_intra_fid, 'N_PER_CLASS', 5)
    return 'ILSVRC2012/train'


def published(row, score):
    with open(PUBLISHED, newline='', encoding='utf-8') as file:
        return [line for line in csv.DictReader(file) if (line['row'], line['score']) == (row, score)]


def lines_after(out, row, data='ImageNet 128'):
    """The cells of what is printed beside the scores, after its heading and columns, and the lines that explain it."""
    lines = out.splitlines()
    start = lines.index(f'Published of {row} ({data}), and measured here:')
    assert max(map(len, lines[start:])) <= 120
    assert re.split('  +', lines[start + 1]) == ['where', 'score', 'published', 'protocol', 'measured', 'difference',
                                                'inside +-']
    rest = lines[start + 3:]
    n = next((k for k, line in enumerate(rest) if re.match('iteration: |batches: ', line)), len(rest))
    return [re.split('  +', line) for line in rest[:n]], ' '.join(' '.join(rest[n:]).split())


def narrow(config, row, **more):
    """The text of a config that differs in its widths, and in what is one's own."""
    return yaml.safe_dump({'extends': str(ROOT / 'configs' / f'{config}.yml'), 'paper_row': row, **more,
                           'models': dict.fromkeys(('generator', 'discriminator'), {'args': {'ch': 2}})})


class Judge(FakeFeatureNetwork):
    """Stands for Inception, whose name it has."""

    name = 'inception'

    def __init__(self, device=-1, weights=None):
        assert weights == 'datasets/inception_model'


@pytest.mark.parametrize('config, file, row', [
    ('sn_projection_imagenet', 'ResNetGenerator_450000.npz', 'imagenet_projection'),
    ('imagenet/spectral_projection_850k', 'ResNetGenerator_850000.npz', 'imagenet_projection_850k'),
    ('sn_projection_imagenet', 'ResNetGenerator_850000.npz', 'imagenet_projection'),
    ('sn_concat', 'ResNetGenerator_450000.npz', 'imagenet_concat')])
def test_narrow_stand_ins(imagenet, tmp_path, monkeypatch, capsys, config, file, row):
    """Of each released generator: the published numbers of its row stand beside, and why there is no verdict."""
    monkeypatch.setitem(NETWORKS, 'inception', Judge)
    np.savez(tmp_path / file, **authors_arrays(ch=2))
    (tmp_path / 'narrow.yml').write_text(narrow(config, row))
    arguments = ['--snapshot', file, '--config', 'narrow.yml', '--network', 'inception', '--weights',
                 'datasets/inception_model', '--data_dir', imagenet, '--gpu', -1]
    is_other = '850000' in file and '850k' not in config
    verdict = 'other iteration' if is_other else 'batches unknown'
    for main, score, name in ((calc_scores.main, 'is', 'IS'), (calc_intra_fid.main, 'intra_fid', 'intra-FID')):
        capsys.readouterr()
        assert run(main, *arguments, '--protocol', 'paper') == 0
        kind = 'all_scores' if score == 'is' else 'intra_fid'
        record = json.loads((tmp_path / f'{kind}_paper.json').read_text())
        cells, why = lines_after(capsys.readouterr().out, row)
        found = record['is_mean' if score == 'is' else 'intra_fid']
        expected = []
        for p in published(row, score):
            plus_minus = f' +- {p["plus_minus"]}' if p['plus_minus'] else ''
            measured = f'{found:.2f} +- {record["is_std"]:.2f}' if score == 'is' else f'{found:.3f}' if found < 1 else (
                f'{found:.2f}')
            expected.append([f'{p["publication"]} {p["table"]}', name, p['value'] + plus_minus, 'paper', measured,
                             f'{found - float(p["value"]):+.3g}', verdict])
        assert cells == expected != []
        assert ('iteration: of iteration 850000, the numbers of imagenet_projection of 450000' in why) == is_other
        assert why.endswith('batches: not known: its config does not say by how many processes it was trained; the '
                            "paper's are updates of 4 parts, each of 16 real and 32 generated images")
    assert run(calc_scores.main, *arguments, '--protocol', 'modern') == 0
    cells, _ = lines_after(capsys.readouterr().out, row)
    assert {line[-1] for line in cells} == {'protocols differ'}
    assert run(compare_paper.main, 'all_scores_paper.json') == 0  # says the same
    assert f'  {verdict}\n' in capsys.readouterr().out


def test_verdict_where_a_run_says_its_batches(imagenet, tmp_path, monkeypatch, capsys):
    """Of a training of one's own; with another config's name for the row, nothing is printed of none."""
    monkeypatch.setitem(NETWORKS, 'inception', Judge)
    np.savez(tmp_path / 'ResNetGenerator_450000.npz', **authors_arrays(ch=2))
    own = {'processes': 4, 'accumulate': 1,
           'evaluation': {'network': 'inception', 'weights': 'datasets/inception_model'}}
    for row, is_there in (('imagenet_concat', True), (None, False)):
        (tmp_path / 'config.yml').write_text(narrow('sn_concat', row, **own))
        capsys.readouterr()
        assert run(calc_scores.main, '--snapshot', 'ResNetGenerator_450000.npz', '--protocol', 'paper', '--metrics',
                   'is', '--gpu', -1) == 0
        out = capsys.readouterr().out
        assert ('Published of' in out) == is_there
        if is_there:
            cells, why = lines_after(out, row)
            assert [line[-1] for line in cells] == ['no', '-'] and why == ''  # only one of the two has a +-
    (tmp_path / 'config.yml').write_text(narrow('sn_concat', 'imagenet_concatt', **own))
    assert run(calc_scores.main, '--snapshot', 'ResNetGenerator_450000.npz', '--gpu', -1) == 2
    assert capsys.readouterr().err.endswith("config.yml: paper_row: no row 'imagenet_concatt' among the published "
                                            "numbers; did you mean 'imagenet_concat'?\n")


def test_dogs_and_cats(imagenet, tmp_path, monkeypatch, capsys):
    """Of another network; and the inception score alone needs no images of ImageNet."""
    monkeypatch.setitem(NETWORKS, 'inception', Judge)
    np.savez(tmp_path / 'ResNetGenerator_450000.npz', **authors_arrays(2, 143, DOGS_AND_CATS))
    (tmp_path / 'narrow.yml').write_text(narrow('sn_projection_dog_and_cat_128', 'dog_and_cat_projection'))
    assert run(calc_scores.main, '--snapshot', 'ResNetGenerator_450000.npz', '--config', 'narrow.yml', '--network',
               'inception', '--weights', 'datasets/inception_model', '--metrics', 'is', '--protocol', 'paper', '--gpu',
               -1) == 0
    cells, _ = lines_after(capsys.readouterr().out, 'dog_and_cat_projection', 'ImageNet dogs and cats 128')
    assert [line[:3] for line in cells] == [['authors', 'IS', published('dog_and_cat_projection', 'is')[0]['value']]]


@pytest.mark.long
def test_full_size_stand_in(imagenet, tmp_path, capsys):
    """The released file's 128 px generator, the 2015 archive of Inception, ImageNet's folders; nothing in between is
    made narrow, and only so few samples are scored."""
    arrays = authors_arrays()
    assert sum(array.size for name, array in arrays.items() if not name.endswith(('avg_mean', 'avg_var', '/N'))) > 4e7
    np.savez(tmp_path / 'ResNetGenerator_850000.npz', **arrays)
    weight_files.write(tmp_path / 'inception-2015-12-05.tgz', 'tgz', random_arrays())
    assert run(download.main, '--source', 'inception-2015-12-05.tgz', '--outfile', 'datasets/inception_model') == 0
    assert run(calc_scores.main, '--snapshot', 'ResNetGenerator_850000.npz', '--config',
               ROOT / 'configs/imagenet/spectral_projection_850k.yml', '--network', 'inception', '--weights',
               'datasets/inception_model', '--data_dir', imagenet, '--protocol', 'paper', '--gpu', -1) == 0
    record = json.loads((tmp_path / 'all_scores_paper.json').read_text())
    out = capsys.readouterr().out
    cells, _ = lines_after(out, 'imagenet_projection_850k')
    number, = (p['value'] for p in published('imagenet_projection_850k', 'is'))
    assert number == '36.8' and cells == [['projection Table 1', 'IS', number, 'paper', (
        f'{record["is_mean"]:.2f} +- {record["is_std"]:.2f}'), f'{record["is_mean"] - 36.8:+.3g}', 'batches unknown']]
    assert (record['n_real'], record['real'], record['sizes']) == (16, 'train', '128x128')
    assert out.count('caution: 12 images against 16: ') == 1 and 'has rank 11 of 2048' in out
    print(out)
