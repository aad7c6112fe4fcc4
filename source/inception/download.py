"""Makes the weights file of the 2015 Inception network, by downloading it or from a file you have, for example

    python source/inception/download.py --outfile datasets/inception_model
    python source/inception/download.py --outfile datasets/inception_model --source inception-2015-12-05.tgz

A download of 89 MB that stops goes on where it was when the command is run again.
"""
import argparse
import hashlib
import os
import sys

from source.inception.weights import read_weights, save_weights
from source.miscs.resumable_download import resumable_download

from tqdm import tqdm

URL = 'http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz'
N_BYTES = 88931400
SOURCES = ('inception-2015-12-05.tgz or its classify_image_graph_def.pb, '
           'weights-inception-2015-12-05-6726825d.pth (torch-fidelity), '
           "pt_inception-2015-12-05-6726825d.pth (pytorch-fid), or the authors' .h5")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--outfile', default='datasets/inception_model', metavar='FILE',
                        help='the .h5 to write (default: datasets/inception_model)')
    parser.add_argument('--source', metavar='FILE', help=f'a file to convert instead of downloading: {SOURCES}')
    return parser.parse_args()


def download(folder):
    """Return the path of the archive of 2015 in `folder`, fetched there if it is missing.

    Raises OSError, with what to do by hand, where it cannot be fetched, and ValueError where it is another file.
    """
    path = os.path.join(folder, os.path.basename(URL))
    with tqdm(total=N_BYTES, unit='B', unit_scale=True, desc='downloading', disable=os.path.exists(path)) as bar:
        try:
            resumable_download(URL, path, N_BYTES, report=lambda done, _: bar.update(done - bar.n))
        except OSError as error:
            raise OSError(f'{URL} could not be fetched ({error}); run this again to go on, or fetch one of these '
                          f'elsewhere and give it as --source FILE: {SOURCES}') from None
    return path


def convert(source, outfile):
    """Write the weights of `source`, any file that `read_weights` takes, as an `.h5`; return its SHA-256."""
    save_weights(outfile, read_weights(source))
    with open(outfile, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def main():
    args = parse_arguments()
    try:
        source = args.source or download(os.path.dirname(args.outfile) or '.')
        digest = convert(source, args.outfile)
    except (ValueError, OSError) as error:
        print(f'{os.path.basename(sys.argv[0])}: error: {error}', file=sys.stderr)
        sys.exit(2)
    print(f'{args.outfile}: the weights of {source}, SHA-256 {digest}')


if __name__ == '__main__':
    main()
