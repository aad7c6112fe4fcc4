import json

from source.report.card import make_card
from source.report.run import read_run
from tests.report.made_run import make_run


def test_card(tmp_path):
    card = make_card(read_run(make_run(tmp_path / 'my run', {'updater.args.ema': .99})))
    for text in ('# my run', 'images of 10 classes', '`ResNetGenerator_4.npz`', '`DigitsDataset`', 'size 8',
                 '4 of 4 generator updates in 8 s, 2 discriminator updates each, batches of 4 real images; loss hinge',
                 'alpha 0.0002, beta1', 'alpha falls linearly to 0 from iteration 2 on',
                 'decay 0.99', 'Seed: 5', '| FID | 25 | 4 | 24 samples in 3 splits', '## Limits',
                 'is not the Inception network'):
        assert text in card, text
    assert '| epoch' not in card


def test_records_of_other_commands(folder):
    """With their protocol; what is no number is left out."""
    (folder / 'kid.json').write_text(json.dumps({
        'samples': 'results/G_4.npz', 'protocol': 'modern', 'feature_network': 'digits', 'seed': 3, 'kid_mean': .5,
        'fid': None, 'precision': 'high', 'n_images': 7000}))
    (folder / 'ms_ssim.json').write_text(json.dumps({
        'samples': 'x', 'protocol': '5 pairs', 'feature_network': None, 'seed': None, 'ms_ssim': .25}))
    card = make_card(read_run(folder))
    assert [line for line in card.splitlines() if 'kid.json' in line] == [
        '| KID | 0.5 | `kid.json` | modern; 7,000 images of `G_4.npz`; network digits; seed 3 |']
    assert '| MS-SSIM within classes (lower: more varied) | 0.25 | `ms_ssim.json` | 5 pairs; `x` |' in card


def test_without_scores(tmp_path):
    card = make_card(read_run(make_run(tmp_path / 'run', {'evaluation.network': None}, iterations=0)))
    assert 'None was computed.' in card and '**Look at this:** made 0 of 4 iterations' in card
    assert 'Files: none yet' in card
