"""What is scored: a generator's samples, or stored images; either whole or class by class."""
from source.command_line.progress_bar import progress_bar
from source.command_line.short_texts import some_of
from source.command_line.standard_streams import tell
from source.config.class_names import match_classes
from source.datasets.image_sizes import describe_sizes
from source.miscs.generate import generate_batches
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.judging import BATCHSIZE, stored_batches

import numpy as np


class GeneratedImages:
    """Samples of a generator, as many as are asked for, the same for the same seed."""

    n = None  # no bound

    def __init__(self, gen, seed):
        self.gen, self.seed = gen, seed
        self.n_classes = gen.n_classes  # 0: it knows none
        self.classes = {c: c for c in range(gen.n_classes)}

    def batches(self, n):
        """Yield (ims, y) of n samples, y None without classes."""
        yield from generate_batches(self.gen, n, self._sampler(self.seed))

    def batches_of_class(self, c, n):
        """Yield (ims, y) of n samples of class c, whatever was generated before."""
        labels = np.full(n, c, np.int32) if self.n_classes else None
        yield from generate_batches(self.gen, n, self._sampler((self.seed, c)), labels)

    def n_of_class(self, c):
        return None

    def size(self):
        """Return the (width, height) of the samples."""
        ims, _ = next(self.batches(1))
        return ims.shape[:1:-1]

    def pairs_of_class(self, c, n):
        """Yield (ims0, ims1) of n pairs of samples of class c, no sample in two pairs."""
        ims = np.concatenate([ims for ims, _ in self.batches_of_class(c, 2 * n)])
        yield ims[:n], ims[n:]

    def _sampler(self, seed):
        return NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution, seed)


class StoredImages:
    """Images of an ImageFolder or ImageArray, or of another ImageDataset, in an order of their own.

    Args:
        dataset: the images.
        seed: of the order, and of pairs.
        keep_order: whether they are taken as they are stored. Else they are taken in the order in which they were
            generated, where a record beside them says it, or in one that is drawn: a folder or file sorted by class
            would make each split, and the first images, those of few classes.

    Attributes:
        order: 'drawn', 'as generated' or 'as stored'.
        n_classes: 0 where the images have none.
        classes: {number: name} of those with images; the name is that of their folder, or the number.
    """

    def __init__(self, dataset, seed=0, keep_order=False):
        self.dataset, self.seed = dataset, seed
        self.n = len(dataset)
        drawn = getattr(dataset, 'draw_order', None)
        if keep_order:
            self._order, self.order = np.arange(self.n), 'as stored'
        elif drawn is not None:
            self._order, self.order = np.argsort(drawn), 'as generated'
        else:
            self._order, self.order = np.random.RandomState(seed).permutation(self.n), 'drawn'
        labelled = getattr(dataset, 'labelled', True)
        self.labels = dataset.labels if labelled else None
        self.n_classes = dataset.n_classes if labelled else 0
        self._name_classes(labelled and getattr(dataset, 'folders', None))
        self._knows_classes = False

    def _name_classes(self, names):
        present = np.unique(self.labels).tolist() if self.n_classes else []
        self.classes = {c: names[c] if names else c for c in present}

    def use_classes(self, names, n_classes):
        """Number the classes as a data set with these `names`, or None, does.

        Folders are matched by name or number (class_names.py); labels of an .npz are numbers. Raises ValueError, naming
        the first that does not match.
        """
        if names is not None and len(names) != n_classes:
            raise ValueError(f'expected as many class names as classes, {n_classes}, found {len(names)}')
        folders = getattr(self.dataset, 'folders', None)
        if folders:
            self.labels = np.array(match_classes(folders, names, n_classes))[self.labels]
        elif self.n_classes > n_classes:
            raise ValueError(f'labels: expected 0 to {n_classes - 1}, found {self.n_classes - 1}')
        are_numbered = not folders or all(folder.isdecimal() for folder in folders)
        if are_numbered and n_classes > 1 and self.labels.min() == 1 and self.labels.max() == n_classes - 1:
            tell('no image is of class 0: do the classes begin at 1?')
        self.n_classes, self._knows_classes = n_classes, True
        self._name_classes(names)

    def use_names(self, names):
        """Number the classes as those called `names`: folders by their names, labels of an .npz as text.

        Where such a label could also be the place of another class, that is told. Raises ValueError, naming the first
        that is none of them.
        """
        number = {name: c for c, name in enumerate(names)}
        own = list(map(str, self.classes.values()))  # of those present alone: labels may be any
        for name in own:
            if name not in number:
                raise ValueError(f'class {name!r} is none of the real ones, {some_of([n for n in names if n])}')
        elsewhere = next((n for n in own if n.isdecimal() and number[n] != int(n)), None)
        if elsewhere is not None and not getattr(self.dataset, 'folders', None):
            tell(f'labels are taken as names: {elsewhere} is the real class called {elsewhere}, which is number '
                 f'{number[elsewhere]} in order')
        self.labels = np.array([number[name] for name in own])[np.unique(self.labels, return_inverse=True)[1]]
        self.n_classes = len(names)
        self._name_classes(names)

    def size(self):
        """Return the (width, height) of all images; raises ValueError, naming two files, where they differ."""
        if self.dataset.ims is not None:
            return self.dataset.ims.shape[:1:-1]
        first, size = self.dataset.name_and_size(0)
        with progress_bar(self.n, 'sizes of images') as bar:
            for i in range(self.n):
                name, other = self.dataset.name_and_size(i)
                if other != size:
                    raise ValueError(f'expected images of one size, found {describe_sizes([size])} in {first} and '
                                     f'{describe_sizes([other])} in {name}')
                bar.update()
        return size

    def batches(self, n):
        """Yield (ims, y) of the first n; y is None unless `use_classes` was called."""
        yield from self._batches(self._order[:n])

    def batches_of_class(self, c, n):
        yield from self._batches(self._of_class(c)[:n])

    def n_of_class(self, c):
        return len(self._of_class(c))

    def pairs_of_class(self, c, n):
        """Yield (ims0, ims1) of n pairs of two images of class c, drawn with the seed; one image may be in many."""
        indices = np.sort(self._of_class(c))
        if len(indices) < 2:
            raise ValueError(f'class {c}: expected at least 2 images to make pairs of, found {len(indices)}')
        rng = np.random.RandomState((self.seed, c))
        first = rng.randint(len(indices), size=n)
        second = (first + rng.randint(1, len(indices), size=n)) % len(indices)
        for start in range(0, n, BATCHSIZE):
            yield tuple(self.dataset.load_ims(indices[k[start:start + BATCHSIZE]]) for k in (first, second))

    def _of_class(self, c):
        return self._order[self.labels[self._order] == c] if self.n_classes else self._order

    def _batches(self, indices):
        return stored_batches(self.dataset, indices, self.labels if self._knows_classes else None)
