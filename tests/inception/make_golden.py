"""Writes golden.npz, what torch-fidelity computes from the seeded random weights: python -m tests.inception.make_golden

Run where PyTorch and torch-fidelity are; the file needs neither, so that test_golden.py runs everywhere.
"""
import tempfile
from pathlib import Path

import source  # noqa: F401
from tests.inception import torch_fidelity_network as oracle
from tests.inception.photos import photos
from tests.inception.random_weights import random_arrays

import numpy as np
import pytest


def main():
    golden = {'ims': photos(40, 33)}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / 'random.pth'
        oracle.save_state_dict(random_arrays(), path)
        network = oracle.network(path)
        tf = oracle.outputs(network, golden['ims'])
        oracle.make_like_the_authors_code(network, patch)
        chainer = oracle.outputs(network, golden['ims'])
    golden.update({'tf_feats': tf['2048'], 'tf_logits': tf['logits_unbiased'],
                   'chainer_feats': chainer['2048'], 'chainer_logits': chainer['logits']})
    np.savez_compressed(Path(__file__).parent / 'golden.npz', **golden)


if __name__ == '__main__':
    main()
