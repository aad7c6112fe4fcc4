"""Features and logits on which this project's scores and torch-fidelity's are compared.

golden.json holds torch-fidelity 0.4.0's, with which the tests compare everywhere; with torch-fidelity itself they do
where it is installed. There `SNGAN_WRITE_GOLDEN=1 python -m pytest tests/metrics/test_against_torch_fidelity.py` writes
the file anew, from torch-fidelity alone. (As a script it would find the package `tests` that torch-fidelity installs.)
"""
from pathlib import Path

from tests.torch_fidelity_stand_in import torch_fidelity_module

import numpy as np

GOLDEN = Path(__file__).parent / 'golden.json'
SPLITS, N_SUBSETS, SUBSET_SIZE, KID_SEED, K = 7, 20, 100, 2020, 3


def features(n0=300, n1=260, d=24):
    """Two sets of correlated features, float64 (n0, D) and (n1, D), of 0 and above as Inception's are."""
    rng = np.random.RandomState(0)
    mixing = rng.normal(size=(d, d)) / np.sqrt(d)
    feats0 = np.abs(rng.normal(size=(n0, d)) @ mixing)
    feats1 = np.abs(rng.normal(size=(n1, d)) @ mixing * .9 + .1)
    return feats0, feats1


def few_features():
    """Fewer features than dimensions: their covariances are singular."""
    return features(40, 50, 64)


def logits():
    """float64 (203, 11): a number that the splits do not divide."""
    return 3. * np.random.RandomState(1).normal(size=(203, 11))


def torch_fidelity_scores():
    """{name: score} by torch-fidelity; skips the test where it is absent."""
    isc, fid, kid, prc = (torch_fidelity_module(f'metric_{name}') for name in ('isc', 'fid', 'kid', 'prc'))
    import torch
    scores = {}
    score = isc.isc_features_to_metric(torch.tensor(logits()), SPLITS, shuffle=False)
    scores['is_mean'], scores['is_std'] = score['inception_score_mean'], score['inception_score_std']
    for name, pair in (('fid', features()), ('fid_few', few_features())):
        statistics = [fid.fid_features_to_statistics(torch.tensor(feats)) for feats in pair]
        scores[name] = fid.fid_statistics_to_metric(*statistics, verbose=False)['frechet_inception_distance']
    real, fake = map(torch.tensor, features())
    found = kid.kid_features_to_metric(real, fake, kid_subsets=N_SUBSETS, kid_subset_size=SUBSET_SIZE,
                                       rng_seed=KID_SEED, verbose=False)
    scores['kid_mean'] = found['kernel_inception_distance_mean']
    scores['kid_std'] = found['kernel_inception_distance_std']
    found = prc.prc_features_to_metric(fake, real, prc_neighborhood=K, verbose=False)
    return {**scores, 'precision': found['precision'], 'recall': found['recall']}
