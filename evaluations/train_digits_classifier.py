"""Train the digits feature network and report how many held-out digits it reads.

The shipped weights: python evaluations/train_digits_classifier.py --out source/feature_networks/digits.h5
"""
import argparse
import os
import sys

import source  # noqa: F401  (makes Chainer importable)
from source.datasets.digits import DigitsDataset
from source.feature_networks.digits import DigitsNet, load
from source.feature_networks.digits_training import train_digits_net
from source.feature_networks.feature_network import save_weights
from source.metrics.recognized_share import recognized_share

import numpy as np


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description='Train the digits feature network on the training split.')
    parser.add_argument('--out', default='results/digits_classifier.h5', help='the weights file to write')
    parser.add_argument('--seed', type=int, default=0, help='of weights, order and distortions')
    parser.add_argument('--epochs', type=int, default=100, help='passes over the 1,437 training digits; 100 take 2 to '
                        '3 minutes on one core')
    args = parser.parse_args(arguments)
    if args.epochs < 1 or args.seed < 0:
        parser.error(f'expected --epochs >= 1 and --seed >= 0, got {args.epochs} and {args.seed}')
    return args


def print_progress(epoch, loss):
    print(f'epoch {epoch}  loss {loss:.4f}', file=sys.stderr)


def main(arguments=None):
    args = parse_arguments(arguments)
    np.random.seed(args.seed)  # Chainer draws initial weights from NumPy's global generator
    net = DigitsNet()
    train, held_out = DigitsDataset('train'), DigitsDataset('test')
    train_digits_net(net, train.ims, train.labels, args.epochs, np.random.default_rng(args.seed), print_progress)
    os.makedirs(os.path.dirname(args.out) or '.', exist_ok=True)
    save_weights(args.out, net)
    share = recognized_share(load(weights_path=args.out)(held_out.ims)[1], held_out.labels)
    print(f'{args.out}: {share:.4f} of {len(held_out)} held-out digits recognized')


if __name__ == '__main__':
    main()
