"""Trained generators from their snapshots, and images of them: for the commands, and for code of one's own.

It joins configs, snapshots and sampling, and so belongs to no room.
"""
from pathlib import Path

import gen_models
from source.command_line.devices import get_device
from source.config.build import build_models, use_kernels
from source.config.checks import ConfigError
from source.config.shipped_configs import find_config, nearest_configs
from source.config.yaml_utils import load_config
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.results_folder.snapshots import SnapshotError, load_model

import numpy as np

__all__ = ['load_generator', 'sample']


def shipped_generator():
    """Return the path of the generator that comes with the project; its config and its card lie beside it."""
    return str(next((Path(gen_models.__file__).parent / 'mnist').glob('*.npz')))


def config_of(snapshot, config, said='--config FILE'):
    """Return the path of the config that is named, or else lies beside the snapshot; either may be None.

    Raises SnapshotError or ConfigError where there is none; `said` is how one is named, for messages.
    """
    if snapshot and Path(snapshot).is_dir():
        raise SnapshotError(f'{snapshot}: expected a file as <class name>_<iteration>.npz, found a folder')
    if snapshot and not Path(snapshot).is_file():
        raise SnapshotError(f'{snapshot}: no such snapshot')
    path = Path(find_config(config)) if config else Path(snapshot).parent / 'config.yml'
    if not path.is_file():
        near = nearest_configs(path) if config else ()
        hint = (f'did you mean {" or ".join(near)}?' if near else
                f'give the one of {snapshot} as {said}' if snapshot else '--config names another')
        raise ConfigError(f'{path}: no such config; {hint}')
    return path


def load_generator(path=None, config=None, device=-1):
    """Return the generator of a snapshot `<class name>_<iteration>.npz`; without a path, the one that ships, of MNIST.

    `config` is the path of its config, by default the config.yml beside it; its `precision` and, on a CPU, its
    `cpu_kernels` hold for the process from then on. `device`: -1 for the CPU, a GPU's index, or None for a GPU if there
    is one. Initial weights, which the snapshot replaces, are drawn from NumPy's global random state. Raises a
    ValueError of one line (SnapshotError, ConfigError, DeviceError) for whatever is missing, damaged or of another
    architecture.
    """
    device = get_device(device, 'device')
    path = shipped_generator() if path is None else path
    config_path = config_of(path, config, 'config=FILE')
    settings = load_config(config_path)
    use_kernels(settings, device)
    gen, _ = build_models(settings, str(config_path))
    load_model(path, gen)
    gen.to_device(device)
    return gen


def sample(gen, n, classes=None, seed=0, truncation=None):
    """Return n images of a generator in test mode, uint8 (n, C, H, W), and their labels, int32 (n,), or None.

    They are those of `evaluations/gen_images.py --n` with this seed. `classes`: a number, or several that are taken in
    turn; by default they are drawn. `truncation`, above 0: latents within ± that alone. Raises ValueError for classes
    that the generator does not know and for n below 1.
    """
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f'n: expected at least 1, got {n!r}')
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2 ** 32:
        raise ValueError(f'seed: expected a whole number from 0 to {2 ** 32 - 1}, got {seed!r}')
    sampler = NoiseSampler(gen.dim_z, gen.n_classes, gen.distribution, seed, truncation)
    return generate_ims(gen, n, sampler, None if classes is None else np.resize(_checked(classes, gen.n_classes), n))


def _checked(classes, n_classes):
    labels = np.atleast_1d(classes)
    if not n_classes:
        raise ValueError(f'classes: expected None, as the generator is unconditional, got {classes!r}')
    if labels.dtype.kind not in 'iu' or labels.ndim != 1 or not labels.size or not (
            0 <= labels.min() and labels.max() < n_classes):
        raise ValueError(f'classes: expected whole numbers from 0 to {n_classes - 1}, got {classes!r}')
    return labels.astype(np.int32)
