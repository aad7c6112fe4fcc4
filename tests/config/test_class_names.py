import re

from source.config.build import class_names_of
from source.config.class_names import find_class, match_classes, read_class_names
from source.datasets import (
    cifar10,
    digits,
    fashion_mnist,
    imagenet,
    imagenet_dog_and_cat,
    mnist,
    photo_tiles,
    stl10,
    svhn,
)

import pytest

DIGITS = digits.DigitsDataset.names_of({})
NAMES = ['n02123045 tabby, tabby cat', 'n02123159 tiger cat', 'crane', 'Crane', 'seven']


def test_names_of_data_sets_without_their_data(tmp_path):
    for cls, args, position, name in (
            (digits.DigitsDataset, {}, 7, 'seven'), (svhn.SVHNDataset, {}, 0, 'zero'),
            (cifar10.CIFAR10Dataset, {'root': '.'}, 3, 'cat'), (stl10.STL10Dataset, {'split': 'train'}, 7, 'monkey'),
            (fashion_mnist.FashionMNISTDataset, {'size': 28}, 9, 'ankle boot'),
            (mnist.MNISTDataset, {}, 3, 'three'),
            (photo_tiles.PhotoTilesDataset, {'photos': 'all'}, 2, 'astronaut')):
        names = cls.names_of(args)
        assert names[position] == name and len(set(names)) == 10
    assert stl10.STL10Dataset.names_of({}) is None  # its unlabeled split
    assert imagenet.ImageNetDataset.names_of({'path': str(tmp_path / 'none.txt')}) is None
    (tmp_path / 'own.py').write_text('class Own:\n    pass\n')
    for file, name, expected in (('own.py', 'Own', None), ('datasets/digits.py', 'DigitsDataset', list(DIGITS))):
        config = {'dataset': {'dataset_fn': file, 'dataset_name': name, 'args': {}}}
        assert class_names_of(config, str(tmp_path / 'config.yml')) == expected


@pytest.mark.parametrize('cls, args, labels', [
    (imagenet.ImageNetDataset, {'n_classes': 3}, range(3)),
    (imagenet_dog_and_cat.ImageNetDogAndCatDataset, {}, range(151, 294))])
def test_imagenet_is_named_by_folders(tmp_path, cls, args, labels):
    path = tmp_path / 'list.txt'
    path.write_text(''.join(f'n{c + 7:08d}/a.JPEG {c}\n' for c in reversed(labels)))
    assert cls.names_of({**args, 'path': str(path)}) == [f'n{c + 7:08d}' for c in labels]
    path.write_text(f'n00000001/a.JPEG {labels[0]}\n')
    assert cls.names_of({**args, 'path': str(path)}) is None


def test_found(capsys):
    for text, expected in (('0', 0), ('4', 4), ('tabby', 0), ('Tabby Cat', 0), ('n02123159', 1), ('tiger cat', 1),
                           ('SEVEN', 4), ('n02123045 tabby, tabby cat', 0)):
        assert find_class(text, NAMES, 5) == expected, text
    assert capsys.readouterr().err == ''
    assert find_class('1', ['1', '2'], 2) == 1
    assert capsys.readouterr().err == '--classes 1: taken as the number, not as the name of class 0\n'
    assert find_class('2', ['1', '2'], 2) == 1
    assert capsys.readouterr().err == '--classes 2: taken as the name of class 1, as there is no class 2\n'


@pytest.mark.parametrize('text, names, n_classes, expected', [
    ('5', NAMES, 5, '--classes 5: the snapshot knows classes 0 to 4'),
    ('-1', None, 5, '--classes -1: the snapshot knows classes 0 to 4'),
    ('0', None, 0, 'of an unconditional generator'), ('cat', NAMES, 0, 'of an unconditional generator'),
    ('cat', None, 5, 'the data set does not name its classes; expected numbers from 0 to 4'),
    ('crane', NAMES, 5, 'several classes are called so: 2, 3; give a number'),
    ('tabbi', NAMES, 5, "no such class; did you mean 'tabby'?"),
    ('xyz', NAMES, 5, 'no such class; known are n02123045 tabby')])
def test_not_found(text, names, n_classes, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        find_class(text, names, n_classes)


def test_file(tmp_path):
    (tmp_path / 'names.txt').write_text('one\n\ntwo, 2\n')
    assert read_class_names(tmp_path / 'names.txt', 2) == ['one', 'two, 2']
    for name, message in (('names.txt', 'expected 3 class names, one a line; found 2'),
                          ('none', 'cannot be read as class names: No such file')):
        with pytest.raises(ValueError, match=message):
            read_class_names(tmp_path / name, 3)


@pytest.mark.parametrize('folders, names, expected, told', [
    (['zero', 'nine', 'Four'], DIGITS, [0, 9, 4], ''), (['3', '07', '0'], DIGITS, [3, 7, 0], ''),
    (['2', '0'], None, [2, 0], ''), (['n02123159', 'tabby'], NAMES, [1, 0], ''),
    # Of classes called by numbers: by name where all are, which is said where it is another class than the number.
    (['1', '2'], ['1', '2', '10'], [0, 1], "folders are taken by name: '1' is class 0\n"),
    (['0', '1', '2'], ['1', '2', '10'], [0, 1, 2], '')])  # what gen_images.py writes
def test_matched_folders(folders, names, expected, told, capsys):
    assert match_classes(folders, names, 10) == expected
    assert capsys.readouterr().err == told


@pytest.mark.parametrize('folders, names, expected', [
    (['zero', 'ten'], DIGITS, "folder 'ten' is none of the data set's classes; expected their numbers, 0 to 9, or "
                              'names: zero, one, two, three, four, five, six, seven, eight, nine'),
    (['1', '10'], DIGITS, "folder '10' is none"), ([*map(str, range(10)), 'misc'], DIGITS, "folder 'misc' is none"),
    (['zero', '1'], DIGITS, "folder 'zero' is a name, '1' a number; expected"),
    (['cat'], None, "folder 'cat' is none of the data set's classes; expected their numbers, 0 to 9"),
    (['crane'], NAMES, "folder 'crane' is none"),  # two classes are called so
    (['one', 'One'], DIGITS, "folders 'one' and 'One' are both class 1"),
    (['7', '07'], None, "folders '7' and '07' are both class 7")])
def test_folders_that_do_not_match(folders, names, expected):
    with pytest.raises(ValueError, match=f'^{re.escape(expected)}'):
        match_classes(folders, names, 10)
