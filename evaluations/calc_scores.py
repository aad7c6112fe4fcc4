"""Inception score, FID, KID, precision and recall, density and coverage, all from one pass of a snapshot's samples, or
of stored images, for example

    python evaluations/calc_scores.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz
    python evaluations/calc_scores.py --images mine/ --against photos/ --network efficientnet_lite0       # of yours
    python evaluations/calc_scores.py --snapshot results/sn_cifar10/ResNetGenerator_50000.npz --protocol paper \\
        --network inception --weights datasets/inception_model --data_dir ~/data

The third needs a run of configs/sn_cifar10.yml, its data, and the weights that source/inception/download.py makes.
"""
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands import score_command


@one_line_errors
def main():
    score_command.run(__doc__, 'all_scores')


if __name__ == '__main__':
    main()
