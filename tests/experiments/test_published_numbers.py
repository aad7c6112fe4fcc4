"""All numbers that evaluations/published_numbers.csv has of the SN-GAN paper, as the paper prints them."""
from source.experiments.table import PUBLISHED
from source.scoring.comparison import load_published

TABLE_2 = {  # inception score on CIFAR-10 and STL-10, FID on CIFAR-10 and STL-10
    'real': ('11.24±.12', '26.08±.26', '7.8', '7.9'),
    'cnn_weight_clipping': ('6.41±.11', '7.57±.10', '42.6', '64.2'),
    'cnn_gan_gp': ('6.93±.08', '', '37.7', ''),
    'cnn_wgan_gp': ('6.68±.06', '8.42±.13', '40.2', '55.1'),
    'cnn_batch_norm': ('6.27±.10', '', '56.3', ''),
    'cnn_layer_norm': ('7.19±.12', '7.61±.12', '33.9', '75.6'),
    'cnn_weight_norm': ('6.84±.07', '7.16±.10', '34.7', '73.4'),
    'cnn_orthonormal': ('7.40±.12', '8.56±.07', '29.0', '46.7'),
    'cnn_sn': ('7.42±.08', '8.28±.09', '29.3', '53.1'),
    'cnn_orthonormal_2x': ('', '8.67±.08', '', '44.2'),
    'cnn_sn_2x': ('', '8.69±.09', '', '47.5'),
    'cnn_sn_hinge': ('7.58±.12', '', '25.5', ''),
    'cnn_sn_hinge_2x': ('', '8.79±.14', '', '43.2'),
    'resnet_orthonormal_hinge': ('7.92±.04', '8.72±.06', '23.8±.58', '42.4±.99'),
    'resnet_sn_hinge': ('8.22±.05', '9.10±.04', '21.7±.21', '40.1±.50'),
    'dcgan_cited': ('6.64±.14', '7.84±.07', '', ''),
    'lr_gan_cited': ('7.17±.07', '', '', ''),
    'warde_farley_cited': ('7.72±.13', '8.51±.13', '', ''),
    'wgan_gp_resnet_cited': ('7.86±.08', '', '', ''),
}
TABLE_7 = {  # inception score and FID on CIFAR-10
    'cnn_wgan_gp_table7': ('6.68±.06', '40.1'),
    'cnn_wgan_gp_frobenius': ('N/A', 'N/A'),
    'cnn_wgan_gp_weight_norm': ('6.36±.04', '42.4'),
    'cnn_wgan_gp_sn': ('7.20±.08', '32.0'),
    'resnet_wgan_gp': ('7.80±.11', '24.5'),
    'resnet_wgan_gp_sn': ('7.85±.06', '23.6'),
    'resnet_wgan_gp_sn_15x': ('7.96±.06', '22.5'),
}
TABLE_8 = {
    'ac_wgan_gp_cited': ('8.42±.10', ''),
    'resnet_ac_wgan_gp': ('8.29±.12', '19.5'),
    'resnet_ac_wgan_gp_sn': ('8.59±.12', '18.6'),
    'resnet_ac_wgan_gp_sn_15x': ('8.60±.08', '17.5'),
}
SECTION_4_2 = {  # ImageNet
    ('imagenet_concat', 'is'): '21.1±.35',
    ('imagenet_concat', 'ms_ssim'): '0.101',
    ('imagenet_ac_gan_cited', 'ms_ssim'): '0.25',
}
FIGURE_10 = {  # seconds per 100 updates on CIFAR-10 and STL-10, read off the bars
    'vanilla_time': ('28', '61'), 'weight_norm_time': ('30', '62'), 'sn_time': ('31', '63'),
    'wgan_gp_time': ('40', '90')}
ROWS = {'CIFAR-10': 'cifar10', 'STL-10': 'stl10'}


def printed(p):
    """As the paper prints it."""
    return 'N/A' if p.note == 'collapsed' else p.value + (f'±{p.plus_minus.removeprefix("0")}' if p.plus_minus else '')


def of(table):
    """{(row, data set, score): what is printed} of the file."""
    return {(p.row, p.dataset, p.score): printed(p) for p in load_published(PUBLISHED)
            if p.publication == 'SN-GAN' and p.table == table}


def spread(rows, columns):
    """{(row, data set, score): what is printed} of literals, without what the paper leaves empty."""
    return {(f'{ROWS[data]}_{row}', data, score): text for row, texts in rows.items()
            for (score, data), text in zip(columns, texts, strict=True) if text}


def test_table_2():
    assert of('Table 2') == spread(TABLE_2, [('is', 'CIFAR-10'), ('is', 'STL-10'), ('fid', 'CIFAR-10'),
                                             ('fid', 'STL-10')])


def test_tables_7_and_8():
    columns = [('is', 'CIFAR-10'), ('fid', 'CIFAR-10')]
    assert of('Table 7') == spread(TABLE_7, columns)
    assert of('Table 8') == spread(TABLE_8, columns)


def test_section_4_2():
    assert of('Section 4.2') == {(row, 'ImageNet 128', score): text for (row, score), text in SECTION_4_2.items()}


def test_figure_10():
    assert of('Figure 10') == spread(FIGURE_10, [('seconds_per_100_updates', data) for data in ROWS])


def test_nothing_else():
    assert {p.table for p in load_published(PUBLISHED) if p.publication == 'SN-GAN'} == {
        'Table 2', 'Table 7', 'Table 8', 'Section 4.2', 'Figure 10'}


def test_what_the_errors_are_over():
    """Section B.1: ten sample sets; footnote 5: ResNets' are over seeds."""
    for p in load_published(PUBLISHED):
        if p.publication == 'SN-GAN' and p.table == 'Table 2' and p.plus_minus and 'cited' not in p.row:
            assert p.over == ('seeds' if 'resnet' in p.row else 'sample sets'), p
