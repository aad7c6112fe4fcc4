"""Readers of other programs' weight files: arrays by name, without those programs, running nothing they hold."""


class WeightFileError(ValueError):
    """A weight file that is cut, changed, or not what it should be."""
