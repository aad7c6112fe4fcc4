from pathlib import Path

from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.pictures.image_sheets import GAP, fitting_scale, make_sheet, save_picture
from source.pictures.labelled_sheets import name_of, with_columns_named

import numpy as np
from chainer.training import extension


class SampleSheet(extension.Extension):
    """Writes `<folder>/<iteration>.png`: one column per class under its name, the same latents every time.

    `names` are those of the classes in order, a list or None. With more classes than `max_columns`, evenly spaced ones
    are shown; without classes, a square of samples.
    """

    priority = extension.PRIORITY_WRITER

    def __init__(self, gen, rows=10, max_columns=10, seed=0, folder='preview', names=None):
        self.folder, self.names = folder, names
        self.gen, self.rows, self.seed = gen, rows, seed
        self.columns = min(gen.n_classes, max_columns) or rows
        self.classes = np.linspace(0, max(gen.n_classes - 1, 0), self.columns).round().astype(np.int32)

    def __call__(self, trainer):
        folder = Path(trainer.out) / self.folder
        folder.mkdir(exist_ok=True)
        sampler = NoiseSampler(self.gen.dim_z, self.gen.n_classes, self.gen.distribution, self.seed)
        labels = np.tile(self.classes, self.rows) if self.gen.n_classes > 0 else None
        ims, _ = generate_ims(self.gen, self.rows * self.columns, sampler, labels)
        sheet = make_sheet(ims, self.rows, self.columns, fitting_scale(ims, self.rows, self.columns), GAP)
        labels = [] if labels is None else [name_of(c, self.names) for c in self.classes]
        save_picture(folder / f'{trainer.updater.iteration:08d}.png', with_columns_named(sheet, labels))
