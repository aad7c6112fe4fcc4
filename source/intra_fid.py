"""FID class by class, in a journal that an interrupted run goes on from."""
import hashlib
import json
import os
import warnings
from pathlib import Path

from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance
from source.miscs.results_dir import make_folder
from source.scoring import judge

TOO_FEW = 2  # below, there is no covariance


class Journal:
    """Results class by class, one JSON line each, after a line that says what they are of.

    Raises ValueError for a file of other `settings`. A last line cut short, as by a machine switched off, is dropped.
    """

    def __init__(self, path, settings):
        self.path = Path(path)
        self.entries = {}
        settings = json.loads(json.dumps(settings))
        if not self.path.exists():
            make_folder(self.path.parent)
            self._append(settings)
            return
        whole, _, cut = self.path.read_text(encoding='utf-8').rpartition('\n')
        if cut:
            self.path.write_text(f'{whole}\n' if whole else '', encoding='utf-8')
        if not whole:
            self._append(settings)
            return
        try:
            found, *entries = map(json.loads, whole.split('\n'))
            self.entries = {entry['class']: entry for entry in entries}
        except (ValueError, TypeError, KeyError):
            raise ValueError(f'{self.path}: expected the journal of an interrupted run, found something else; '
                             'move it away to start anew') from None
        if found != settings:
            name = next(iter(k for k in settings if not isinstance(found, dict) or found.get(k) != settings[k]), None)
            told = f'{name}: expected {settings.get(name)}, found {found.get(name)}' if isinstance(found, dict) else found
            raise ValueError(f'{self.path}: is of another run ({told}); move it away to start anew')

    def add(self, entry):
        self._append(entry)
        self.entries[entry['class']] = entry

    def _append(self, value):
        with open(self.path, 'a', encoding='utf-8') as file:
            file.write(json.dumps(value) + '\n')
            file.flush()
            os.fsync(file.fileno())


def intra_fid(images, real_statistics, network, n_classes, n_per_class, journal, report=lambda entry: None):
    """Return {'intra_fid', 'n_classes', 'too_few', 'singular'} of all classes; Miyato & Koyama 2018, section 4.

    `images` is an image source (source/image_sources.py), `real_statistics(c)` gives mean, cov and n of the real
    images of a class, or None with fewer than two. 'intra_fid' is the mean over the other classes (None: there are
    none), 'too_few' lists those, 'singular' counts classes whose covariances lack full rank. Classes that `journal`
    holds are not computed again; each new entry is reported.
    """
    for c in range(n_classes):
        if c not in journal.entries:
            journal.add(_class_entry(images, real_statistics(c), network, c, n_per_class))
            report(journal.entries[c])
    entries = [journal.entries[c] for c in range(n_classes)]
    fids = [entry['fid'] for entry in entries if entry['fid'] is not None]
    return {'intra_fid': sum(fids) / len(fids) if fids else None, 'n_classes': len(fids),
            'too_few': [entry['class'] for entry in entries if entry['fid'] is None],
            'singular': sum(entry['singular'] for entry in entries)}


def _class_entry(images, real, network, c, n_per_class):
    n = images.n_of_class(c)
    n = n_per_class if n is None else min(n, n_per_class)
    entry = {'class': c, 'n_real': 0 if real is None else real.n, 'n_images': n, 'fid': None, 'singular': False}
    if real is not None and n >= TOO_FEW:
        fake = judge(images.batches_of_class(c, n), network, n, keep_probs=False, desc=f'class {c}').statistics
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always', SingularCovarianceWarning)
            entry['fid'] = frechet_distance(real.mean, real.cov, fake.mean, fake.cov)
        entry['singular'] = any(issubclass(warning.category, SingularCovarianceWarning) for warning in caught)
    return entry


def file_digest(path):
    """Return the SHA-256 of a file."""
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest() if hasattr(hashlib, 'file_digest') else \
            hashlib.sha256(file.read()).hexdigest()
