from source.build import build_feature_network
from source.datasets.digits import DigitsDataset
from source.datasets.svhn import SVHNDataset
from source.feature_networks.known_classes import why_foreign
from source.yaml_utils import load_config
from tests.narrow import write_config

import pytest

KNOWS = 'the judge digits knows zero to nine, '
WHY = KNOWS + 'which are not the classes of X'
UNNAMED = KNOWS + 'but there are no class names (names_of) of X'
TILES = {'dataset': {'dataset_fn': 'datasets/photo_tiles.py', 'dataset_name': 'PhotoTilesDataset', 'args': {}}}


@pytest.mark.parametrize('network, names, expected', [
    ('digits', DigitsDataset.names_of({}), None), ('digits', list(SVHNDataset.names_of({})), None),
    ('digits', ['china', 'flower'], WHY), ('digits', None, UNNAMED), ('digits', [], UNNAMED),
    ('digits', DigitsDataset.names_of({})[::-1], WHY), ('inception', ['china'], None),
    ('efficientnet_lite0', None, None)])
def test_why_foreign(network, names, expected):
    assert why_foreign(network, names, 'X') == expected


@pytest.mark.parametrize('changes, n_classes, foreign', [
    ({}, 10, None), (TILES, 0, WHY.replace('X', 'PhotoTilesDataset')),
    ({'dataset': {'dataset_fn': 'own.py', 'dataset_name': 'Own', 'args': {}}}, 0, UNNAMED.replace('X', 'Own')),
    ({'dataset': {'dataset_fn': 'gone.py', 'dataset_name': 'Gone', 'args': {}}}, 0, UNNAMED.replace('X', 'Gone'))])
def test_built_for_a_config(tmp_path, changes, n_classes, foreign):
    """Of other data it counts none as recognized; somebody's data set may be gone when samples are scored."""
    (tmp_path / 'own.py').write_text('class Own:\n    pass\n')
    path = write_config(tmp_path, {'evaluation': {'network': 'digits'}, **changes})
    network = build_feature_network(load_config(path), str(path))
    assert (network.n_classes, network.foreign) == (n_classes, foreign)
