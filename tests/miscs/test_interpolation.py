from source.miscs import interpolation
from source.miscs.interpolation import lerp, slerp

import numpy as np
import pytest


def test_slerp_in_the_plane():
    """A quarter of a circle, by degrees; lengths go linearly."""
    z = slerp([1., 0.], [0., 3.], [0., 1 / 3, .5, 1.])
    lengths = np.array([1., 5 / 3, 2., 3.])
    angles = np.deg2rad([0, 30, 45, 90])
    np.testing.assert_allclose(z, lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), atol=1e-12)


def test_slerp_keeps_to_the_sphere_and_divides_the_angle_evenly():
    rng = np.random.RandomState(0)
    z0, z1 = rng.normal(size=(2, 7, 50))
    z1 *= np.linalg.norm(z0, axis=1, keepdims=True) / np.linalg.norm(z1, axis=1, keepdims=True)
    z = slerp(z0, z1, np.linspace(0, 1, 6))
    assert z.shape == (6, 7, 50)
    np.testing.assert_allclose(z[[0, -1]], [z0, z1], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(z, axis=2), np.linalg.norm([z0] * 6, axis=2), rtol=1e-12)
    steps = np.linalg.norm(np.diff(z, axis=0), axis=2)
    np.testing.assert_allclose(steps, steps[:1].repeat(5, axis=0), rtol=1e-9)


def test_slerp_of_near_and_of_opposite_latents():
    """A straight line; and none."""
    z0 = np.array([3., 4.])
    for distance in (0., 1e-9, 1e-5):
        z1 = z0 + distance * np.array([-4., 3.])
        np.testing.assert_allclose(slerp(z0, z1, .3), lerp(z0, z1, .3), atol=1e-9)
    with pytest.raises(ValueError, match='opposite'):
        slerp(np.array([1., 0.]), np.array([-2., 0.]), .5)


def test_uniform_latents_stay_in_their_cube():
    z0, z1 = np.array([1., 1.]), np.array([-1., 1.])
    assert np.abs(interpolation.way_between('uniform')(z0, z1, np.linspace(0, 1, 5))).max() <= 1
    assert interpolation.way_between('normal') is slerp


def test_grids_in_reading_order_and_round_trips():
    np.testing.assert_allclose(interpolation.blend_weights(3), [[1, 0], [.5, .5], [0, 1]])
    np.testing.assert_allclose(interpolation.corner_weights(3, 2), [
        [1, 0, 0, 0], [0, 1, 0, 0], [.5, 0, .5, 0], [0, .5, 0, .5], [0, 0, 1, 0], [0, 0, 0, 1]])
    corners = np.random.RandomState(0).normal(size=(4, 6))
    z = interpolation.corner_latents(corners, 3, 5).reshape(3, 5, 6)
    np.testing.assert_allclose(z[[0, 0, -1, -1], [0, -1, 0, -1]], corners, atol=1e-12)
    np.testing.assert_allclose(z[1, 0], slerp(corners[0], corners[2], .5))
    np.testing.assert_allclose(z[0, 2], slerp(corners[0], corners[1], .5))
    assert interpolation.round_trip('ab', 2) == [('a', 'b', 0), ('a', 'b', .5), ('b', 'a', 0), ('b', 'a', .5)]
