"""What a finished run says of itself."""
from pathlib import Path

from source.command_line.commands_to_copy import python_command
from source.command_line.short_texts import duration


def summary(trainer, config, data_dir=None):
    """What a finished run left and what to do with it, as text; `data_dir` is what the run was given."""
    out = Path(trainer.out)
    last = trainer.updater.iteration
    kind, of = ('_ema', ' of averaged weights') if getattr(trainer.updater, 'ema', None) else ('', '')
    snapshot = out / f'{type(trainer.updater.gen).__name__}{kind}_{last}.npz'
    columns = ', one column per class' if trainer.updater.conditional else ''
    curves = [name for name in ('losses.png', 'scores.png') if (out / name).exists()]  # there are none of one point
    lines = [
        f'Done: {last} iterations in {duration(trainer.elapsed_time)}. In {out}/:',
        f'  preview{kind}/{last:08d}.png    samples{of}{columns}',
        *(f'  {name:23} curves' for name in [', '.join(curves)] if name),
        '  log.json, config.yml    every number; the config and the versions it ran with',
        f'  {snapshot.name}, snapshot_iter_{last}  the generator{of}; everything, to go on from',
        'Next:',
        f'  {python_command("evaluations/gen_images.py", "--snapshot", snapshot)}',
    ]
    data = ('--data_dir', Path(data_dir)) if data_dir else ()
    lines.append(f'  {python_command("evaluations/report.py", out, *data)}')
    if config['evaluation']['network']:
        lines.append(f'  {python_command("evaluations/calc_inception.py", "--snapshot", snapshot, *data)}')
    return '\n'.join(lines)
