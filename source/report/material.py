"""What a report shows that must be made from a run's snapshots: sheets, neighbours, spectra."""
from dataclasses import dataclass, field

from source.command_line.commands_to_copy import called
from source.config.build import build_models, build_real_images, class_names_of, use_kernels
from source.files.atomic import file_sha256
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.report.verdict import largest_norm
from source.results_folder.snapshots import load_model
from source.scoring.neighbors import cached_features, find_neighbors
from source.scoring.spectra import spectra_of
from source.scoring.statistics_cache import fingerprint

import numpy as np

ROWS, COLUMNS, MAX_CLASSES = 4, 4, 20  # of the sheets
N_NEIGHBORS_OF, K = 10, 5
MAX_SPECTRA = 8  # snapshots whose singular values are computed
MAX_REAL = 100_000  # real images whose features are computed unasked
SEED = 1234  # as that of the command lines


@dataclass
class Material:
    """`sheets` {class or None: ims}, `neighbors` with `dataset`, `spectra` {iteration: of spectra_of}.

    `norm` is the LargestNorm of the last discriminator. `missing` says in sentences what could not be made and why.
    """

    iteration: int | None = None
    class_names: list | None = None
    sheets: dict = field(default_factory=dict)
    neighbors: object = None
    dataset: object = None
    spectra: dict = field(default_factory=dict)
    norm: object = None
    missing: list = field(default_factory=list)


def make_material(run, device, data_dir=None):
    """The Material of a run's last snapshots, on a Chainer device; what cannot be made is told in `missing`."""
    material = Material()
    config_path = str(run.path / 'config.yml')
    use_kernels(run.config, device)
    generators, discriminators = run.generators(), run.discriminators()
    if not generators:
        material.missing.append('No samples by class and no neighbours: there is no snapshot of the generator yet.')
    try:
        gen, dis = build_models(run.config, config_path)
        material.class_names = class_names_of(run.config, config_path)
    except (ValueError, OSError) as error:
        material.missing.append(f'Nothing could be made from the snapshots: {error}')
        return material
    if generators:
        material.iteration, path = list(generators.items())[-1]
        try:
            load_model(path, gen)
            gen.to_device(device)
            material.sheets = _sheets(gen)
        except ValueError as error:
            material.missing.append(f'No samples by class: {error}')
    for iteration in spread(list(discriminators), MAX_SPECTRA):
        try:
            load_model(discriminators[iteration], dis)
            material.spectra[iteration] = spectra_of(dis)
        except ValueError as error:
            material.missing.append(f'No singular values: {error}')
    if material.spectra:
        iteration, spectra = list(material.spectra.items())[-1]
        material.norm = largest_norm(spectra, iteration, file_sha256(discriminators[iteration]))
    if material.sheets:
        _add_neighbors(material, run, config_path, gen, dis, discriminators, device, data_dir)
    return material


def _sheets(gen):
    n = ROWS * COLUMNS
    classes = spread(list(range(gen.n_classes)), MAX_CLASSES) or [None]
    return {c: generate_ims(gen, n, _sampler(gen), None if c is None else np.full(n, c, np.int32))[0]
            for c in classes}


def _sampler(gen):
    return NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, SEED)


def spread(values, n):
    """At most n of the values, evenly spaced, the first and the last among them."""
    if len(values) <= n:
        return values
    return [values[i] for i in np.linspace(0, len(values) - 1, n).round().astype(int)]


def _add_neighbors(material, run, config_path, gen, dis, discriminators, device, data_dir):
    path = discriminators.get(material.iteration)
    if path is None or not hasattr(dis, 'features'):
        why = ('there is no discriminator of the same iteration' if path is None else
               f'{type(dis).__name__} offers no features')
        material.missing.append(f'No nearest neighbours: {why}.')
        return
    try:
        dataset = build_real_images(run.config, config_path, data_dir)
        load_model(path, dis)
        dis.to_device(device)
        file = run.path / 'nearest_neighbors' / f'features_{path.stem}.npy'
        if len(dataset) > MAX_REAL and not file.exists():
            material.missing.append(
                f'No nearest neighbours: the features of {len(dataset):,} real images would take long. Once '
                f'{called("evaluations/nearest_neighbors.py")} has computed them for this snapshot, they are shown '
                'here.')
            return
        labels = None
        if gen.n_classes:
            labels = np.array(spread(list(range(gen.n_classes)), N_NEIGHBORS_OF), np.int32)
        n = N_NEIGHBORS_OF if labels is None else len(labels)
        ims, y = generate_ims(gen, n, _sampler(gen), labels)
        feats = cached_features(dis, dataset, file, {
            'discriminator_sha256': file_sha256(path), 'images': fingerprint(dataset)})
        material.neighbors = find_neighbors(ims, y, dis, dataset, feats, min(K, len(dataset)))
        material.dataset = dataset
    except (ValueError, OSError) as error:
        material.missing.append(f'No nearest neighbours: {" ".join(str(error).split())}')
