from source.datasets.image_dataset import ImageDataset
from source.scoring.image_sources import StoredImages

import numpy as np
import pytest


def joined(batches):
    return tuple(None if parts[0] is None else np.concatenate(parts) for parts in zip(*batches))


def numbers(batches):
    return joined(batches)[0][:, 0, 0, 0].tolist()


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
    assert len(ims0) == len(ims1) == 2000 and len(set(zip(ims0.tolist(), ims1.tolist()))) == 13 * 12
    assert (ims0 % 3 == 1).all() and (ims1 % 3 == 1).all() and (ims0 != ims1).all()
    np.testing.assert_array_equal(joined(stored.pairs_of_class(1, 2000))[0][:, 0, 0, 0], ims0)
    stored.dataset.labelled = False
    plain = StoredImages(stored.dataset)
    assert (plain.n_classes, plain.n_of_class(0)) == (0, 40)
    single = StoredImages(ImageDataset(stored.dataset.ims[:1], [0], 1))
    with pytest.raises(ValueError, match='class 0: expected at least 2 images to make pairs of, found 1'):
        list(single.pairs_of_class(0, 3))


def test_orders_of_stored_images(stored):
    drawn = np.random.RandomState(1).permutation(100)[:40]  # of a hundred, sixty were removed
    stored.dataset.draw_order = drawn
    generated = StoredImages(stored.dataset, 5)
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


def test_labels_that_could_be_places_are_taken_as_names(capsys):
    images = StoredImages(ImageDataset(np.zeros((4, 3, 8, 8), np.uint8), [1, 2, 2, 1], 3))
    images.use_names(['1', '2', '3'])
    assert images.labels.tolist() == [0, 1, 1, 0] and images.classes == {0: '1', 1: '2'}
    assert 'labels are taken as names: 1 is the real class called 1, which is number 0' in capsys.readouterr().err
