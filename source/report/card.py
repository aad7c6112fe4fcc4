"""A model card (Mitchell et al., 2019) of a run, as Markdown."""
from pathlib import Path

from source.miscs.short_texts import duration, shortened
from source.paper_batches import batch_text, other_batch
from source.report.run import SCORE_TITLES, is_number
from source.report.verdict import checks_of

RECORDED = ('is_mean', 'fid', 'kid_mean', 'precision', 'recall', 'density', 'coverage', 'recognized', 'intra_fid',
            'ms_ssim')


def make_card(run, spectra=None):
    """The card, text, of a Run; `spectra` as for `checks_of`."""
    config, args = run.config, run.config['updater']['args']
    gen, dis = config['models']['generator'], config['models']['discriminator']
    data = config['dataset']
    classes = gen['args'].get('n_classes', 0)
    other, one_process = other_batch(config), batch_text({**config, 'processes': 1, 'accumulate': 1})
    lines = [
        f'# {run.name}', '',
        f'A generator of images{f" of {classes} classes" if classes else ""}, trained with '
        'spectral normalization for GANs (Miyato et al., 2018) in Chainer.', '',
        '## Model', '',
        f'- Generator: `{gen["name"]}` of `{gen["fn"]}`, {_args(gen["args"])}',
        f'- Discriminator: `{dis["name"]}` of `{dis["fn"]}`, {_args(dis["args"])}',
        '- Files: ' + (', '.join(f'`{p.name}`' for p in [*list(run.generators().values())[-1:],
                                                         *list(run.generators(ema=True).values())[-1:],
                                                         *list(run.discriminators().values())[-1:]]) or 'none yet'), '',
        '## Training', '',
        f'- Data: `{data["dataset_name"]}` of `{data["dataset_fn"]}`, {_args(data["args"])}',
        f'- {run.n_done:,} of {config["iteration"]:,} generator updates in {duration(run.seconds)}, '
        f'{args.get("n_dis", 5)} discriminator update{"s" * (args.get("n_dis", 5) != 1)} each; a batch is of '
        f'{batch_text(config) or f"{one_process} in each process"}; loss {args.get("loss_type", "hinge")}',
        *([f'- **Batches other than the paper\'s, or not known:** {other}'] if other else []),
        f'- Adam: alpha {config["adam"]["alpha"]:g}, beta1 {config["adam"]["beta1"]:g}, beta2 '
        f'{config["adam"]["beta2"]:g}; alpha falls linearly to 0 from iteration {config["iteration_decay_start"]:,} on',
        *([f'- Averaged generator weights beside the raw ones: decay {args["ema"]:g}'] if args.get('ema') else []),
        *([f'- Before the discriminator all images are augmented: {args["augmentation"]}'] if args.get('augmentation')
          else []),
        f'- Seed: {config["seed"]}; config and versions: `config.yml`', '',
        '## Scores', '', *_scores(run), '',
        '## Checks', '',
        *(f'- {"" if check.good else "**Look at this:** "}{check.text}' for check in checks_of(run, spectra)), '',
        '## Limits', '',
        f'- It makes images like those of `{data["dataset_name"]}`{_which(data["args"])} and of nothing else, with '
        'whatever bias that data set has; its licence applies to what is made from it.',
        '- Scores depend on the judging network, the number of samples and the splits: compare those of one protocol '
        'only.',
        *([f'- The judge “{run.network}” is not the Inception network: its scores are its own.']
          if run.network not in (None, 'inception') else []),
        *([f'- Note: {run.foreign}: its scores say little of these images.'] if run.foreign else []),
        '- One run is one seed; how much scores differ between seeds is not known from it.',
        '- Samples may resemble training images: `evaluations/nearest_neighbors.py` shows the nearest.', '']
    return '\n'.join(lines)


def _args(args):
    return ', '.join(f'{name} {shortened(value)}' for name, value in args.items()) or 'default arguments'


def _which(args):
    return f' ({args["images"]})' if 'images' in args else ''


def _scores(run):
    evaluation = run.config['evaluation']
    lines = []
    for score, names in run.score_names().items():
        for name in names:
            points = run.series(name)
            if points:
                ema = ', averaged weights' if name.startswith(f'{run.network}_ema_') else ''
                lines.append((SCORE_TITLES.get(score, score) + ema, f'{points[-1][1]:.4g}', f'{points[-1][0]:,}',
                              f'{evaluation["n_images"]:,} samples in {evaluation["splits"]} '
                              f'split{"s" * (evaluation["splits"] != 1)}, FID against all '
                              f'training images; network {run.network}{" (a foreign judge)" if run.foreign else ""}'))
    for file, record in run.records.items():
        for name, value in record.items():
            if name in RECORDED and is_number(value):
                lines.append((SCORE_TITLES.get(name, name), f'{value:.4g}', f'`{file}`', _what(record)))
    if not lines:
        return ['None was computed.']
    return ['| score | value | at iteration, or in file | protocol |', '| --- | --- | --- | --- |',
            *(f'| {" | ".join(line)} |' for line in lines)]


def _what(record):
    """What a scoring command's record is of."""
    n = record.get('n_images')
    count = f'{n:,} images of ' if isinstance(n, int) else f'{n} images of ' if isinstance(n, str) else ''
    parts = [record['protocol'], f'{count}`{Path(record["samples"]).name}`']
    parts += ['a foreign judge'] if record.get('foreign_judge') else []
    parts += [f'{name} {record[key]}' for name, key in (('network', 'feature_network'), ('seed', 'seed'))
              if record.get(key) is not None]
    return '; '.join(parts)
