"""Which judges know classes of their own, and whether those are the classes of the data they judge."""
from source.datasets.digits import CLASS_NAMES

# {network: names of its classes}; the others judge images of any kind.
KNOWN = {'digits': CLASS_NAMES, 'mnist': CLASS_NAMES}


def own_names(network, folders):
    """Return a network's names of its classes where all `folders` are called so, else the folders; None for none."""
    known = KNOWN.get(network, [])
    return list(known) if folders and set(folders) <= set(known) else list(folders) or None


def why_foreign(network, class_names, dataset, unnamed='class names (names_of) of'):
    """Return a line that says why `network` is foreign to a data set called `dataset`, or None where it is not.

    `class_names` are the data set's, in order, or None where it has none; what it lacks is then called `unnamed`.
    Scores by a foreign judge say little of the images, and nothing of their classes.
    """
    known = KNOWN.get(network)
    if known is None or list(class_names or ()) == list(known):
        return None
    why = 'which are not the classes of' if class_names else f'but there are no {unnamed}'
    return f'the judge {network} knows {known[0]} to {known[-1]}, {why} {dataset}'
