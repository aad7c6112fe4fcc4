"""How much of an experiment has been run: its cells among the records, how many are missing, whether they compare."""


def cells_among(records, variants):
    """{(variant, seed): record} of those of {name: record} that are of `variants`."""
    by_name = {variant.name: variant for variant in variants}
    found = {}
    for record in records.values():
        variant = by_name.get(record['name'].rpartition('-seed')[0])
        if variant is not None:
            found[variant, record['seed']] = record
    return found


def seeds_of(cells):
    """The seeds of {(variant, seed): record}, ascending."""
    return sorted({seed for _, seed in cells})


def part_run(cells, variants, seeds):
    """'2 of 6 cells' where some of `variants` × `seeds` have no record among {(variant, seed): record}, else ''."""
    n = sum((variant, seed) in cells for variant in variants for seed in seeds)
    of = len(variants) * len(seeds)
    return f'{n} of {of} cells' if n < of else ''


def check_one_budget(cells, results, what):
    """Raises ValueError, which names the file, where {(variant, seed): record} are not of one budget and one judge.

    The iterations may differ as the options of the variants say. `what` is made of these cells.
    """
    if not cells:
        return
    whole = max(round(record['budget']['iteration'] / dict(variant.options).get('updates', 1))
                for (variant, _), record in cells.items())
    first = next(iter(cells.values()))['budget']
    judge = next((record['network_sha256'] for record in cells.values() if record.get('network_sha256')), None)
    for (variant, _), record in cells.items():
        expected = {**first, 'iteration': variant.iterations(whole), 'network_sha256': judge}
        found = {**record['budget'], 'network_sha256': record.get('network_sha256') or judge}  # older ones lack it
        for name in (*expected, *found):
            if found.get(name) != expected.get(name):
                raise ValueError(f'{results.record_of(record["name"])}: is of another budget than the rest of {what}: '
                                 f'{name}: expected {expected.get(name)}, found {found.get(name)}; keep the records of '
                                 'each budget in a --results_dir of their own')
