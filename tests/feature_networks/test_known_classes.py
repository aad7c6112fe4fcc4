from source.config.build import build_feature_network
from source.config.yaml_utils import load_config
from source.datasets.digits import CLASS_NAMES, DigitsDataset
from source.feature_networks.known_classes import own_names, why_foreign
from tests.narrow import write_config

import pytest

WHY = 'the judge digits knows zero to nine, which are not the classes of {}'
UNNAMED = 'the judge digits knows zero to nine, but there are no class names (names_of) of {}'


@pytest.mark.parametrize('file, name, n_classes, why', [
    ('datasets/digits.py', 'DigitsDataset', 10, None), ('datasets/svhn.py', 'SVHNDataset', 10, None),
    ('datasets/photo_tiles.py', 'PhotoTilesDataset', 0, WHY),
    ('own.py', 'Own', 0, UNNAMED), ('gone.py', 'Gone', 0, UNNAMED)])
def test_built_for_a_config(tmp_path, file, name, n_classes, why):
    """Of other data it counts none as recognized; somebody's data set may be gone when samples are scored."""
    (tmp_path / 'own.py').write_text('class Own:\n    pass\n')
    path = write_config(tmp_path, {'evaluation': {'network': 'digits'},
                                   'dataset': {'dataset_fn': file, 'dataset_name': name, 'args': {}}})
    network = build_feature_network(load_config(path), str(path))
    assert (network.n_classes, network.foreign) == (n_classes, why and why.format(name))


def test_the_order_of_classes_counts_and_others_judge_images_of_any_kind():
    assert why_foreign('digits', DigitsDataset.names_of({})[::-1], 'X') == WHY.format('X')
    for folders, names in (([], None), (['nine', 'one'], list(CLASS_NAMES)), (['one', 'x'], ['one', 'x'])):
        assert own_names('digits', folders) == names and own_names('inception', folders) == (folders or None)
    assert why_foreign('mnist', DigitsDataset.names_of({}), 'X') is None
    assert why_foreign('mnist', None, 'X').startswith('the judge mnist knows zero to nine, but')
    assert why_foreign('inception', None, 'X') is why_foreign('efficientnet_lite0', ['china'], 'X') is None
