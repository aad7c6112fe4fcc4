"""The real images class by class, that intra-FID compares with: images, or files of their statistics."""
import re
from pathlib import Path

from source.datasets.class_names import match_classes
from source.miscs.files import file_sha256
from source.miscs.plain_npz import read_plain_npz
from source.scoring.judging import reference_statistics
from source.scoring.reference import StatisticsFile
from source.scoring.statistics_cache import fingerprint
from source.scoring.statistics_files import ReferenceStatistics

import numpy as np


class StatisticsFolder:
    """Statistics of each class from the files of a folder, class_<c>.npz.

    `names` is what the classes are called, in order, None where there is no file; or None where no file says it.
    """

    def __init__(self, folder, network):
        self.folder, self.network = Path(folder), network
        if not self.folder.is_dir():
            raise ValueError(f'--ref_stats {folder}: expected a folder of class_<c>.npz')
        self.text = f'the statistics in {folder}'
        paths = sorted(self.folder.glob('class_*.npz'))
        if not paths:
            raise ValueError(f'--ref_stats {folder}: expected a folder of class_<c>.npz, found none in it')
        self.fingerprint = {path.name: file_sha256(path) for path in paths}
        names = {int(path.stem[6:]): _class_name(path) for path in paths if path.stem[6:].isdecimal()}
        self.n_classes = max(names, default=-1) + 1
        self.names = [names.get(c) for c in range(self.n_classes)] if any(names.values()) else None
        self._number, self.numbering = {c: c for c in names}, None

    def use_names(self, names):
        """As ClassesOfImages does."""
        there = [c for c, name in enumerate(self.names) if name is not None]
        classes = match_classes([self.names[c] for c in there], names, len(names))
        self._number, self.numbering = dict(zip(classes, there, strict=True)), classes

    def of_class(self, c):
        path = self.folder / f'class_{self._number.get(c, c)}.npz'
        if c not in self._number or not path.exists():
            return None
        statistics = StatisticsFile(path, self.network).statistics(self.network)
        of_class = re.search(r' of class (\d+) of ', statistics.images or '')
        if of_class and int(of_class[1]) != self._number[c]:
            raise ValueError(f'{path}: expected statistics of class {self._number[c]}, found those of '
                             f'{statistics.images}')
        return statistics


def _class_name(path):
    try:
        name = read_plain_npz(path, 'file of statistics', names=['class_name']).get('class_name')
    except ValueError:  # will be told when it is needed
        return None
    return None if name is None else str(name)


class ClassesOfImages:
    """Statistics of each class of real images, RealImages or GivenImages, computed as they are asked for.

    `names` is what the classes are called, in order, where images say it themselves: a folder its subfolders, an .npz
    its labels; None of a data set.
    """

    def __init__(self, real, network):
        self.network, self.text, self.dataset = network, real.text, real.dataset
        is_labelled = getattr(self.dataset, 'labelled', True)
        self.labels, self.n_classes = self.dataset.labels, self.dataset.n_classes if is_labelled else 0
        self.names = None
        if real.split is None and self.n_classes:
            self.names = self.dataset.folders or [str(c) for c in range(self.n_classes)]
        self.fingerprint, self.numbering = fingerprint(self.dataset), None

    def use_names(self, names):
        """Number the classes as those called `names`, a list; raises ValueError, naming the first that is none of them.

        What each became is then `numbering`.
        """
        self.numbering = match_classes(self.names, names, len(names))
        self.labels, self.n_classes = np.array(self.numbering)[self.labels], len(names)

    def of_class(self, c):
        indices = np.flatnonzero(self.labels == c)
        if len(indices) < 2:  # which have no covariance
            return ReferenceStatistics(None, None, len(indices))
        return reference_statistics(self.dataset, self.network, indices)
