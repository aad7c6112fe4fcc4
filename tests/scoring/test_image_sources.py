from gen_models.resnet_32 import ResNetGenerator
from source.datasets.image_dataset import ImageDataset
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.image_sources import GeneratedImages, StoredImages

import numpy as np
import pytest


def joined(batches):
    return tuple(None if parts[0] is None else np.concatenate(parts) for parts in zip(*batches))


@pytest.fixture(params=[10, 0])
def generated(request):
    gen = ResNetGenerator(ch=4, dim_z=3, bottom_width=2, n_classes=request.param)
    for name, parameter in gen.namedparams():
        if 'betas' in name:
            parameter.array[...] = np.random.normal(size=parameter.shape)
    for _ in range(30):
        gen(20)
    return GeneratedImages(gen, seed=5)


def test_generated(generated):
    gen = generated.gen
    ims, y = joined(generated.batches(130))
    expected, labels = generate_ims(gen, 130, NoiseSampler(3, gen.n_classes, seed=5))
    np.testing.assert_array_equal(ims, expected)
    assert (y is None and labels is None) or (y == labels).all()
    assert generated.n is None


def test_generated_of_a_class(generated):
    """The same whatever was asked for before, others for another class, pairs of distinct samples."""
    first = joined(generated.batches_of_class(3, 30))
    list(generated.batches_of_class(4, 5))
    again = joined(generated.batches_of_class(3, 30))
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != joined(generated.batches_of_class(4, 30))[0]).mean() > .2
    if generated.n_classes:
        assert (first[1] == 3).all()
    ims0, ims1 = joined(generated.pairs_of_class(3, 15))
    np.testing.assert_array_equal(np.concatenate([ims0, ims1]), first[0])


@pytest.fixture
def stored():
    """Each image is of its own number."""
    ims = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None, None], (40, 3, 2, 2))
    return StoredImages(ImageDataset(ims, np.arange(40) % 3, 3))


def test_stored(stored):
    assert (stored.n, stored.n_classes, stored.n_of_class(0), stored.n_of_class(2)) == (40, 3, 14, 13)
    assert joined(stored.batches(7))[0][:, 0, 0, 0].tolist() == list(range(7))
    assert joined(stored.batches_of_class(1, 4))[0][:, 0, 0, 0].tolist() == [1, 4, 7, 10]
    ims0, ims1 = (ims[:, 0, 0, 0] for ims in joined(stored.pairs_of_class(1, 2000)))
    assert len(ims0) == len(ims1) == 2000
    assert (ims0 % 3 == 1).all() and (ims1 % 3 == 1).all() and (ims0 != ims1).all()
    assert len(set(zip(ims0.tolist(), ims1.tolist()))) == 13 * 12
    np.testing.assert_array_equal(joined(stored.pairs_of_class(1, 2000))[0][:, 0, 0, 0], ims0)


def test_stored_without_classes(stored):
    stored.dataset.labelled = False
    plain = StoredImages(stored.dataset)
    assert (plain.n_classes, plain.n_of_class(0)) == (0, 40)
    plain = StoredImages(ImageDataset(stored.dataset.ims[:1], [0], 1))
    with pytest.raises(ValueError, match='class 0: expected at least 2 images to make pairs of, found 1'):
        list(plain.pairs_of_class(0, 3))
