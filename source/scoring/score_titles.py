"""What people call the scores and losses that a log holds."""
SCORE_TITLES = {'is_mean': 'inception score', 'fid': 'FID', 'recognized': 'share recognized as their class',
                'kid_mean': 'KID', 'precision': 'precision', 'recall': 'recall', 'intra_fid': 'intra-FID',
                'ms_ssim': 'MS-SSIM within classes (lower: more varied)'}
LOSS_TITLES = {'loss_gen': 'generator loss', 'loss_dis': 'discriminator loss',
               'loss_ac_gen': "generator's class loss", 'loss_ac_dis': "discriminator's class loss"}
