from source.build import build_models
from source.miscs.generate import generate_ims
from source.miscs.noise_sampler import NoiseSampler
from source.miscs.snapshots import load_model, save_snapshot
from source.report.elements import image_tag
from source.report.material import make_material, spread
from source.report.run import read_run
from source.scoring.neighbors import features_of
from tests.report.page import Page

import chainer
import numpy as np
import pytest


@pytest.fixture
def run(folder):
    """Whose snapshots differ: of the last iteration, of an earlier one, and of averaged weights."""
    run = read_run(folder)
    for name in ('ResNetGenerator_4', 'ResNetGenerator_2', 'ResNetGenerator_ema_4'):
        gen, _ = build_models(run.config, 'config')
        for _ in range(3):
            gen(20)
        save_snapshot(run.path / f'{name}.npz', gen)
    for iteration in (2, 4, 6):  # the last without a generator, as where a run was killed between the two
        _, dis = build_models(run.config, 'config')
        save_snapshot(run.path / f'SNResNetProjectionDiscriminator_{iteration}.npz', dis)
    return run


def test_of_the_last_weights_of_the_iteration(run):
    """Sheets and neighbours by the generator and discriminator of the last snapshot, not averaged ones."""
    material = make_material(run, chainer.get_device('@numpy'))
    gen, dis = build_models(run.config, 'config')
    load_model(run.path / 'ResNetGenerator_4.npz', gen)
    load_model(run.path / 'SNResNetProjectionDiscriminator_4.npz', dis)
    assert (material.iteration, list(material.sheets), list(material.spectra)) == (4, list(range(10)), [2, 4, 6])
    for c in (0, 9):
        expected, _ = generate_ims(gen, 16, NoiseSampler(3, 10, seed=1234), np.full(16, c))
        np.testing.assert_array_equal(material.sheets[c], expected)
    found = material.neighbors
    index, distance = (a[3, 0] for a in found.by['features'])
    phi = features_of(dis, np.stack([found.ims[3], material.dataset.ims[index]]), np.array([3, 3]))
    assert distance == pytest.approx(np.abs(phi[0] - phi[1]).sum(), rel=1e-4)


@pytest.mark.parametrize('n, expected', [(5, [0, 1, 2, 3, 4]), (3, [0, 2, 4]), (2, [0, 4])])
def test_spread(n, expected):
    assert spread(list(range(5)), n) == expected


def test_a_picture_with_quotes_and_brackets_in_its_text():
    image, = Page(image_tag(np.zeros((2, 3, 3), np.uint8), 'a "b" <c> & d', hidden=True)).all('img')
    assert (image['alt'], image['width'], image['height'], image['hidden']) == ('a "b" <c> & d', '3', '2', None)
