"""The kernel inception distance (KID) of a snapshot's samples, or of stored images, from real ones, for example

    python evaluations/calc_kid.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz --kid_subset_size 500
    python evaluations/calc_kid.py --images mine/ --against photos.npz --network efficientnet_lite0       # of yours
"""
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands import score_command


@one_line_errors
def main():
    score_command.run(__doc__, 'kid', ['kid'])


if __name__ == '__main__':
    main()
