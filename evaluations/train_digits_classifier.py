"""Trains a feature network on handwritten digits and says how many held-out ones it reads, for example

    python evaluations/train_digits_classifier.py --data mnist --out results/mnist_classifier.h5

The shipped weights, source/feature_networks/digits.h5 and mnist.h5, are those of the default arguments.
"""
import sys
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.datasets.digits import DigitsDataset
from source.datasets.mnist import MNISTDataset
from source.evaluation_commands import records
from source.feature_networks import load_feature_network
from source.feature_networks.digits import SIDES, DigitsNet
from source.feature_networks.digits_training import train_digits_net
from source.feature_networks.feature_network import save_weights
from source.files.folders import make_folder
from source.metrics.recognized_share import recognized_share

import numpy as np

DATA = {'digits': DigitsDataset, 'mnist': MNISTDataset}
EPOCHS = {'digits': 100, 'mnist': 50}


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--data', choices=list(DATA), default='digits',
                        help="scikit-learn's 1,437 digits of 8x8 px (the default), or 4,000 of MNIST's of 28x28 px")
    parser.add_argument('--out', metavar='FILE',
                        help='the weights file to write (default: results/digits_classifier.h5, or mnist_...)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of weights, order and distortions (default: 0)')
    parser.add_argument('--epochs', type=int, metavar='N', help='passes over the training images (default: 100, or 50 '
                        'of mnist, which take 2 to 3 minutes, or 8 to 20)')
    args = parser.parse_args()
    args.out = args.out or f'results/{args.data}_classifier.h5'
    args.epochs = EPOCHS[args.data] if args.epochs is None else args.epochs
    if args.epochs < 1 or not 0 <= args.seed < 2 ** 32:
        parser.error(f'expected --epochs of at least 1 and --seed of 0 to {2 ** 32 - 1}, found {args.epochs} and '
                     f'{args.seed}')
    return args


def print_progress(epoch, loss):
    print(f'epoch {epoch}  loss {loss:.4f}', file=sys.stderr)


@one_line_errors
def main():
    args = parse_arguments()
    make_folder(Path(args.out).parent)  # what cannot be written is said before the training
    if Path(args.out).is_dir():
        raise ValueError(f'--out {args.out}: expected the name of a file, found a folder')
    records.tell_replaced([args.out], '--out names another file')
    np.random.seed(args.seed)  # Chainer draws initial weights from NumPy's global generator
    net = DigitsNet(SIDES[args.data])
    train, held_out = (DATA[args.data](split) for split in ('train', 'test'))
    train_digits_net(net, train.ims, train.labels, args.epochs, np.random.default_rng(args.seed), print_progress)
    save_weights(args.out, net)
    share = recognized_share(load_feature_network(args.data, weights=args.out)(held_out.ims)[1], held_out.labels)
    print(f'{args.out}: {share:.4f} of {len(held_out)} held-out digits recognized')


if __name__ == '__main__':
    main()
