"""The caution beside FID and KID of few images, one line for both."""

# FID is biased upwards, by a term that falls as 1/N (Binkowski et al. 2018, section 3; Chong and Forsyth 2020). The
# reference, TTUR, advises 10,000 images at least, and the field takes 10,000 to 50,000.
FEWEST_OF_FID = 10000


def caution(what, counts, metrics, singular=(), subset_size=None):
    """Return the line, or None where there are images enough.

    `what` says how many images were compared, `counts` are these numbers, None where one is not known; `singular` are
    lines about covariances without full rank. KID is unbiased, but the std over subsets of m of N images, which fall
    as 1/m - 1/N, is less than the error of their mean, of 1/N, where N < 2m.
    """
    fewest, parts = min(n for n in counts if n is not None), []
    if 'fid' in metrics and fewest < FEWEST_OF_FID:
        parts.append(f'FID of fewer than {FEWEST_OF_FID:,} images is biased upwards, by about 1/N: compare it '
                     'only with FIDs of as many')
    parts += [line.partition(' (')[0] for line in singular[:-1]] + list(singular[-1:])  # the reason once
    if 'kid' in metrics and fewest < 2 * subset_size:
        parts.append(f'KID of fewer than {2 * subset_size:,} images is noisier than a std over its subsets says')
    return f'caution: {what}: {"; ".join(parts)}' if parts else None
