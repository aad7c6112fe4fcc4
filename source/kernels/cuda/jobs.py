"""Tables of jobs, passed by value: kernels over many arrays at once.

A kernel's parameters may take 4 KB, so a table holds what fits; further jobs go into further launches.
"""
import numpy as np

_TABLE_BYTES = 4000  # leaves room for the other parameters
SEGMENT = 4096  # as in jobs.cu


class Table:
    """C's `struct Jobs { Job job[capacity]; int n; }`, for a `Job` of these (name, NumPy type) fields."""

    def __init__(self, *fields):
        job = np.dtype(list(fields), align=True)
        self.capacity = _TABLE_BYTES // job.itemsize - 1
        self.dtype = np.dtype([('job', job, (self.capacity,)), ('n', np.int32)], align=True)

    def filled(self, jobs):
        """A table of at most `capacity` tuples of fields: a NumPy array of shape (), which CuPy passes by value."""
        table = np.zeros((), self.dtype)
        table['job'][:len(jobs)] = jobs
        table['n'] = len(jobs)
        return table

    def chunks(self, items):
        return [items[i:i + self.capacity] for i in range(0, len(items), self.capacity)]
