"""The Frechet distance (FID) of a snapshot's samples, or of stored images, from real ones, for example

    python evaluations/calc_fid.py --snapshot results/mnist/ResNetGenerator_ema_1500.npz
    python evaluations/calc_fid.py --images mine/ --against photos/       # folders of yours, of images of any sizes
    python evaluations/calc_fid.py --images results/mnist/gen_images/samples.npz --ref_stats mnist_stats.npz \\
        --config configs/sn_projection_mnist.yml

Without a config the judge is Inception, whose weights source/inception/download.py makes, or what --network names. The
third needs what gen_images.py with --n 1000 --npz and the first example of calc_ref_stats.py write.
"""
from source.command_line.one_line_errors import one_line_errors
from source.evaluation_commands import score_command


@one_line_errors
def main():
    score_command.run(__doc__, 'fid', ['fid'])


if __name__ == '__main__':
    main()
