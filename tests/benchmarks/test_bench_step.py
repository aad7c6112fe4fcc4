"""The benchmark's figures hang together, and its PyTorch networks are ours."""
import importlib.util
import json
import re

from benchmarks import bench_data, bench_inception, bench_step
from benchmarks.peers.chainer_step import build_updater, without_spectral_normalization
from benchmarks.timing import Stopwatch, measure
from source.config.yaml_utils import load_config
from tests.narrow import run

import chainer
import numpy as np
import pytest

SMALL = ['models.generator.args.dim_z=8', 'models.generator.args.ch=4', 'models.discriminator.args.ch=4', 'batchsize=2',
         'updater.args.n_dis=2', 'updater.args.n_gen_samples=3']
TINY = {'resnet': ('sn_projection_digits.yml', [*SMALL, 'models.generator.args.bottom_width=4']),
        'cnn': ('sn_cnn_cifar10.yml', SMALL)}
needs_torch = pytest.mark.skipif(importlib.util.find_spec('torch') is None, reason='needs PyTorch')


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(bench_step, 'NETWORKS', TINY)


def tiny_config(name):
    file, overrides = TINY[name]
    return load_config(bench_step.ROOT / 'configs' / file, overrides)


@pytest.mark.parametrize('peer', ['chainer', pytest.param('torch', marks=needs_torch)])
def test_figures(peer, tmp_path, capsys):
    out = tmp_path / 'results' / 'cpu_step.json'
    assert run(bench_step.main, '--network', 'resnet', '--peer', peer, '--rounds', 1, '--seconds', 0, '--out', out) == 0
    result = json.loads(out.read_text())['resnet']
    assert set(result['figures']) == set(result['versions']) == {'ours', *bench_step.PEERS[peer]}
    assert 'chainer' in result['versions']['ours'] and result['threads'] == 2 and result['machine']['cores'] > 0
    for figures in result['figures'].values():
        assert len(figures['runs'][0]['iterations']) == bench_step.AT_LEAST and figures['adam'] > 0
        parts = figures['generator_update'] + 2 * figures['discriminator_update']
        assert .3 * figures['iteration'] < parts < 1.5 * figures['iteration']
        assert 2 ** 25 < figures['peak_bytes'] < 2 ** 33
    ours, its = (result['figures'][side]['iteration'] for side in ('ours', result['against'][peer]['best']))
    assert result['against'][peer]['ratio'] == pytest.approx(ours / its)
    assert '/' not in result['command'].removeprefix('python benchmarks/bench_step.py')
    table = capsys.readouterr().out.splitlines()[-2:]
    assert table[0].split()[0] == 'network' and table[1].split()[:2] == ['resnet', f'{ours:.3f}']


def test_keeps_the_figures_of_other_networks(tmp_path, monkeypatch):
    out, order = tmp_path / 'cpu_step.json', []
    out.write_text('{"another": 1}')
    times = {'ours': [2., 4.], 'torch NCHW': [4., 5.], 'torch channels-last': [4., 6.]}

    def run_side(name, config, args):
        order.append(name)
        return {'iteration': times[name].pop(0), 'generator_update': 1., 'discriminator_update': .5, 'adam': .1,
                'peak_bytes': 8, 'spectral_normalization_share': .02}, {}
    monkeypatch.setattr(bench_step, 'run_side', run_side)
    monkeypatch.setattr(bench_step, 'PEERS', {'chainer': ('torch NCHW', 'torch channels-last')})
    assert run(bench_step.main, '--network', 'cnn', '--peer', 'chainer', '--rounds', 2, '--out', out) == 0
    results = json.loads(out.read_text())
    compared = results['cnn']['against']['chainer']
    assert (results['another'], compared['best'], compared['ratio']) == (1, 'torch NCHW', (2 / 4 + 4 / 5) / 2)
    assert order == ['ours', 'torch NCHW', 'torch channels-last'] * 2


@pytest.mark.parametrize('benchmark, arguments, message', [
    (bench_data, ['--rounds', 0], '--rounds: expected at least 1, found 0'),
    (bench_inception, ['--rounds', 0, '--peer', 'chainer'], '--rounds: expected at least 1, found 0'),
    (bench_inception, ['--torch_python', 'false'], 'false has no torch or no torch-fidelity'),
    (bench_step, ['--rounds', 0], '--rounds: expected at least 1, found 0'),
    (bench_step, ['--torch_python', '/nowhere/python'], '/nowhere/python'),
    (bench_step, ['--torch_python', 'false'], 'false has no torch'),
    (bench_step, ['--peer', 'chainer', '--out', __file__], 'no results of this command')])
def test_bad_arguments(benchmark, arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, 'run_peer', pytest.fail)  # it is told before anything is measured
    assert run(benchmark.main, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1


def test_measure():
    calls, stopwatch = [], Stopwatch()
    part = stopwatch.timed('part', lambda: calls.append('a'))
    records = measure({'a': lambda: [part(), part()], 'b': lambda: calls.append('b')}, stopwatch, 0, at_least=2)
    assert calls == ['a', 'a', 'b'] * 3  # the first warms up
    assert [set(record) for record in records['a'] + records['b']] == [{'iteration', 'part'}] * 2 + [{'iteration'}] * 2
    assert all(0 < record['part'] < record['iteration'] for record in records['a'])


def test_without_spectral_normalization():
    """No u steps and the weight itself is used; afterwards all is as before."""
    dis = build_updater(tiny_config('cnn')).dis
    u = dis.c2.u.copy()
    with without_spectral_normalization(), chainer.no_backprop_mode():
        assert dis.c2.W_bar is dis.c2.W
        dis(np.zeros((1, 3, 32, 32), 'f'))
    np.testing.assert_array_equal(dis.c2.u, u)
    assert np.abs(dis.c2.W_bar.array - dis.c2.W.array).max() > 1e-3 and not np.array_equal(dis.c2.u, u)


@needs_torch
@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('name', TINY)
def test_torch_networks_are_ours(name, channels_last):
    """Parameters as many, and with equal values equal outputs, discriminator's and generator's."""
    from benchmarks.peers.torch_step import Trainer

    import torch
    torch.manual_seed(0)
    config, rng = tiny_config(name), np.random.RandomState(0)
    theirs, ours = Trainer(config, channels_last), build_updater(config)
    z = rng.normal(size=(4, 8)).astype('f')
    y = rng.randint(10, size=4).astype(np.int32) if theirs.n_classes else None
    y_theirs = None if y is None else torch.tensor(y).long()
    with torch.no_grad(), chainer.no_backprop_mode(), chainer.using_config('cpu_kernels', False):
        copy_parameters(ours.gen, theirs.gen)
        copy_parameters(ours.dis, theirs.dis)
        x = ours.gen(z=z, y=y).array
        x_theirs = theirs.gen(torch.tensor(z), y_theirs, theirs.memory_format)
        np.testing.assert_allclose(x_theirs.numpy(), x, atol=1e-4)
        d = ours.dis(x, y).array
        np.testing.assert_allclose(theirs.dis(x_theirs, y_theirs).numpy(), d, atol=1e-3 * np.abs(d).max())


LINKS = {  # of their networks: our links, in the order of their blocks or layers
    'ResNetGenerator': 'block2 block3 block4', 'SNResNetProjectionDiscriminator': 'block1 block2 block3 block4',
    'CNNGenerator': 'dc2 b2 - dc3 b3 - dc4 b4 - c5', 'SNCNNDiscriminator': 'c1 - c2 - c3 - c4 - c5 - c6 - c7 - - l8'}


def copy_parameters(model, network):
    """Ours into theirs."""
    params, parameters = dict(model.namedparams()), dict(network.named_parameters())
    links = LINKS[type(network).__name__].split()
    assert len(parameters) == len(params)
    for name, parameter in parameters.items():
        owner, _, key = name.rpartition('.')
        path = '/' + re.sub(r'^(blocks|layers)\.(\d+)', lambda found: links[int(found[2])], owner).replace('.', '/')
        keys = ('gamma', 'beta') if f'{path}/gamma' in params else ('W', 'b')
        array = params[f'{path}/{keys[key == "bias"]}'].array
        assert tuple(parameter.shape) == array.shape, name
        parameter.copy_(parameter.new_tensor(array))
        if key == 'weight_orig':
            u = dict(model.namedlinks())[path].u[0]
            network.get_submodule(owner).weight_u.copy_(parameter.new_tensor(u))
