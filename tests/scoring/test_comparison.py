import json
from pathlib import Path

from source.scoring.comparison import compare, load_published, read_measured
from source.scoring.comparison_plot import plot_comparisons
from source.yaml_utils import load_config
from tests.test_configs import PARTS

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FILE = ROOT / 'evaluations' / 'published_numbers.csv'
PUBLISHED = load_published(FILE)
ROWS = {p.row for p in PUBLISHED}
RESNET = 'cifar10_resnet_sn_hinge'


def write(path, **values):
    record = {'samples': 'x.npz', 'feature_network': 'inception', 'protocol': 'paper', 'paper_row': RESNET,
              'n_real': 10000, **values}
    path.write_text(json.dumps(record))
    return path


def compared(paths):
    comparisons, apart = compare(PUBLISHED, read_measured(paths, ROWS))
    return [c for c in comparisons if c.measured], apart


def numbers(row, publication='SN-GAN', table=None):
    return {p.score: (p.value, p.plus_minus) for p in PUBLISHED
            if p.row == row and p.publication == publication and table in (None, p.table)}


@pytest.mark.parametrize('row, table, expected', [
    ('cifar10_real', 'Table 2', {'is': ('11.24', '0.12'), 'fid': ('7.8', '')}),
    ('stl10_real', 'Table 2', {'is': ('26.08', '0.26'), 'fid': ('7.9', '')}),
    ('cifar10_cnn_sn', 'Table 2', {'is': ('7.42', '0.08'), 'fid': ('29.3', '')}),
    ('stl10_cnn_sn', 'Table 2', {'is': ('8.28', '0.09'), 'fid': ('53.1', '')}),
    ('stl10_cnn_sn_hinge_2x', 'Table 2', {'is': ('8.79', '0.14'), 'fid': ('43.2', '')}),
    (RESNET, 'Table 2', {'is': ('8.22', '0.05'), 'fid': ('21.7', '0.21')}),
    ('stl10_resnet_orthonormal_hinge', 'Table 2', {'is': ('8.72', '0.06'), 'fid': ('42.4', '0.99')}),
    ('cifar10_cnn_wgan_gp_sn', 'Table 7', {'is': ('7.20', '0.08'), 'fid': ('32.0', '')}),
    ('cifar10_cnn_wgan_gp_frobenius', 'Table 7', {'is': ('', ''), 'fid': ('', '')}),
    ('cifar10_resnet_ac_wgan_gp_sn_15x', 'Table 8', {'is': ('8.60', '0.08'), 'fid': ('17.5', '')})])
def test_what_the_paper_says(row, table, expected):
    assert numbers(row, table=table) == expected


def test_what_others_say():
    assert numbers('imagenet_concat') == {'is': ('21.1', '0.35'), 'ms_ssim': ('0.101', '')}
    assert numbers('imagenet_projection', 'projection') == {'is': ('29.7', ''), 'intra_fid': ('103.1', '')}
    assert numbers('cifar10_projection', 'mimicry') == {'is': ('8.25', ''), 'fid': ('10.84', '')}
    assert numbers('cifar10_projection', 'StudioGAN') == {'is': ('8.83', ''), 'fid': ('9.01', '')}
    assert {p.protocol for p in PUBLISHED if p.publication in ('mimicry', 'StudioGAN')} == {'modern'}


def test_numbers_are_numbers_and_none_comes_twice():
    for p in PUBLISHED:
        assert (p.number is None) == (p.note == 'collapsed')
        assert p.error is None or 0 < p.error < 1
    assert len({(p.row, p.score, p.publication) for p in PUBLISHED}) == len(PUBLISHED)


CONFIGS = {str(path.relative_to(ROOT / 'configs').with_suffix('')): path
           for path in sorted((ROOT / 'configs').rglob('*.yml')) if path.parent.name not in PARTS}
BY_CLASS = {'sn_cifar10': 'cifar10_projection', 'sn_concat': 'imagenet_concat',
            'sn_projection_imagenet': 'imagenet_projection', 'sn_projection_dog_and_cat_128': 'dog_and_cat_projection'}
DATA = {'CIFAR10Dataset': 'CIFAR-10', 'STL10Dataset': 'STL-10'}
ALONE = {'spectral': 'SN-GANs', 'orthonormal': 'Orthonormal', 'weight': 'Weight normalization',
         'layer': 'Layer normalization', 'batch': 'Batch normalization'}
WITH_GP = {'spectral': ', SN', 'weight': ', weight normalization', 'frobenius': ', Frobenius'}


def method_of(config):
    """How the published numbers name what a config trains; None for what is none of their networks."""
    generator, discriminator = (config['models'][kind] for kind in ('generator', 'discriminator'))
    dis, updater = discriminator['args'], config['updater']['args']
    norm = dis.get('norm', 'spectral')
    if 'gan_lib' in generator['fn'] or 'final_scale' in dis:
        return None
    if 'gradient' in updater.get('penalties', {}):
        method = ('AC-' if config['updater']['name'] == 'ACUpdater' else '') + (
            {'wasserstein': 'WGAN-GP', 'dcgan': 'GAN-GP'}[updater['loss_type']]) + WITH_GP.get(norm, '')
    else:
        method = 'Weight clipping' if 'clipping' in updater.get('constraints', {}) else ALONE.get(norm)
    method = f'{method}{", hinge" * (updater["loss_type"] == "hinge")}{", 1.5x maps" * (dis.get("scale") == 1.5)}'
    method += ', 2x updates' * (config['iteration'] == 200000)
    return f'{method} ({"ResNet" if "resnet" in generator["fn"] else "CNN"})'


@pytest.mark.parametrize('name', CONFIGS)
def test_a_config_names_the_row_of_its_data_and_method(name):
    """And none where nothing was published."""
    config = load_config(CONFIGS[name])
    data, method = DATA.get(config['dataset']['dataset_name']), method_of(config)
    rows = [p.row for p in PUBLISHED if (p.publication, p.protocol, p.dataset, p.method) == (
        'SN-GAN', 'paper', data, method)]
    conditional = config['models']['generator']['args']['n_classes'] > 0 and not method.startswith('AC-')
    expected = BY_CLASS.get(name) if conditional else next(iter(rows), None)
    assert config['paper_row'] == expected
    assert expected is None or expected in ROWS


def test_each_row_is_of_one_config_and_all_that_can_be_are():
    named = [row for row in (load_config(path)['paper_row'] for path in CONFIGS.values()) if row]
    assert len(set(named)) == len(named)
    left = {p.row for p in PUBLISHED if p.publication == 'SN-GAN' and p.table in ('Table 2', 'Table 7', 'Table 8')}
    left = {row for row in left - set(named) if not row.endswith(('_real', '_cited'))}
    assert left == {'cifar10_cnn_wgan_gp_table7'}  # Table 2's run, told again with another FID


@pytest.mark.parametrize('is_mean, inside', [(8.22, True), (8.27, True), (8.17, True), (8.2701, False), (8.16, False)])
def test_inside_the_papers_error(tmp_path, is_mean, inside):
    (c,), apart = compared([write(tmp_path / 'a.json', is_mean=is_mean, is_std=.1)])
    assert (c.published.publication, c.published.score, c.inside, apart) == ('SN-GAN', 'is', inside, [])
    assert c.difference == pytest.approx(is_mean - 8.22)
    assert c.measured.std == .1


def test_a_single_split_has_no_std(tmp_path):
    """Records of earlier versions say 0."""
    (c,), _ = compared([write(tmp_path / 'a.json', is_mean=8.2, is_std=0., splits=1)])
    assert (c.measured.value, c.measured.std) == (8.2, None)


def test_no_error_no_verdict(tmp_path):
    (c,), _ = compared([write(tmp_path / 'a.json', paper_row='cifar10_cnn_sn', fid=29.3)])
    assert c.same_protocol and c.inside is None and c.difference == 0.


def test_each_protocol_has_its_own_publication(tmp_path):
    """A modern FID answers mimicry's and not the paper's; one of the config's own protocol answers either, told so."""
    modern = write(tmp_path / 'a.json', protocol='modern', fid=17., n_real=50000)
    (c,), _ = compared([modern])
    assert (c.published.publication, c.same_protocol) == ('mimicry', True)
    found, _ = compared([modern, write(tmp_path / 'b.json', fid=21.8)])
    assert [(c.published.publication, c.measured.value, c.inside) for c in found] == [
        ('SN-GAN', 21.8, True), ('mimicry', 17., None)]
    found, _ = compared([write(tmp_path / 'c.json', protocol='config', fid=22.)])
    assert [(c.published.publication, c.same_protocol, c.inside) for c in found] == [
        ('SN-GAN', False, None), ('mimicry', False, None)]


def test_paper_protocol_with_other_real_images_is_another(tmp_path):
    found, _ = compared([write(tmp_path / 'a.json', fid=21.7, is_mean=8.22, n_real=360)])
    assert {c.published.score: (c.same_protocol, c.inside) for c in found if c.published.publication == 'SN-GAN'} == {
        'is': (True, True), 'fid': (False, None)}
    assert 'paper, 360 real' in {c.measured.protocol for c in found}


def test_two_runs_are_two_lines(tmp_path):
    write(tmp_path / 'a.json', is_mean=8.2)
    write(tmp_path / 'b.json', is_mean=8.3)
    found, _ = compared([tmp_path])
    assert [c.measured.value for c in found] == [8.2, 8.3]


@pytest.mark.parametrize('network', ['digits', 'inception_chainer', 'efficientnet_lite0'])
def test_other_networks_are_never_compared(tmp_path, network):
    found, apart = compared([write(tmp_path / 'a.json', feature_network=network, is_mean=8.22, fid=21.7)])
    assert found == []
    assert {(m.score, m.network) for m in apart} == {('is', network), ('fid', network)}


def test_no_row_stays_apart_and_ms_ssim_needs_no_network(tmp_path):
    found, apart = compared([write(tmp_path / 'a.json', paper_row=None, is_mean=8.22)])
    assert found == [] and [m.score for m in apart] == ['is']
    path = write(tmp_path / 'a.json', paper_row='imagenet_concat', feature_network=None, ms_ssim=.12)
    found, apart = compared([path])
    assert [(c.published.value, c.measured.value) for c in found] == [('0.101', .12)]
    found, apart = compared([write(tmp_path / 'a.json', intra_fid=12.)])
    assert found == [] and [m.score for m in apart] == ['intra_fid']  # a row without one


def test_refused(tmp_path):
    with pytest.raises(ValueError, match=f'{tmp_path}: expected a record written by a command'):
        read_measured([tmp_path], ROWS)
    (tmp_path / 'log.json').write_text('[]')
    (tmp_path / 'broken.json').write_text('{')
    for path in (tmp_path, tmp_path / 'log.json', tmp_path / 'broken.json'):
        with pytest.raises(ValueError, match=f'{path}: expected a record written by a command'):
            read_measured([path], ROWS)
    with pytest.raises(ValueError, match='none.json: cannot be read'):
        read_measured([tmp_path / 'none.json'], ROWS)
    path = write(tmp_path / 'a.json', paper_row='cifar10_resnet_sn_hing', fid=3.)
    with pytest.raises(ValueError, match=f"{path}: paper_row: no row .*; did you mean '{RESNET}'"):
        read_measured([path], ROWS)
    for name, value in (('paper_row', [RESNET]), ('paper_row', {}), ('protocol', ['paper']), ('protocol', None),
                        ('feature_network', ['inception'])):
        with pytest.raises(ValueError, match=f'{path}: {name}: expected text, found {type(value).__name__}'):
            read_measured([write(path, **{name: value}, fid=3.)], ROWS)
    assert read_measured([write(path, fid='3', is_mean=True)], ROWS) == []
    (m,) = read_measured([write(path, is_mean=3, is_std='high')], ROWS)
    assert (m.value, m.std) == (3, None)
    (tmp_path / 'a.csv').write_text('row,value\n1,2\n')
    with pytest.raises(ValueError, match='expected columns row,publication,.*, found row,value'):
        load_published(tmp_path / 'a.csv')


def test_plot(tmp_path):
    comparisons, _ = compare(PUBLISHED, read_measured([write(tmp_path / 'a.json', is_mean=8.2, is_std=.1)], ROWS))
    assert plot_comparisons(tmp_path / 'a.png', comparisons)
    with Image.open(tmp_path / 'a.png') as image:
        pixels = np.asarray(image.convert('RGB')).reshape(-1, 3)
    for colour in ((0xb9, 0xc4, 0xd0), (0xc8, 0x55, 0x3d)):  # published and measured
        assert (pixels == colour).all(axis=1).sum() > 500
    nothing, _ = compare(PUBLISHED, [])
    assert not plot_comparisons(tmp_path / 'b.png', nothing)
    assert not (tmp_path / 'b.png').exists()
