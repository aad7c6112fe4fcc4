"""How many images a score is of, and against which real ones: the protocols, by name."""
from dataclasses import dataclass

GIVEN = ', given real images'  # ends the name of a protocol with others than the data set's


@dataclass(frozen=True)
class Protocol:
    """What a score is computed from; scores of two protocols are not comparable."""

    name: str
    n_images: int  # generated, for the inception score
    splits: int  # of them, in the order generated
    n_compared: int  # the first so many of them are compared with real ones: all scores but the IS
    real: str  # 'train' or 'test': the split the real images are of, where the data set has one
    n_real: int | None  # real images; None: all
    n_per_class: int = 5000  # generated, of each class, for the intra-FID, against all training images of the class


PROTOCOLS = {
    # Miyato et al. 2018, section 4: inception score of 10 × 5,000, FID of 10,000 real and 5,000 generated images. They
    # do not say which real images; CIFAR-10's test set has 10,000.
    'paper': Protocol('paper', n_images=50000, splits=10, n_compared=5000, real='test', n_real=10000),
    'modern': Protocol('modern', n_images=50000, splits=10, n_compared=50000, real='train', n_real=None),
}


def config_protocol(n_images, splits):
    """Return the protocol 'config': n_images in so many splits, all compared with the whole training set."""
    return Protocol('config', n_images, splits, n_compared=n_images, real='train', n_real=None)
