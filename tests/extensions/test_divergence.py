from unittest import mock

from source.extensions.divergence import DivergedError, StopWhenDiverged

import chainer
import chainer.links as L
import numpy as np
import pytest


def trainer(iteration, **observation):
    return mock.Mock(observation=observation, updater=mock.Mock(iteration=iteration))


@pytest.mark.parametrize('value', [np.float32('nan'), -np.inf, np.array(np.nan)])
def test_training_is_left_where_a_loss_is_no_number(value):
    StopWhenDiverged([])(trainer(1, loss_dis=np.float32(1e30), alpha=np.nan))  # finite, and what is no loss
    with pytest.raises(DivergedError, match='loss_gen is not finite at iteration 7') as caught:
        StopWhenDiverged([])(trainer(7, loss_dis=1., loss_gen=value))
    assert caught.value.iteration == 7


def test_parameters_are_looked_at_every_interval_and_at_the_last_iteration():
    model = chainer.Chain(l1=L.Linear(2, 2), lazy=L.Linear(None, 2))
    extension = StopWhenDiverged([model], interval=10, last=25)
    extension(trainer(10))
    model.l1.b.array[1] = np.nan
    extension(trainer(24))
    for iteration in (20, 25):
        with pytest.raises(DivergedError, match=f'Chain/l1/b is not finite at iteration {iteration}'):
            extension(trainer(iteration))
