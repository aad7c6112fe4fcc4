"""What generated images are compared with: images of a data set or of a folder, or a file of their statistics."""
from pathlib import Path

from source.datasets.image_sizes import describe_sizes
from source.datasets.pairs_as_images import as_given
from source.scoring.judging import judge_real
from source.scoring.statistics_cache import cached_statistics
from source.scoring.statistics_files import check_network, load_statistics

import numpy as np


class _Images:
    """Images of a dataset, at `indices`, or all where these are None; `description` says which in a file of statistics.

    `sizes` is what image_sizes.py says of those that were judged, or None before; `is_given` says whether they are a
    user's, not a data set's.
    """

    dataset, indices, sizes, is_given = None, None, None, False

    def statistics(self, network):
        """Return their ReferenceStatistics under `network`, from the cache if they are there."""
        statistics = cached_statistics(self.dataset, network, self.indices, self.description)
        size = getattr(self.dataset, 'size', None)  # of a data set, where an earlier file does not say it
        self.sizes = statistics.sizes or describe_sizes([(size, size)] if size else [])
        return statistics

    def statistics_and_feats(self, network):
        """Return their FeatureStatistics and features (M, D), of at most judging.N_KEPT, from one pass."""
        judged = judge_real(self.dataset, network, self.indices, keep_feats=True)
        self.sizes = describe_sizes(judged.sizes)
        return judged.statistics, judged.feats

    def _choose(self, n):
        """Take `n` of the images, the same ones every time, where there are more; None takes all."""
        self.n = n_all = len(self.dataset)
        if n is not None and n < n_all:
            self.indices, self.n = np.sort(np.random.RandomState(0).permutation(n_all)[:n]), n
        self.text = f'{self.n} {"" if self.indices is None else f"of {n_all} "}'


class RealImages(_Images):
    """The real images of a config: the split 'train' or 'test', or `n` of its images, the same ones every time.

    `read(test)`, as `build.real_images_of` returns it, returns the test set or the training set as 8-bit images with
    labels, or None where there is no test set.

    Where there is no test set, or one of fewer than n images while the training set has n (STL-10), the training set is
    taken; where that has fewer too, all of the split are. `text` says what it is.
    """

    def __init__(self, read, split='train', n=None):
        dataset, notes = None, []
        if split == 'test':
            dataset = read(test=True)
            notes += ['there is no test set'] * (dataset is None)
        self.split = 'train' if dataset is None else 'test'
        self.dataset = read(test=False) if dataset is None else dataset
        if self.split == 'test' and n is not None and len(dataset) < n:
            training = read(test=False)
            if len(training) >= n:
                notes.append(f'the test set has only {len(dataset)}')
                self.split, self.dataset = 'train', training
        self._choose(n)
        self.text += f'{"test" if self.split == "test" else "training"} images'
        if found := getattr(self.dataset, 'found', None):  # of a user's folder, whose class says nothing of it
            self.text += f' of {Path(self.dataset.root).resolve().name} ({found.rpartition(" ")[2]})'
        notes += [f'{n} are asked for'] * (n is not None and n > self.n)
        self.text += f' ({"; ".join(notes)})' if notes else ''
        self.description = f'{self.text} of {type(as_given(self.dataset)).__name__}'


class GivenImages(_Images):
    """The images that a user gives as real ones, an ImageFolder or ImageArray of `path`, or `n` of them.

    `split` is None, as nothing says it.
    """

    split, is_given = None, True

    def __init__(self, dataset, path, n=None):
        self.dataset = dataset
        self._choose(n)
        self.text = self.description = f'{self.text}images of {path}'


class StatisticsFile:
    """Statistics of real images that a user brings; raises ValueError where they are not under `network`.

    `split` is None, as no file says it.
    """

    split = None

    def __init__(self, path, network):
        self._statistics = load_statistics(path)
        check_network(path, self._statistics, network)
        self.n, self.sizes = self._statistics.n, self._statistics.sizes
        self.is_given = self._statistics.given is not None
        self.text = f'{path}, {self._statistics.images or "images that it does not name"}'
        if self._statistics.network is None:
            self.text += (f' (in {self._statistics.file_format} format, which names no network: it is taken to be of '
                          f'{network.name})')

    def statistics(self, network):
        return self._statistics
