"""Which of several processes takes which image of an epoch, so that each sees as much of every class as the others.

A batch of n processes is drawn in groups of n images, one for each. The same images, class by class, are put into
groups of n too, what is left of a class into a smaller one. Processes that differ within every group of both kinds are
what is wanted: then batches are of equal size, and of no class has a process more than one image more than another.
They are the colours of the edges, images, of a bipartite graph between the groups of both kinds, which n colours always
suffice for (Kőnig, 1916). So the classes cost the order nothing: the batches stay what one process would draw.
"""
import numba
import numpy as np


def even_shares(labels, n, first=0):
    """The process, 0 to n - 1, of each image of an epoch: int32 (N,), the same whenever it is called.

    Args:
        labels: int (N,), the classes of the images in the order in which they are drawn.
        n: number of processes.
        first: in [0, n): so many images of the first group were the last ones of the epoch before.

    A group that two epochs share is ordered: the earlier one's images are the first processes'.
    """
    labels = np.asarray(labels)
    if len(labels) == 0:
        return np.empty(0, np.int32)
    groups = (np.arange(len(labels)) + first) // n
    # Taken in their own order nearly all groups would be full or empty, and paths long: a minute for ImageNet.
    turns = np.random.RandomState(0).permutation(len(labels))
    return _colours(groups.astype(np.int32), _groups_by_class(labels, n), turns, n, first)


def _groups_by_class(labels, n):
    """The group of each image when those of a class are counted off by n, int32 (N,)."""
    by_class = np.argsort(labels, kind='stable')
    changes = np.flatnonzero(np.diff(labels[by_class])) + 1
    sizes = np.diff(np.concatenate([[0], changes, [len(labels)]]))
    within = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    groups = np.empty(len(labels), np.int32)
    groups[by_class] = np.cumsum(within % n == 0) - 1
    return groups


@numba.njit(cache=True)
def _colours(groups, class_groups, turns, n, first):
    n_edges = len(groups)
    ends = np.stack((groups, class_groups))
    # The edge of each colour at each vertex of either side, or -1.
    edge_at = np.full((2, max(groups.max(), class_groups.max()) + 1, n), -1, np.int32)
    colours, path = np.full(n_edges, -1, np.int32), np.empty(n_edges, np.int32)
    for edge in turns:
        at, at_class = edge_at[0, groups[edge]], edge_at[1, class_groups[edge]]
        chosen, free, free_at_class = -1, -1, -1
        for colour in range(n):
            if at[colour] < 0:
                free = colour
                if at_class[colour] < 0:
                    chosen = colour
            if at_class[colour] < 0:
                free_at_class = colour
        if chosen < 0:
            chosen = free  # which a path from the class's group can be rid of; it does not come to this one
            _exchange(1, class_groups[edge], free, free_at_class, ends, edge_at, colours, path)
        at[chosen] = at_class[chosen] = edge
        colours[edge] = chosen
    # The last group first: what the first one needs is then to be had without touching it.
    last = groups[-1]
    _order(last, 0 if last > 0 else first, ends, edge_at, colours, path)
    if last > 0 and first > 0:
        _order(0, first, ends, edge_at, colours, path)
    return colours


@numba.njit(cache=True)
def _order(group, lowest, ends, edge_at, colours, path):
    """Gives a group the colours from `lowest` on, as many as it has edges."""
    at = edge_at[0, group]
    end = lowest + np.sum(at >= 0)
    for wanted in range(lowest, end):
        if at[wanted] < 0:
            for colour in range(len(at)):
                if at[colour] >= 0 and not lowest <= colour < end:
                    _exchange(0, group, colour, wanted, ends, edge_at, colours, path)
                    break


@numba.njit(cache=True)
def _exchange(side, vertex, one, other, ends, edge_at, colours, path):
    """Exchanges two colours along the path that begins with `one` at a vertex, where there is no `other`."""
    n_found, colour = 0, one
    edge = edge_at[side, vertex, colour]
    while edge >= 0:
        path[n_found] = edge
        n_found += 1
        side, colour = 1 - side, one + other - colour
        edge = edge_at[side, ends[side, edge], colour]
    for k in range(n_found):
        for side in range(2):
            edge_at[side, ends[side, path[k]], colours[path[k]]] = -1
    for k in range(n_found):
        edge = path[k]
        colours[edge] = one + other - colours[edge]
        for side in range(2):
            edge_at[side, ends[side, edge], colours[edge]] = edge
