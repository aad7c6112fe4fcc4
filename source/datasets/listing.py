"""Which images a preparation is to read, and of which class each is."""
import hashlib
import os
from dataclasses import dataclass, field

from source.datasets.class_folders import class_folders
from source.datasets.find_images import find_images


@dataclass
class Listing:
    """Images under the folder `root`, in the order in which they are prepared."""

    root: str
    classes: list  # their names, in order of their labels
    first_label: int = 0  # of classes[0]
    names: list = field(default_factory=list)  # relative to root, with slashes
    labels: list = field(default_factory=list)
    passed_over: list = field(default_factory=list)  # (name, why)
    versions: list = field(default_factory=list)  # of each where images may change under their names

    def digest(self):
        """What identifies the images, their order and classes: a SHA-256 in hexadecimal digits."""
        digest = hashlib.sha256(''.join(f'{version}\n' for version in self.versions).encode())
        for line in list_lines(self.names, self.labels):
            digest.update(line)
        return digest.hexdigest()


def list_folder(root):
    """Return the Listing of all images under `root`, whose classes are its subfolders (class_folders.py)."""
    names, passed_over = find_images(root)
    classes, labels = class_folders(names)
    stats = [os.stat(os.path.join(root, name)) for name in names]
    return Listing(root, classes, 0, names, labels.tolist(), passed_over,
                   [f'{stat.st_size} {stat.st_mtime_ns}' for stat in stats])


def list_lines(names, labels):
    """Yield the lines of ImageNetDataset's list file, as bytes."""
    for name, label in zip(names, labels, strict=True):
        yield f'{name} {label}\n'.encode(errors='surrogateescape')
