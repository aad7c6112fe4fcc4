"""The row "Real data": held-out images, judged like samples."""
from dataclasses import replace

import experiments
from source.datasets.digits import DigitsDataset
from source.experiments import real_data
from source.experiments.budget import load_budget
from source.experiments.catalogue import EXPERIMENTS, Variant
from source.experiments.cell import Cell
from source.experiments.records import Results, read_record
from source.experiments.run_cell import run_cell, write_job
from tests.narrow import run

import chainer
import numpy as np
import pytest
from PIL import Image


def images(dataset):
    return dataset.load_ims(np.arange(len(dataset)))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('SNGAN_CACHE', str(tmp_path / 'cache'))


def test_held_out_images_are_judged(tmp_path, monkeypatch):
    """All 360 digits that are in no training set; README has their FID."""
    judged, judge = [], real_data.judge

    def spy(batches, *args, **options):
        batches = list(batches)
        judged.extend(batches)
        return judge(batches, *args, **options)
    monkeypatch.setattr(real_data, 'judge', spy)
    monkeypatch.setattr(chainer.global_config, 'precision', 'of another command')
    results = Results(tmp_path / 'comparison')
    real_data.prepare(results, Variant('cnn', 'none', 'C'), load_budget('digits')[0], gpu=-1)
    judged = {im.tobytes() for ims, _ in judged for im in ims}
    assert judged == {im.tobytes() for im in images(DigitsDataset(split='test', size=32))}
    assert not judged & {im.tobytes() for im in images(DigitsDataset(split='train', size=32))}
    record = read_record(results.root / 'records' / 'real_data.json')
    assert record['protocol'] == '360 held-out images in 3 splits, FID of all against 1437 training images'
    assert record['scores']['fid'] == pytest.approx(71.5, abs=.1)
    assert chainer.global_config.precision == 'tf32'


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    """As many images as a sheet shows and their list where configs look for it; the folder of the images."""
    lines = []
    for k in range(25):
        name = f'n{k:08}/n{k:08}_0.JPEG'
        (tmp_path / 'images' / name).parent.mkdir(parents=True)
        im = np.random.RandomState(k).randint(256, size=(130, 128, 3), dtype=np.uint8)
        Image.fromarray(im).save(tmp_path / 'images' / name)
        lines.append(f'{name} {k}\n')
    (tmp_path / 'datasets').mkdir()
    (tmp_path / 'datasets' / 'image_list.txt').write_text(''.join(lines))
    monkeypatch.chdir(tmp_path)
    return str(tmp_path / 'images')


@pytest.mark.filterwarnings('ignore::source.metrics.frechet_distance.SingularCovarianceWarning')  # of 25 images
@pytest.mark.parametrize('variant', [EXPERIMENTS['figure_5'].variants[0], EXPERIMENTS['figure_13'].variants[1]],
                         ids=lambda variant: variant.name)
def test_data_set_without_test_set(tmp_path, imagenet, variant):
    """ImageNet has no row "Real data"; its cells are trained and scored all the same."""
    budget, _ = load_budget('imagenet', iteration=1, ch=1, batchsize=2, n_images=4, splits=1, feature_network='digits')
    budget = replace(budget, protocol=None)  # of 50,000 images
    results = Results(tmp_path / 'comparison')
    real_data.prepare(results, variant, budget, imagenet, -1)
    assert results.samples('real_data').exists()
    assert not (results.root / 'records').exists()
    record = run_cell(write_job(results, Cell(variant, 0, budget), imagenet, threads=1), -1)
    assert record['status'] == 'finished' and set(record['scores']) == {'is_mean', 'fid'}  # of one split: no std
    assert record['budget']['dataset'] == 'imagenet' and 'critic_loss_held_out' not in record['log']
    assert results.samples(f'{variant.name}-seed0').exists()


def test_without_data_nothing_is_left(tmp_path, capsys):
    assert run(experiments.main, 'run', 'table2', '--dataset', 'cifar10', '--data_dir', tmp_path / 'none',
               '--results_dir', tmp_path / 'comparison') == 2
    assert capsys.readouterr().err.endswith('none: no such folder\n')
    assert list(tmp_path.iterdir()) == []
