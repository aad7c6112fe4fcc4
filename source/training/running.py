"""Running a trainer to its end or to a signal, and saying in few lines why it had to stop before."""
from source.command_line.one_line_errors import message_of
from source.datasets.batch_checks import BadBatch
from source.datasets.open_image import DamagedImage
from source.extensions.divergence import DivergedError, describe_norms
from source.files.line_log import LineLogError
from source.results_folder.snapshots import newest_good


class StoppedError(RuntimeError):
    """Training that cannot go on; the message names why, the iteration, and the last good snapshot."""


def run(trainer):
    """Runs a trainer of `build_trainer`; returns the name of the signal that stopped it early, or None.

    The first SIGINT or SIGTERM finishes the iteration and writes a snapshot, the second ends the process at once.
    Raises StoppedError where a number is none any more, a batch cannot be trained on or a file cannot be written or
    read.
    """
    until = trainer.stop_trigger
    try:
        with until.stop.listening():
            trainer.run(show_loop_exception_msg=False)
    except DivergedError as error:
        models = trainer.updater.gen, trainer.updater.dis
        raise StoppedError('\n'.join([f'{error}; {_last_good(trainer)}', *describe_norms(models)])) from error
    except (OSError, DamagedImage, BadBatch) as error:
        raise StoppedError(f'{message_of(error)}; training stopped at iteration {trainer.updater.iteration}; '
                           f'{_last_good(trainer)}') from error
    except LineLogError as error:
        raise StoppedError(str(error)) from error
    except SystemExit as stop:  # somebody's data set's; of several processes the others would wait for this one
        raise StoppedError(f'sys.exit({stop.code!r}) was called; training stopped at iteration '
                           f'{trainer.updater.iteration}; {_last_good(trainer)}') from stop
    return until.stop.name if trainer.updater.iteration < until.last else None


def _last_good(trainer):
    snapshot = newest_good(trainer.out)
    return f'last good snapshot: {snapshot}' if snapshot else 'there is no snapshot yet'
