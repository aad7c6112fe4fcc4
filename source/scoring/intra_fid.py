"""FID class by class: how well each class is generated, and not only their mixture."""
import warnings

from source.datasets.image_sizes import describe_sizes
from source.metrics.frechet_distance import SingularCovarianceWarning, frechet_distance
from source.scoring.judging import judge

TOO_FEW = 2  # below, there is no covariance


def intra_fid(images, real_statistics, network, n_classes, n_per_class, journal, report=lambda entry: None):
    """Return {'intra_fid', 'n_classes', 'too_few', 'singular'} of all classes; Miyato & Koyama 2018, section 4.

    `images` is an image source (image_sources.py); `real_statistics(c)` gives n, mean and cov of the real images of a
    class, or None where there are none. 'too_few' lists the classes with fewer than two real or generated
    images; 'intra_fid' is the mean over the others, None without any. 'singular' counts classes with a covariance
    that lacks full rank. Classes that `journal` holds are not computed again; each new entry is reported.
    """
    for c, entry in journal.entries.items():
        if not _is_entry(entry):
            raise ValueError(f'{journal.path}: expected what was found of a class, found for {c} something else; '
                             'move it away to start anew')
    for c in range(n_classes):
        if c not in journal.entries:
            journal.add(_class_entry(images, real_statistics(c), network, c, n_per_class))
            report(journal.entries[c])
    entries = [journal.entries[c] for c in range(n_classes)]
    fids = [entry['fid'] for entry in entries if entry['fid'] is not None]
    return {'intra_fid': sum(fids) / len(fids) if fids else None, 'n_classes': len(fids),
            'too_few': [entry['class'] for entry in entries if entry['fid'] is None],
            'singular': sum(entry['singular'] for entry in entries)}


def _is_entry(entry):
    counts = entry.get('class'), entry.get('n_images')
    return all(type(n) is int for n in counts) and type(entry.get('singular')) is bool and isinstance(
        entry.get('fid', ''), float | int | None)


def _class_entry(images, real, network, c, n_per_class):
    n = images.n_of_class(c)
    n = n_per_class if n is None else min(n, n_per_class)
    n_real = 0 if real is None else real.n  # None: a file that does not say
    entry = {'class': c, 'n_real': n_real, 'n_images': n, 'sizes': None, 'real_sizes': None, 'fid': None,
             'singular': False}
    if n >= TOO_FEW and (n_real is None or n_real >= TOO_FEW):
        judged = judge(images.batches_of_class(c, n), network, n, keep_probs=False, desc=f'class {c}')
        entry['sizes'], entry['real_sizes'], fake = describe_sizes(judged.sizes), real.sizes, judged.statistics
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always', SingularCovarianceWarning)
            entry['fid'] = frechet_distance(real.mean, real.cov, fake.mean, fake.cov)
        for warning in caught:
            if issubclass(warning.category, SingularCovarianceWarning):
                entry['singular'] = True
            else:  # is not for the record, but to be told
                warnings.warn(warning.message, stacklevel=1)
    return entry
