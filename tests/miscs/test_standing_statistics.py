from gen_models.cnn_32 import CNNGenerator
from gen_models.resnet_32 import ResNetGenerator
from source.miscs.generate import generator_inputs
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.standing_statistics import restate_statistics

import chainer
import numpy as np
import pytest


@pytest.mark.parametrize('make', [
    lambda: ResNetGenerator(ch=4, dim_z=5, bottom_width=2, n_classes=3), lambda: CNNGenerator(ch=2, dim_z=5)],
    ids=['conditional', 'unconditional'])
def test_means_over_batches(make):
    """Of every batch normalization, against means over its inputs computed here; weights stay."""
    gen = make()
    links = [link for link in gen.links() if hasattr(link, 'avg_mean')]
    seen = {link: [] for link in links}
    for link in links:
        link.avg_mean[...], link.avg_var[...], link.N = 7., 7., 5
    before = {name: p.array.copy() for name, p in gen.namedparams()}

    class Hook(chainer.LinkHook):
        def forward_preprocess(self, args):
            if args.link in seen:
                seen[args.link].append(chainer.as_variable(args.args[0]).array)
    sampler, other = (NoiseSampler(gen.dim_z, gen.n_classes, seed=3) for _ in range(2))
    with Hook():
        restate_statistics(gen, sampler, 3, 6)
    for link in links:
        assert len(seen[link]) == 3
        np.testing.assert_allclose(link.avg_mean, np.mean([x.mean((0, 2, 3)) for x in seen[link]], axis=0), atol=1e-5)
        np.testing.assert_allclose(link.avg_var, np.mean([x.var((0, 2, 3), ddof=1) for x in seen[link]], axis=0),
                                   rtol=1e-4, atol=1e-6)
    assert all((before[name] == p.array).all() for name, p in gen.namedparams())
    for _ in range(3):
        generator_inputs(gen, other, 6)
    np.testing.assert_array_equal(sampler.continuous(2), other.continuous(2))


def test_too_few_are_refused():
    for arguments in ((0, 5), (3, 1)):
        with pytest.raises(ValueError, match='at least 1 batch of at least 2'):
            restate_statistics(None, None, *arguments)
