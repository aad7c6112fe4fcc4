"""What joins metrics to feature networks, real images and protocols; `fid` does so in one call."""

__all__ = ['fid']


def __getattr__(name):
    """`fid`, imported when it is asked for: it needs all that judges, and commands that read records do without."""
    if name == 'fid':
        from source.scoring.fid_of_images import fid
        return fid
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
