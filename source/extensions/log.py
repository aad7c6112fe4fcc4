import contextlib
from pathlib import Path

from chainer.training import extensions


class Log(extensions.LogReport):
    """Chainer's log of mean reported values, written to `log.json`; `log`, the authors' name for it, points there."""

    def __init__(self, trigger):
        super().__init__(trigger=trigger, filename='log.json')

    def __call__(self, trainer):
        super().__call__(trainer)
        link = Path(trainer.out) / 'log'
        if not link.exists():
            with contextlib.suppress(OSError):  # some file systems know no links
                link.unlink(missing_ok=True)
                link.symlink_to('log.json')
