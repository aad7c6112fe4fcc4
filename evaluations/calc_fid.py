"""The Fréchet distance (FID) of a snapshot's samples, or of stored images, from real ones, for example

    python evaluations/calc_fid.py --snapshot results/digits/ResNetGenerator_1200.npz
    python evaluations/calc_fid.py --images samples.npz --config configs/sn_projection_digits.yml --ref_stats stats.npz

The second needs such files, as `gen_images.py --n 1000 --npz` and `calc_ref_stats.py --out stats.npz` write.
"""
from evaluations import score_command
from evaluations.command_line import one_line_errors


@one_line_errors
def main():
    score_command.run(__doc__, 'fid', ['fid'])


if __name__ == '__main__':
    main()
