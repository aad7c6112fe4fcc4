"""Draws the singular values of discriminators' weights, layer by layer (Figure 3), and bounds their Lipschitz
constant by the product of spectral norms (eq. 7), for example

    python evaluations/singular_values.py --snapshot results/mnist/SNResNetProjectionDiscriminator_1500.npz
    python evaluations/singular_values.py --snapshot results/mnist/SNResNetProjectionDiscriminator_{500,1500}.npz

Each curve is scaled to a largest value of 1, as in the paper. A normalized weight is shown as normalized.
"""
import json
from pathlib import Path

from source.command_line.argument_parser import ArgumentParser
from source.command_line.one_line_errors import one_line_errors
from source.config.build import build_models
from source.config.shipped_configs import find_config
from source.config.yaml_utils import load_config
from source.evaluation_commands import records
from source.files.atomic import atomic_write
from source.files.folders import make_folder
from source.generators import config_of
from source.pictures.spectra_plot import plot_spectra
from source.results_folder.results_dir import versions
from source.results_folder.snapshots import load_model
from source.scoring.spectra import spectra_of


def parse_arguments():
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('--snapshot', required=True, nargs='+', metavar='FILE',
                        help='<discriminator class>_<iteration>.npz; several are drawn together')
    parser.add_argument('--config', '--config_path', type=find_config, metavar='FILE',
                        help='config of the snapshots; default: the config.yml beside each')
    parser.add_argument('--results_dir', metavar='DIR',
                        help='where to write; default: singular_values/ beside the first snapshot')
    return parser.parse_args()


def load_discriminator(snapshot, config):
    path = config_of(snapshot, config)
    _, dis = build_models(load_config(path), str(path))
    load_model(snapshot, dis)
    return dis


def labels_of(snapshots):
    """Short names that tell the snapshots apart: without what all have in common."""
    stems = [Path(s).stem for s in snapshots]
    if len(set(stems)) == len(stems):
        return stems
    return [f'{Path(s).parent.name}/{stem}' for s, stem in zip(snapshots, stems)]


@one_line_errors
def main():
    args = parse_arguments()
    labels = labels_of(args.snapshot)
    if len(set(labels)) < len(labels):
        raise ValueError(f'--snapshot: expected different files, found {labels[0]} twice')
    spectra = {label: spectra_of(load_discriminator(snapshot, args.config))
               for label, snapshot in zip(labels, args.snapshot)}
    out = make_folder(args.results_dir or Path(args.snapshot[0]).parent / 'singular_values')
    name = Path(args.snapshot[0]).stem if len(labels) == 1 else 'comparison'
    image, record = out / f'{name}.png', out / f'{name}.json'
    records.tell_replaced([image])
    plot_spectra(image, spectra)
    with atomic_write(record) as file:
        file.write((json.dumps({**spectra, 'versions': versions()}, indent=1) + '\n').encode())
    for label, spectrum in spectra.items():
        print_spectrum(label, spectrum)
    print(f'drawn in {image}, all values in {record}')


def print_spectrum(label, spectrum):
    print(f'{label} (normalization: {spectrum["normalization"] or "none"})')
    width = max(map(len, spectrum['layers']))
    print(f'  {"layer":{width}}  sigma of the weight used   sigma of the weight stored')
    for name, layer in spectrum['layers'].items():
        print(f'  {name:{width}}  {_number(layer["values"][0]):>24}   {_number(layer["raw"]):>26}')
    product = ' x '.join(_number(f) for f in spectrum['factors'].values())
    print(f'  eq. 7, of the weights as matrices: ||f||_Lip <= {product} = {_number(spectrum["bound"])}'
          f'  (without normalization {_number(spectrum["raw_bound"])}), by {", ".join(spectrum["factors"])}')


def _number(x):
    return 'not finite' if x is None else f'{x:.4g}'


if __name__ == '__main__':
    main()
