"""The console command `sngan`, which an installed package has in place of a clone's scripts, for example

    sngan train --config sn_projection_mnist.yml
    sngan calc-fid --images mine/ --against photos/
"""
import difflib
import importlib
import importlib.metadata
import re
import sys

from source.command_line.standard_streams import standard_streams

SUBCOMMANDS = {  # name: (a clone's script, what it does)
    'train': ('train.py', 'train the GAN that a config describes'),
    'gen-images': ('evaluations/gen_images.py', 'generate images; needs no training'),
    'gen-interpolated-images': ('evaluations/gen_interpolated_images.py', 'morphs between latents and classes'),
    'calc-scores': ('evaluations/calc_scores.py', 'all scores from one pass'),
    'calc-inception': ('evaluations/calc_inception.py', 'inception score and FID'),
    'calc-fid': ('evaluations/calc_fid.py', 'FID, of a snapshot or of folders of images'),
    'calc-kid': ('evaluations/calc_kid.py', 'KID, as well'),
    'calc-intra-fid': ('evaluations/calc_intra_fid.py', 'FID within each class'),
    'calc-ms-ssim': ('evaluations/calc_ms_ssim.py', 'how alike samples of a class are'),
    'calc-ref-stats': ('evaluations/calc_ref_stats.py', 'statistics of real images'),
    'compare-paper': ('evaluations/compare_paper.py', 'measured scores beside the published ones'),
    'report': ('evaluations/report.py', 'a run on one HTML page'),
    'nearest-neighbors': ('evaluations/nearest_neighbors.py', 'the real images nearest to samples'),
    'singular-values': ('evaluations/singular_values.py', "spectra of a discriminator's weights"),
    'experiments': ('experiments.py', "the paper's comparisons: run, table, figures"),
    'prepare-images': ('source/datasets/prepare_images.py', 'pack a large folder of images'),
    'prepare-imagenet': ('source/datasets/prepare_imagenet.py', 'pack ImageNet from its raw folders'),
    'download-inception': ('source/inception/download.py', "fetch or convert Inception's weights"),
    'train-digits-classifier': ('evaluations/train_digits_classifier.py', 'train the judges of digits and MNIST'),
}
_BY_FILE = {script.rpartition('/')[2]: name for name, (script, _) in SUBCOMMANDS.items()}
_SCRIPT = re.compile(rf'(?:python )?(?:\b[\w/]+/|\b)({"|".join(map(re.escape, _BY_FILE))})')


def with_subcommands(text):
    """Return a text in which scripts, as in 'python evaluations/calc_fid.py', are called as in 'sngan calc-fid'."""
    return _SCRIPT.sub(lambda match: f'sngan {_BY_FILE[match[1]]}', text)


@standard_streams()
def main():
    name, *arguments = sys.argv[1:] or ['--help']
    name = name.replace('_', '-')
    if name in ('-h', '--help'):
        print(usage())
    elif name == '--version':
        print(f'sngan {importlib.metadata.version("sngan-chainer")}')
    elif name not in SUBCOMMANDS:
        near = difflib.get_close_matches(name, SUBCOMMANDS, 1)
        hint = f'did you mean {near[0]!r}?' if near else 'sngan alone lists them'
        print(f'sngan: error: {name}: no such subcommand; {hint}', file=sys.stderr)
        sys.exit(2)
    else:
        sys.argv = [f'sngan {name}', *arguments]  # from which messages and --help take the name
        script, _ = SUBCOMMANDS[name]
        importlib.import_module(script.removesuffix('.py').replace('/', '.')).main()


def usage():
    width = max(map(len, SUBCOMMANDS))
    return '\n'.join([
        'usage: sngan SUBCOMMAND ...', '',
        'Spectral normalization for GANs and the projection discriminator.', '',
        *(f'  {name:{width}}  {what}' for name, (_, what) in SUBCOMMANDS.items()), '',
        "sngan SUBCOMMAND --help has its options. The project's configs are found by their names; results are written",
        'below the current folder.'])


if __name__ == '__main__':
    main()
