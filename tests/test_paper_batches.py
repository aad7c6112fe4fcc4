"""Whether a run has the batches of the paper's numbers: what is chosen, said and refused."""
from source.paper_batches import other_batch, settle
from source.yaml_utils import ConfigError, load_config
from tests.children import ROOT

import pytest

IMAGENET, CIFAR = (str(ROOT / 'configs' / name) for name in ('sn_projection_imagenet.yml', 'sn_cifar10.yml'))
SAME = "each update of 4 parts, each of 16 real and 32 generated images, as the paper's"
PAPERS = "the paper's of 4 parts, each of 16 real and 32 generated images; for the paper's: "


@pytest.mark.parametrize('path, n_processes, overrides, accumulate, expected', [
    (IMAGENET, 1, [], 4, 'accumulate: 4: ' + SAME), (IMAGENET, 2, [], 2, 'accumulate: 2: ' + SAME),
    (IMAGENET, 4, [], 1, None), (CIFAR, 1, [], 1, None), (CIFAR, 1, ['batchsize=64.'], 1, None),
    (IMAGENET, 1, ['accumulate=1'], 1, 'each update of 16 real and 32 generated images, ' + PAPERS
     + '--set accumulate=4, or mpiexec -n 4 python train.py --set accumulate=1'),
    (IMAGENET, 3, [], 1, 'each update of 3 parts, each of 16 real and 32 generated images, ' + PAPERS
     + 'mpiexec -n 4 python train.py --set accumulate=1'),
    (IMAGENET, 1, ['batchsize=64'], 1, 'each update of 64 real and 32 generated images, ' + PAPERS
     + '--set batchsize=16 --set accumulate=4, or'),
    (IMAGENET, 8, [], 1, 'each update of 8 parts, each of 16 real and'),
    (IMAGENET, 4, ['accumulate=4'], 4, 'each update of 16 parts, each of 16 real and'),
    (CIFAR, 2, [], 1, 'each update of 2 parts, each of 64 real and 128 generated images, '
     "the paper's of 64 real and 128 generated images; for the paper's: python train.py in one process")])
def test_settle(capsys, path, n_processes, overrides, accumulate, expected):
    config = load_config(path, overrides)
    settle(config, path, n_processes)
    assert (config['processes'], config['accumulate']) == (n_processes, accumulate)
    said = capsys.readouterr().err
    assert (expected in said and said.startswith((path, f'note: {path}'))) if expected else said == ''
    is_papers = expected is None or expected.endswith("as the paper's")
    assert (other_batch(config) is None) == is_papers
    settle(load_config(path, overrides), path, n_processes, is_first=False)
    assert capsys.readouterr().err == ''


def test_parts_that_are_to_be_synchronized():
    config = load_config(IMAGENET, ['accumulate=2', 'synchronized_batch_norm=true'])
    with pytest.raises(ConfigError, match='accumulate: expected 1 where synchronized_batch_norm is true.*found 2'):
        settle(config, IMAGENET, 2)
    config = load_config(IMAGENET, ['synchronized_batch_norm=true'])
    settle(config, IMAGENET, 1)
    assert config['accumulate'] == 1 and other_batch(config)


def test_nothing_is_said_of_what_is_not_known():
    assert other_batch(load_config(IMAGENET)) is None  # by how many processes, as of a run of an earlier version
    config = load_config(str(ROOT / 'configs' / 'sn_projection_digits.yml'))
    settle(config, 'digits', 3)
    assert other_batch(config) is None
