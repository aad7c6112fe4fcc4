"""Scores a snapshot's samples, or a folder of images, with the feature network that a config names, for example

    python evaluations/calc_inception.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz
    python evaluations/calc_inception.py --images my_digits/ --config configs/sn_projection_mnist.yml    # of yours
    python evaluations/calc_inception.py --images mine/ --against photos/ --network efficientnet_lite0

It gives the inception score, the Frechet distance and, where the network knows the classes, the share recognized;
without real images the inception score alone.
"""
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands import score_command


@one_line_errors
def main():
    score_command.run(__doc__, 'scores', ['is', 'fid'])


if __name__ == '__main__':
    main()
