"""The real images class by class, that intra-FID compares with: images, or files of their statistics."""
import re
from pathlib import Path

from source.config.class_names import match_classes
from source.files.atomic import file_sha256
from source.files.plain_npz import read_plain_npz
from source.scoring.judging import reference_statistics
from source.scoring.reference import StatisticsFile
from source.scoring.statistics_cache import fingerprint
from source.scoring.statistics_files import ReferenceStatistics

import numpy as np

MOST_CLASSES = 2 ** 16  # each is gone through, present or not
IMAGES_OF_CLASS = re.compile(r'\d+ (.*?images) of class (\d+) of (.*)', re.DOTALL)  # as calc_ref_stats.py has it


def check_number(n_classes, where):
    """Raise ValueError for more than MOST_CLASSES; `where` names what the classes are of."""
    if n_classes > MOST_CLASSES:
        raise ValueError(f'{where}: expected classes 0 to {MOST_CLASSES - 1}, found {n_classes - 1}')


class StatisticsFolder:
    """Statistics of each class from the files of a folder, class_<c>.npz, all of the same images.

    `names` is what the classes are called, in order, None where there is no file; or None where no file says it.
    `is_given` says whether they are of images that a user gave, not of a data set's.
    """

    def __init__(self, folder, network):
        self.folder, self.network = Path(folder), network
        if not self.folder.is_dir():
            raise ValueError(f'--ref_stats {folder}: expected a folder of class_<c>.npz')
        paths = sorted(self.folder.glob('class_*.npz'))
        if not paths:
            raise ValueError(f'--ref_stats {folder}: expected a folder of class_<c>.npz, found none in it')
        self.fingerprint = {path.name: file_sha256(path) for path in paths}
        texts = {int(path.stem[6:]): _texts(path) for path in paths if path.stem[6:].isdecimal()}
        self.text = f'the statistics in {folder}{_of_what(folder, texts.values())}'
        self.is_given = any('given' in known for known in texts.values())
        names = {c: known.get('class_name') for c, known in texts.items()}
        self.n_classes = max(names, default=-1) + 1
        check_number(self.n_classes, f'--ref_stats {folder}')
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
        of_class = IMAGES_OF_CLASS.fullmatch(statistics.images or '')
        if of_class and int(of_class[2]) != self._number[c]:
            raise ValueError(f'{path}: expected statistics of class {self._number[c]}, found those of '
                             f'{statistics.images}')
        return statistics


def _texts(path):
    try:
        found = read_plain_npz(path, 'file of statistics', names=['class_name', 'images', 'given'])
    except ValueError:  # will be told when it is needed
        return {}
    return {name: str(text) for name, text in found.items()}


def _of_what(folder, texts):
    """Which images all files of a folder are of, as far as they say it; raises ValueError where that is several."""
    found = filter(None, (IMAGES_OF_CLASS.fullmatch(known.get('images', '')) for known in texts))
    images = list(dict.fromkeys(f'{match[1]} of {match[3]}' for match in found))
    if len(images) > 1:
        raise ValueError(f'--ref_stats {folder}: expected statistics of the same images, found those of '
                         f'{" and of ".join(images[:2])}')
    return f', {images[0]}' if images else ''


class ClassesOfImages:
    """Statistics of each class of real images, RealImages or GivenImages, computed as they are asked for.

    `names` is what the classes are called, in order, where images say it themselves: a folder its subfolders, an .npz
    its labels; None of a data set. `is_given` says whether they are a user's, not a data set's.
    """

    def __init__(self, real, network):
        self.network, self.text, self.dataset, self.is_given = network, real.text, real.dataset, real.split is None
        is_labelled = getattr(self.dataset, 'labelled', True)
        self.labels, self.n_classes = self.dataset.labels, self.dataset.n_classes if is_labelled else 0
        self.names = None
        check_number(self.n_classes, self.text)
        if self.is_given and self.n_classes:
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
