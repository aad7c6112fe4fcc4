"""How long a quick run is, and how often it writes."""

QUICK = 400  # iterations
MOST = {'snapshot_interval': 4, 'evaluation_interval': 4, 'display_interval': 40}  # so often in a run, at most


def quick_lengths(config):
    """Return the lengths of a config's quick run, {key: int}: QUICK iterations at most, the intervals in proportion.

    Where that would be more often than MOST says, as often as it says.
    """
    n_before = config['iteration']
    n = min(QUICK, n_before)
    start = config['iteration_decay_start']
    lengths = {'iteration': n, 'iteration_decay_start': n if start is None else start * n // n_before}
    for key, most in MOST.items():
        lengths[key] = max(1, round(config[key] * n / n_before), -(-n // most))
    return lengths
