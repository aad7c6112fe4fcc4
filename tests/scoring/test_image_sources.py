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


def test_orders_of_stored_images(stored):
    dataset = stored.dataset
    kept = StoredImages(dataset, 5, keep_order=True)
    assert (numbers(kept.batches(40)), kept.order) == (list(range(40)), 'as stored')
    other = StoredImages(dataset, 5)
    assert numbers(other.batches(40)) == np.random.RandomState(5).permutation(40).tolist()
    dataset.draw_order = np.random.RandomState(1).permutation(100)[:40]  # of a hundred, sixty were removed
    drawn = StoredImages(dataset, 5)
    places = [dataset.draw_order[k] for k in numbers(drawn.batches(40))]
    assert places == sorted(places) and drawn.order == 'as generated'
    assert StoredImages(dataset, 5, keep_order=True).order == 'as stored'


def test_labels_come_with_classes_that_are_known(stored):
    assert joined(stored.batches(5))[1] is None
    stored.use_classes(None, 4)
    ims, y = joined(stored.batches(40))
    assert (y == ims[:, 0, 0, 0] % 3).all()
    assert (stored.n_classes, stored.n_of_class(3), list(stored.classes)) == (4, 0, [0, 1, 2])
    with pytest.raises(ValueError, match='labels: expected 0 to 1, found 2'):
        StoredImages(stored.dataset).use_classes(None, 2)


def test_folders_become_the_classes_of_the_data_set(stored):
    stored.dataset.folders = ['three', 'zero', 'One']
    images = StoredImages(stored.dataset)
    images.use_classes(['zero', 'one', 'two', 'three'], 4)
    ims, y = joined(images.batches(40))
    np.testing.assert_array_equal(y, np.array([3, 0, 1])[ims[:, 0, 0, 0] % 3])
    assert images.classes == {0: 'zero', 1: 'one', 3: 'three'}


def test_classes_that_may_begin_at_1(stored, capsys):
    stored.dataset.labels += 1
    StoredImages(stored.dataset).use_classes(None, 4)
    assert capsys.readouterr().err == 'no image is of class 0: do the classes begin at 1?\n'
    StoredImages(stored.dataset).use_classes(None, 5)
    assert capsys.readouterr().err == ''
    with pytest.raises(ValueError, match='expected as many class names as classes, 4, found 2'):
        StoredImages(stored.dataset).use_classes(['a', 'b'], 4)
