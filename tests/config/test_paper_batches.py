"""Whether a run has the batches of the paper's numbers: what is chosen, said and refused."""
import train
from source.config.checks import ConfigError
from source.config.paper_batches import UNKNOWN, note_earlier, other_batch, settle
from source.config.yaml_utils import load_config
from tests.children import ROOT
from tests.narrow import run, write_config

import pytest

IMAGENET, CIFAR = (str(ROOT / 'configs' / name) for name in ('sn_projection_imagenet.yml', 'sn_cifar10.yml'))
SAME = "each update of 4 parts, each of 16 real and 32 generated images, as the paper's"
PAPERS = "the paper's of 4 parts, each of 16 real and 32 generated images; for those: "


def settled(path, n_processes=1, overrides=()):
    config = load_config(path, overrides)
    return config, settle(config, str(path), n_processes)


@pytest.mark.parametrize('path, n_processes, overrides, accumulate, expected', [
    (IMAGENET, 1, [], 4, 'accumulate: 4: ' + SAME), (IMAGENET, 2, [], 2, 'accumulate: 2: ' + SAME),
    (IMAGENET, 4, [], 1, None), (CIFAR, 1, [], 1, None), (CIFAR, 1, ['batchsize=64.'], 1, None),
    (CIFAR, 2, ['batchsize=32', 'updater.args.n_gen_samples=64', 'synchronized_batch_norm=true'], 1, None),
    (IMAGENET, 1, ['accumulate=1'], 1, 'each update of 16 real and 32 generated images, ' + PAPERS
     + '--set accumulate=4, or mpiexec -n 4 python train.py --set accumulate=1'),
    (IMAGENET, 3, [], 1, 'each update of 3 parts, each of 16 real and 32 generated images, ' + PAPERS
     + 'mpiexec -n 4 python train.py --set accumulate=1'),
    (IMAGENET, 1, ['batchsize=64'], 1, 'each update of 64 real and 32 generated images, ' + PAPERS
     + '--set batchsize=16 --set accumulate=4, or'),
    (IMAGENET, 2, ['batchsize=8'], 4, 'accumulate: 4: each update of 8 parts, each of 8 real and 32 generated images, '
     + PAPERS + '--set batchsize=16 --set accumulate=2, or mpiexec -n 4 python train.py --set batchsize=16'),
    (IMAGENET, 8, [], 1, 'each update of 8 parts, each of 16 real and'),
    (IMAGENET, 4, ['accumulate=4'], 4, 'each update of 16 parts, each of 16 real and'),
    (IMAGENET, 4, ['synchronized_batch_norm=true'], 1, 'each update of 64 real and 128 generated images, ' + PAPERS
     + '--set synchronized_batch_norm=false --set accumulate=1'),
    (CIFAR, 2, ['accumulate=2'], 2, 'each update of 4 parts, each of 64 real and 128 generated images, the paper\'s of '
     '64 real and 128 generated images; for those: python train.py in one process --set accumulate=1'),
    (CIFAR, 1, ['paper=null'], 1, 'whether its batches are those of the numbers of cifar10_projection is not known')])
def test_settle(path, n_processes, overrides, accumulate, expected):
    config, said = settled(path, n_processes, overrides)
    assert (config['processes'], config['accumulate'], len(said)) == (n_processes, accumulate, expected is not None)
    assert all(line.startswith((f'{path}: accumulate: ', f'note: {path}: ')) and expected in line for line in said)
    assert (other_batch(config) is None) == (expected is None or expected.endswith("as the paper's"))


@pytest.mark.parametrize('overrides, n_processes', [
    (['accumulate=1'], 1), (['batchsize=8', 'updater.args.n_gen_samples=8'], 2), (['accumulate=3'], 2),
    (['synchronized_batch_norm=true'], 4), (['batchsize=128'], 8), (['accumulate=2'], 8)])
def test_each_way_leads_to_the_papers(overrides, n_processes):
    """Followed to the letter, after what was said before."""
    _, (line,) = settled(IMAGENET, n_processes, overrides)
    ways = line.partition('; for those: ')[2].split(', or ')
    assert ways
    for way in ways:
        words = way.split()
        n = int(words[2]) if words[0] == 'mpiexec' else n_processes
        config, _ = settled(IMAGENET, n, overrides + [word for word in words if '=' in word])
        assert other_batch(config) is None, way


def test_a_config_of_ones_own(tmp_path):
    """What extends one of the paper's has its `paper`, but none of its rows; a `paper` is whole or refused."""
    path = tmp_path / 'own.yml'
    path.write_text(f'extends: {CIFAR}\nbatchsize: 32\n')
    config, (line,) = settled(path)
    assert 'each update of 32 real and 128 generated images, by `paper` in its config of 64 real and 128' in line
    for paper in ({'processes': 4}, {'batchsize': 4, 'n_gen_samples': 4}):
        with pytest.raises(ConfigError, match=r'paper\.\w+: missing; expected int, as the others of `paper`'):
            load_config(write_config(tmp_path, {'paper': paper}))
    assert settled(write_config(tmp_path, {'paper_row': None}), 3)[1] == []


def test_parts_that_are_to_be_synchronized():
    with pytest.raises(ConfigError, match='accumulate: expected 1 where synchronized_batch_norm is true.*found 2'):
        settled(IMAGENET, 2, ['accumulate=2', 'synchronized_batch_norm=true'])


def test_what_is_not_known():
    config = load_config(IMAGENET)  # by how many processes, as of a run of an earlier version
    assert other_batch(config).startswith(UNKNOWN) and 'by how many processes' in other_batch(config)
    assert other_batch({**load_config(IMAGENET, ['paper=null']), 'processes': 4}).startswith(UNKNOWN)
    digits, said = settled(ROOT / 'configs' / 'sn_projection_digits.yml', 3)
    assert said == [] and other_batch(digits) is None


def test_earlier_batches():
    """A run that went on with others keeps what it had before; one of an earlier version does not say."""
    config, quarter = settled(IMAGENET)[0], settled(IMAGENET, 1, ['accumulate=1'])[0]
    assert note_earlier(config, settled(IMAGENET, 4)[0], 7) is None and config['earlier_batches'] == {}
    assert note_earlier(config, quarter, 7) == '16 real and 32 generated images'
    assert other_batch(config) == ('each update until iteration 7 of 16 real and 32 generated images, then of '
                                   + PAPERS.removeprefix("the paper's of ").removesuffix('; for those: ')
                                   + ', ' + PAPERS.removesuffix('; for those: '))
    again = settled(IMAGENET)[0]
    assert note_earlier(again, config, 9) is None and again['earlier_batches'] == config['earlier_batches']
    assert note_earlier(again, load_config(IMAGENET), 9) == 'a number of images that is not known'
    digits = ROOT / 'configs' / 'sn_projection_digits.yml'
    assert note_earlier(settled(digits)[0], load_config(digits), 9) is None


def test_a_run_that_goes_on_with_others(tmp_path, capsys):
    """Said once, and kept in its config, though the batches are the paper's from then on."""
    path = write_config(tmp_path, {'paper': {'processes': 2, 'batchsize': 4, 'n_gen_samples': 4},
                                   'paper_row': 'imagenet_projection', 'snapshot_interval': 1})
    for arguments, said in ((['--set', 'accumulate=1'], '; for those: --set accumulate=2, or mpiexec'),
                            (['--set', 'iteration=3', '--resume', 'auto'], 'was trained with 4 real and 4 generated'),
                            (['--set', 'iteration=4', '--resume', 'auto'], 'as the paper\'s')):
        assert run(train.main, '--config', path, '--results_dir', tmp_path / 'out', '--gpu', -1, *arguments) == 0
        assert said in capsys.readouterr().err
        config = load_config(tmp_path / 'out' / 'config.yml')
    assert config['earlier_batches'] == {2: '4 real and 4 generated images'}
    assert 'until iteration 2 of 4 real and 4 generated' in other_batch(config)
