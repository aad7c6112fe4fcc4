import json

from source.config.yaml_utils import load_config
from source.scoring.comparison import compare, load_published, read_measured
from tests.children import ROOT
from tests.evaluations.scored_snapshot import write_score
from tests.test_configs import PARTS

import pytest

PUBLISHED = load_published(ROOT / 'evaluations' / 'published_numbers.csv')
ROWS = {p.row for p in PUBLISHED}
RESNET = 'cifar10_resnet_sn_hinge'


def compared(paths):
    comparisons, apart = compare(PUBLISHED, read_measured(paths, ROWS))
    return [c for c in comparisons if c.measured], apart


@pytest.mark.parametrize('row, where, expected', [
    ('stl10_real', 'Table 2', {'is': ('26.08', '0.26'), 'fid': ('7.9', '')}),
    ('cifar10_cnn_sn', 'Table 2', {'is': ('7.42', '0.08'), 'fid': ('29.3', '')}),
    ('stl10_cnn_sn', 'Table 2', {'is': ('8.28', '0.09'), 'fid': ('53.1', '')}),
    ('stl10_cnn_sn_hinge_2x', 'Table 2', {'is': ('8.79', '0.14'), 'fid': ('43.2', '')}),
    (RESNET, 'Table 2', {'is': ('8.22', '0.05'), 'fid': ('21.7', '0.21')}),
    ('cifar10_cnn_wgan_gp_sn', 'Table 7', {'is': ('7.20', '0.08'), 'fid': ('32.0', '')}),
    ('cifar10_cnn_wgan_gp_frobenius', 'Table 7', {'is': ('', ''), 'fid': ('', '')}),
    ('cifar10_resnet_ac_wgan_gp_sn_15x', 'Table 8', {'is': ('8.60', '0.08'), 'fid': ('17.5', '')}),
    ('imagenet_concat', 'SN-GAN', {'is': ('21.1', '0.35'), 'ms_ssim': ('0.101', '')}),
    ('imagenet_projection', 'projection', {'is': ('29.7', ''), 'intra_fid': ('103.1', '')}),
    ('cifar10_projection', 'StudioGAN', {'is': ('8.83', ''), 'fid': ('9.01', '')})])
def test_what_was_published(row, where, expected):
    assert {p.score: (p.value, p.plus_minus) for p in PUBLISHED
            if p.row == row and where in (p.publication, p.table)} == expected


def test_numbers_are_numbers_and_none_comes_twice():
    for p in PUBLISHED:
        assert (p.number is None) == (p.note == 'collapsed')
        assert p.error is None or 0 < p.error < 1
    assert len({(p.row, p.score, p.publication) for p in PUBLISHED}) == len(PUBLISHED)
    assert {p.protocol for p in PUBLISHED if p.publication in ('mimicry', 'StudioGAN')} == {'modern'}


OF_CONFIGS = {
    'cnn_cifar10/batch': 'cifar10_cnn_batch_norm', 'cnn_cifar10/gan_gp': 'cifar10_cnn_gan_gp',
    'cnn_cifar10/layer': 'cifar10_cnn_layer_norm', 'cnn_cifar10/orthonormal': 'cifar10_cnn_orthonormal',
    'cnn_cifar10/spectral_hinge': 'cifar10_cnn_sn_hinge', 'cnn_cifar10/weight': 'cifar10_cnn_weight_norm',
    'cnn_cifar10/weight_clipping': 'cifar10_cnn_weight_clipping', 'cnn_cifar10/wgan_gp': 'cifar10_cnn_wgan_gp',
    'cnn_cifar10/wgan_gp_frobenius': 'cifar10_cnn_wgan_gp_frobenius',
    'cnn_cifar10/wgan_gp_spectral': 'cifar10_cnn_wgan_gp_sn',
    'cnn_cifar10/wgan_gp_weight': 'cifar10_cnn_wgan_gp_weight_norm', 'cnn_stl10/layer': 'stl10_cnn_layer_norm',
    'cnn_stl10/orthonormal': 'stl10_cnn_orthonormal', 'cnn_stl10/orthonormal_2x': 'stl10_cnn_orthonormal_2x',
    'cnn_stl10/spectral': 'stl10_cnn_sn', 'cnn_stl10/spectral_2x': 'stl10_cnn_sn_2x',
    'cnn_stl10/spectral_hinge_2x': 'stl10_cnn_sn_hinge_2x', 'cnn_stl10/weight': 'stl10_cnn_weight_norm',
    'cnn_stl10/weight_clipping': 'stl10_cnn_weight_clipping', 'cnn_stl10/wgan_gp': 'stl10_cnn_wgan_gp',
    'resnet_cifar10/ac_wgan_gp': 'cifar10_resnet_ac_wgan_gp',
    'resnet_cifar10/ac_wgan_gp_spectral': 'cifar10_resnet_ac_wgan_gp_sn',
    'resnet_cifar10/ac_wgan_gp_spectral_wide': 'cifar10_resnet_ac_wgan_gp_sn_15x',
    'resnet_cifar10/orthonormal': 'cifar10_resnet_orthonormal_hinge',
    'resnet_cifar10/wgan_gp': 'cifar10_resnet_wgan_gp', 'resnet_cifar10/wgan_gp_spectral': 'cifar10_resnet_wgan_gp_sn',
    'resnet_cifar10/wgan_gp_spectral_wide': 'cifar10_resnet_wgan_gp_sn_15x',
    'resnet_stl10/orthonormal': 'stl10_resnet_orthonormal_hinge', 'resnet_stl10/spectral': 'stl10_resnet_sn_hinge',
    'sn_cifar10': 'cifar10_projection', 'sn_cifar10_unconditional': 'cifar10_resnet_sn_hinge',
    'sn_cnn_cifar10': 'cifar10_cnn_sn', 'sn_concat': 'imagenet_concat',
    'sn_projection_dog_and_cat_128': 'dog_and_cat_projection', 'sn_projection_imagenet': 'imagenet_projection',
    'imagenet/spectral_projection_850k': 'imagenet_projection_850k'}


def test_each_row_is_of_one_config_and_all_that_can_be_are():
    """None is named where nothing was published."""
    configs = [path for path in (ROOT / 'configs').rglob('*.yml') if path.parent.name not in PARTS]
    named = {path.relative_to(ROOT / 'configs').with_suffix('').as_posix(): load_config(path)['paper_row']
             for path in configs}
    assert {name: row for name, row in named.items() if row} == OF_CONFIGS
    rows = set(OF_CONFIGS.values())
    assert len(rows) == len(OF_CONFIGS) and rows < ROWS
    left = {p.row for p in PUBLISHED if p.publication == 'SN-GAN' and p.table in ('Table 2', 'Table 7', 'Table 8')}
    left = {row for row in left - rows if not row.endswith(('_real', '_cited'))}
    assert left == {'cifar10_cnn_wgan_gp_table7'}  # Table 2's run, told again with another FID


def test_inside_the_papers_error(tmp_path):
    """No error, no verdict; a single split, of which earlier records say a std of 0, has none."""
    for is_mean, inside in ((8.22, True), (8.27, True), (8.17, True), (8.2701, False), (8.16, False)):
        (c,), apart = compared([write_score(tmp_path / 'a.json', is_mean=is_mean, is_std=.1)])
        assert (c.published.publication, c.published.score, c.inside, apart) == ('SN-GAN', 'is', inside, [])
        assert c.difference == pytest.approx(is_mean - 8.22) and c.measured.std == .1
    (c,), _ = compared([write_score(tmp_path / 'a.json', paper_row='cifar10_cnn_sn', fid=29.3)])
    assert c.same_protocol and c.inside is None and c.difference == 0.
    (c,), _ = compared([write_score(tmp_path / 'a.json', is_mean=8.2, is_std=0., splits=1)])
    assert (c.measured.value, c.measured.std) == (8.2, None)


def test_no_verdict_of_other_batches(tmp_path):
    for values, differs, inside in (({'other_batch': None}, None, True), ({'other_batch': 'x'}, 'other batches', None),
                                    ({'other_batch': 'not known: x'}, 'batches unknown', None),
                                    ({'other_batch': 'x', 'other_iteration': 'y'}, 'other iteration', None),
                                    ({'other_batch': 'x', 'protocol': 'config'}, 'protocols differ', None)):
        (c, *_), _ = compared([write_score(tmp_path / 'a.json', is_mean=8.22, **values)])
        assert (c.differs, c.inside, c.difference) == (differs, inside, 0.)
    path = write_score(tmp_path / 'a.json', is_mean=8.22)
    record = json.loads(path.read_text())
    del record['other_batch']  # as of an earlier version
    path.write_text(json.dumps(record))
    assert compared([path])[0][0].differs == 'batches unknown'


def test_each_protocol_has_its_own_publication(tmp_path):
    """A modern FID answers mimicry's and not the paper's; one of the config's own protocol answers either, told so."""
    modern = write_score(tmp_path / 'a.json', protocol='modern', fid=17., n_real=50000)
    (c,), _ = compared([modern])
    assert (c.published.publication, c.same_protocol) == ('mimicry', True)
    found, _ = compared([modern, write_score(tmp_path / 'b.json', fid=21.8)])
    assert [(c.published.publication, c.measured.value, c.inside) for c in found] == [
        ('SN-GAN', 21.8, True), ('mimicry', 17., None)]
    found, _ = compared([write_score(tmp_path / 'c.json', protocol='config', fid=22.)])
    assert [(c.published.publication, c.same_protocol, c.inside) for c in found] == [
        ('SN-GAN', False, None), ('mimicry', False, None)]
    found, _ = compared([write_score(tmp_path / 'd.json', fid=21.7, is_mean=8.22, n_real=360)])  # other real images
    assert {c.published.score: (c.measured.protocol, c.inside) for c in found if c.published.publication == 'SN-GAN'
            } == {'is': ('paper', True), 'fid': ('paper, 360 real', None)}


def test_what_is_never_compared(tmp_path):
    """Another network than Inception, but for MS-SSIM, no row, and a score that the row does not have."""
    for values, scores in (({'feature_network': 'inception_chainer', 'is_mean': 8.22, 'fid': 21.7}, ['is', 'fid']),
                           ({'paper_row': None, 'is_mean': 8.22}, ['is']), ({'intra_fid': 12.}, ['intra_fid'])):
        found, apart = compared([write_score(tmp_path / 'a.json', **values)])
        assert found == [] and [m.score for m in apart] == scores
    for name, value in (('a', .12), ('b', .13)):  # two runs, two lines
        write_score(tmp_path / f'{name}.json', paper_row='imagenet_concat', feature_network=None, ms_ssim=value)
    found, apart = compared([tmp_path])
    assert [(c.published.value, c.measured.value) for c in found] == [('0.101', .12), ('0.101', .13)] and apart == []


def test_no_records(tmp_path):
    (tmp_path / 'log.json').write_text('[]')
    (tmp_path / 'broken.json').write_text('{')
    for path in (tmp_path, tmp_path / 'log.json', tmp_path / 'broken.json'):
        with pytest.raises(ValueError, match=f'{path}: expected a record'):
            read_measured([path], ROWS)
    (tmp_path / 'a.csv').write_text('row,value\n1,2\n')
    with pytest.raises(ValueError, match='expected columns row,publication,.*, found row,value'):
        load_published(tmp_path / 'a.csv')


def test_other_values(tmp_path):
    for name, value, expected in (
            ('paper_row', [RESNET], 'expected text, found list'), ('paper_row', {}, 'expected text, found dict'),
            ('protocol', None, 'expected text, found NoneType'), ('samples', None, 'expected text, found NoneType'),
            ('feature_network', ['inception'], 'expected text, found list'),
            ('other_batch', 16, 'expected text, found int')):
        path = write_score(tmp_path / 'a.json', **{name: value}, fid=3.)
        with pytest.raises(ValueError, match=f'{path}: {name}: {expected}'):
            read_measured([path], ROWS)
    assert read_measured([write_score(path, fid='3', is_mean=True, intra_fid=10 ** 400)], ROWS) == []
    (m,) = read_measured([write_score(path, is_mean=3, is_std='high')], ROWS)
    assert (m.value, m.std) == (3, None)
