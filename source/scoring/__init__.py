"""What joins metrics to feature networks, real images and protocols; `fid` does so in one call."""
from source.scoring.fid_of_images import fid

__all__ = ['fid']
