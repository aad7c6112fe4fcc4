"""A model card (Mitchell et al., 2019) of a run, as Markdown."""
import re
from pathlib import Path

from source.command_line.commands_to_copy import called
from source.command_line.short_texts import duration, shortened
from source.config.learning_rates import learning_rates
from source.config.paper_batches import batch_text, other_batch
from source.files.atomic import file_sha256
from source.report.later import recorded_scores, short
from source.report.run import is_number
from source.report.verdict import LargestNorm, checks_of
from source.scoring.score_titles import SCORE_TITLES

# Readers do not see it. A card of another snapshot's norms is told by the digest.
NORM = '<!-- largest spectral norm {value} at iteration {iteration}, of the snapshot with SHA-256 {sha256} -->'
NUMBER = r'[0-9]{1,9}(?:\.[0-9]{1,20})?(?:e[-+]?[0-9]{1,2})?'


def kept_norm(run):
    """The LargestNorm that a run's card.md holds, and why there is none although the card tells of one, or None.

    It is kept where it is of the run's last discriminator, by iteration and content.
    """
    try:
        card = (run.path / 'card.md').read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError):
        return None, None
    found = re.search(NORM.format(value=f'({NUMBER}|None)', iteration='([0-9]{1,18})', sha256='([0-9a-f]{64})'), card)
    if not found and not re.search('spectral norm(s of| is not)', card):
        return None, None
    iteration, path = list(run.discriminators().items())[-1] if run.discriminators() else (None, None)
    if found and path and (int(found[2]), found[3]) == (iteration, file_sha256(path)):
        return LargestNorm(None if found[1] == 'None' else float(found[1]), iteration, found[3]), None
    return None, called(f'No check of spectral norms: that in {run.path / "card.md"} is not known to be of the last '
                        'discriminator. evaluations/report.py without --quick makes it anew.')


def make_card(run, norm=None):
    """The card, text, of a Run; `norm` as for `checks_of`."""
    config, args = run.config, run.config['updater']['args']
    gen, dis = config['models']['generator'], config['models']['discriminator']
    data = config['dataset']
    classes = gen['args'].get('n_classes', 0)
    other, one_process = other_batch(config), batch_text({**config, 'processes': 1, 'accumulate': 1})
    lines = [
        f'# {run.folder}', '',
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
        f'- Adam: alpha {_alphas(config)}, beta1 {config["adam"]["beta1"]:g}, beta2 '
        f'{config["adam"]["beta2"]:g}; alpha falls linearly to 0 from iteration {config["iteration_decay_start"]:,} on',
        *([f'- Averaged generator weights beside the raw ones: decay {args["ema"]:g}'] if args.get('ema') else []),
        *([f'- Before the discriminator all images are augmented: {args["augmentation"]}'] if args.get('augmentation')
          else []),
        f'- Seed: {config["seed"]}; config and versions: `config.yml`', '',
        '## Scores', '', *_scores(run), '',
        '## Checks', '',
        *(f'- {"" if check.good else "**Look at this:** "}{check.text}' for check in checks_of(run, norm)),
        *([NORM.format(**vars(norm))] if norm else []), '',
        '## Limits', '',
        f'- It makes images like those of `{data["dataset_name"]}`{_which(data["args"])} and of nothing else, with '
        'whatever bias that data set has; its licence applies to what is made from it.',
        '- Scores depend on the judging network, the number of samples and the splits: compare those of one protocol '
        'only.',
        *([f'- The judge “{run.network}” is not the Inception network: its scores are its own.']
          if run.network not in (None, 'inception') else []),
        *([f'- Note: {run.foreign}: its scores say little of these images.'] if run.foreign else []),
        '- One run is one seed; how much scores differ between seeds is not known from it.',
        called('- Samples may resemble training images: `evaluations/nearest_neighbors.py` shows the nearest.'), '']
    return '\n'.join(lines)


def _alphas(config):
    gen, dis = learning_rates(config).values()
    return f'{gen:g}' if gen == dis else f'{gen:g} of the generator and {dis:g} of the discriminator'


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
        for name, value in recorded_scores(record):
            lines.append((SCORE_TITLES.get(name, name), f'{value:.4g}', f'`{short(file)}`', _what(record)))
    if not lines:
        return ['None was computed.']
    return ['| score | value | at iteration, or in file | protocol |', '| --- | --- | --- | --- |',
            *(f'| {" | ".join(map(_cell, line))} |' for line in lines)]


def _cell(value):
    """A text in a table of Markdown, as it stands."""
    return value.replace('&', '&amp;').replace('<', '&lt;').replace('|', '&#124;')


def _what(record):
    """What a scoring command's record is of."""
    n = record.get('n_images')
    count = f'{n:,} images of ' if is_number(n) else f'{short(n)} images of ' if isinstance(n, str) else ''
    parts = [short(record['protocol']), f'{count}`{short(Path(record["samples"]).name)}`']
    parts += ['a foreign judge'] if record.get('foreign_judge') else []
    parts += [f'{name} {short(record[key])}' for name, key in (('network', 'feature_network'), ('seed', 'seed'))
              if record.get(key) is not None]
    return '; '.join(parts)
