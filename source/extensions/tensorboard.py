from pathlib import Path

from source.command_line.commands_to_copy import install_command

import numpy as np
from chainer.training import extension
from PIL import Image

FOLDER = 'tensorboard'


class TensorBoard(extension.Extension):
    """Writes what the log holds, Adam's alpha and the sample sheets as event files in `<results>/tensorboard/`.

    A resumed run goes on in the same folder; what an interrupted one wrote beyond the snapshot is not shown. Raises
    ValueError, saying what to install, where tensorboardX is missing.
    """

    trigger = 1, 'iteration'
    priority = extension.PRIORITY_READER - 100  # after the log has been extended and the sheets are written

    def __init__(self, log_report):
        self._writer_class = event_writer()
        self.log_report, self.writer, self.n_written = log_report, None, 0

    def initialize(self, trainer):
        iteration = trainer.updater.iteration
        self.n_written = len(self.log_report.log)
        self.writer = self._writer_class(str(Path(trainer.out) / FOLDER),
                                         purge_step=iteration + 1 if iteration else None)

    def __call__(self, trainer):
        for entry in self.log_report.log[self.n_written:]:
            for name, value in entry.items():
                if name not in ('iteration', 'epoch', 'elapsed_time'):
                    self.writer.add_scalar(_tag(name), value, entry['iteration'])
            for name, optimizer in trainer.updater.get_all_optimizers().items():
                self.writer.add_scalar(f'alpha/{name}', optimizer.alpha, entry['iteration'])
        self.n_written = len(self.log_report.log)
        for folder in ('preview', 'preview_ema'):
            sheet = Path(trainer.out) / folder / f'{trainer.updater.iteration:08d}.png'
            if sheet.exists():
                with Image.open(sheet) as image:
                    self.writer.add_image(folder, np.asarray(image), trainer.updater.iteration, dataformats='HWC')

    def finalize(self):
        if self.writer is not None:
            self.writer.close()


def _tag(name):
    """'loss/gen' for 'loss_gen': TensorBoard groups by what comes before the stroke."""
    return name.replace('_', '/', 1) if name.startswith('loss_') else name if '/' in name else f'scores/{name}'


def event_writer():
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise ValueError(f'tensorboard: true needs tensorboardX: {install_command("tensorboard")}') from None
    return SummaryWriter
