"""Makes the weights file of the 2015 Inception network, by downloading it or from a file you have, for example

    python source/inception/download.py --outfile datasets/inception_model
    python source/inception/download.py --outfile datasets/inception_model --source inception-2015-12-05.tgz

A download of 89 MB that stops goes on where it was when the command is run again.
"""
import os

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.command_line.progress_bar import progress_bar
from source.files.atomic import file_sha256
from source.files.resumable_download import resumable_download
from source.inception.weights import read_weights, save_weights

URLS = tuple(f'{scheme}://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz'
             for scheme in ('https', 'http'))  # in this order
# No SHA-256 of the archive was ever published: its size, its checksum and each array's name and shape are checked.
N_BYTES = 88931400
DIGEST_IN_NAME = '-6726825d.pth'  # PyTorch's custom: so begins the file's SHA-256
SOURCES = ('inception-2015-12-05.tgz or its classify_image_graph_def.pb, '
           'weights-inception-2015-12-05-6726825d.pth (torch-fidelity), '
           "pt_inception-2015-12-05-6726825d.pth (pytorch-fid), or the authors' .h5")


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--outfile', default='datasets/inception_model', metavar='FILE',
                        help='the .h5 to write (default: datasets/inception_model)')
    parser.add_argument('--source', metavar='FILE', help=f'a file to convert instead of downloading: {SOURCES}')
    return parser.parse_args()


def download(folder):
    """Return the path of the archive of 2015 in `folder`, fetched there if it is missing.

    Raises OSError, with what to do by hand, where it cannot be fetched, and ValueError where it is another file.
    """
    path = os.path.join(folder, os.path.basename(URLS[0]))
    with progress_bar(N_BYTES, 'downloading', 'B', unit_scale=True) as bar:
        for url in URLS:
            try:
                resumable_download(url, path, N_BYTES, report=lambda done, _: bar.update(done - bar.n))
                return path
            except OSError as error:
                reason = error
    raise OSError(f'{url} could not be fetched ({reason}); run this again to go on, or fetch one of these '
                  f'elsewhere and give it as --source FILE: {SOURCES}')


def convert(source, outfile):
    """Write the weights of `source`, any file that `read_weights` takes, as an `.h5`; return its SHA-256.

    Raises ValueError too where the name of `source` promises another SHA-256 than it has.
    """
    if os.path.basename(source).endswith(DIGEST_IN_NAME):
        expected, found = DIGEST_IN_NAME[1:9], file_sha256(source)
        if not found.startswith(expected):
            raise ValueError(f'{source}: expected a SHA-256 beginning with {expected}, as its name says, found {found}')
    save_weights(outfile, read_weights(source))
    return file_sha256(outfile)


def convert_download(outfile):
    """Fetch the archive beside `outfile` and convert it; one that is not what it should be is removed."""
    source = download(os.path.dirname(outfile) or '.')
    try:
        return source, convert(source, outfile)
    except ValueError as error:
        os.remove(source)
        raise ValueError(f'{error}; removed it: run this again to fetch it anew') from None


@one_line_errors
def main():
    args = parse_arguments()
    source, digest = (args.source, convert(args.source, args.outfile)) if args.source else (
        convert_download(args.outfile))
    print(f'{args.outfile}: the weights of {source}, SHA-256 {digest}')


if __name__ == '__main__':
    main()
