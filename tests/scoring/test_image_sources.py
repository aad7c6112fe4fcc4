from gen_models.resnet_32 import ResNetGenerator
from source.datasets.image_dataset import ImageDataset
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.scoring.image_sources import GeneratedImages, StoredImages

import numpy as np
import pytest


def joined(batches):
    return tuple(None if parts[0] is None else np.concatenate(parts) for parts in zip(*batches))


def numbers(batches):
    return joined(batches)[0][:, 0, 0, 0].tolist()


@pytest.mark.parametrize('n_classes', [10, 0])
def test_generated(n_classes):
    """Those of a class are the same whatever was asked for before, others for another class, in pairs all distinct."""
    gen = ResNetGenerator(ch=4, dim_z=3, bottom_width=2, n_classes=n_classes)
    for name, parameter in gen.namedparams():
        if 'betas' in name:
            parameter.array[...] = np.random.normal(size=parameter.shape)
    for _ in range(30):
        gen(20)
    generated = GeneratedImages(gen, seed=5)
    ims, y = joined(generated.batches(130))
    expected, labels = generate_ims(gen, 130, NoiseSampler(3, n_classes, seed=5))
    np.testing.assert_array_equal(ims, expected)
    np.testing.assert_array_equal(y, labels)
    assert (y is None) == (n_classes == 0)
    assert (generated.n, generated.n_of_class(3), list(generated.classes)) == (None, None, list(range(n_classes)))
    first = joined(generated.batches_of_class(3, 30))
    other = joined(generated.batches_of_class(4, 30))
    again = joined(generated.batches_of_class(3, 30))
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).mean() > .2
    assert n_classes == 0 or (first[1] == 3).all()
    np.testing.assert_array_equal(np.concatenate(joined(generated.pairs_of_class(3, 15))), first[0])


@pytest.fixture
def stored():
    """Each image is of its own number."""
    ims = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None, None], (40, 3, 2, 2))
    return StoredImages(ImageDataset(ims, np.arange(40) % 3, 3))


def test_stored(stored):
    assert (stored.n, stored.n_classes, stored.n_of_class(0), stored.n_of_class(2)) == (40, 3, 14, 13)
    order = np.random.RandomState(0).permutation(40).tolist()  # NumPy's legacy generator never changes
    assert (numbers(stored.batches(7)), stored.order) == (order[:7], 'drawn')
    assert numbers(stored.batches_of_class(1, 4)) == [k for k in order if k % 3 == 1][:4]
    ims0, ims1 = (ims[:, 0, 0, 0] for ims in joined(stored.pairs_of_class(1, 2000)))
    assert len(ims0) == len(ims1) == 2000
    assert (ims0 % 3 == 1).all() and (ims1 % 3 == 1).all() and (ims0 != ims1).all()
    assert len(set(zip(ims0.tolist(), ims1.tolist()))) == 13 * 12
    np.testing.assert_array_equal(joined(stored.pairs_of_class(1, 2000))[0][:, 0, 0, 0], ims0)
    stored.dataset.labelled = False
    plain = StoredImages(stored.dataset)
    assert (plain.n_classes, plain.n_of_class(0)) == (0, 40)
    single = StoredImages(ImageDataset(stored.dataset.ims[:1], [0], 1))
    with pytest.raises(ValueError, match='class 0: expected at least 2 images to make pairs of, found 1'):
        list(single.pairs_of_class(0, 3))


def test_orders_of_stored_images(stored):
    kept = StoredImages(stored.dataset, 5, keep_order=True)
    assert (numbers(kept.batches(40)), kept.order) == (list(range(40)), 'as stored')
    assert numbers(StoredImages(stored.dataset, 5).batches(40)) == np.random.RandomState(5).permutation(40).tolist()
    drawn = np.random.RandomState(1).permutation(100)[:40]  # of a hundred, sixty were removed
    stored.dataset.draw_order = drawn
    generated = StoredImages(stored.dataset, 5)
    assert generated.order == 'as generated'
    assert drawn[numbers(generated.batches(40))].tolist() == sorted(drawn)
    assert StoredImages(stored.dataset, 5, keep_order=True).order == 'as stored'


def test_labels_come_with_classes_that_are_known(stored, capsys):
    assert joined(stored.batches(5))[1] is None
    stored.use_classes(None, 4)
    ims, y = joined(stored.batches(40))
    assert (y == ims[:, 0, 0, 0] % 3).all()
    assert (stored.n_classes, stored.n_of_class(3), list(stored.classes)) == (4, 0, [0, 1, 2])
    for names, n_classes, expected in ((None, 2, 'labels: expected 0 to 1, found 2'),
                                       (['a', 'b'], 4, 'expected as many class names as classes, 4, found 2')):
        with pytest.raises(ValueError, match=expected):
            StoredImages(stored.dataset).use_classes(names, n_classes)
    stored.dataset.labels += 1
    for n_classes, told in ((4, 'no image is of class 0: do the classes begin at 1?\n'), (5, '')):
        StoredImages(stored.dataset).use_classes(None, n_classes)
        assert capsys.readouterr().err == told
